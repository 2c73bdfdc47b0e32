import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Route } from '../../../src/node/api/route.ts'
import { routes } from '../../../src/node/api/routes.ts'
import { callOf, isRouteName } from '../../../src/node/control/input.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { expectSchema, walked } from '../../helpers/schemas.ts'

let network: TestNetwork
let nodes: readonly TrustNode[]
beforeAll(async () => {
  network = await TestNetwork.create({ 'http.listen': '[::1]:0' })
  const [root] = network.nodes
  if (root === undefined) throw new Error('no root')
  const hal = await network.join('hal')
  nodes = [root, hal]
  const isThere = async (): Promise<boolean> => {
    const { rows } = await hal.control.lookup({ role: 'root', remote: true })
    const peers = await Promise.all(nodes.map(async ({ control }) => (await control.peers()).peers))
    return (
      rows.length === 1 &&
      peers.every((all) => all.length === 2 && all.every(({ rttUs, self }) => self || rttUs !== null))
    )
  }
  await eventually(isThere)
  await root.control.publishDocument({ id: 'plan', mediaType: 'text/plain', content: 'cGxhbg==' })
  await eventually(async () => (await hal.control.documents()).documents.length === 1)
  const folder = join(network.folder, 'music')
  mkdirSync(folder)
  await root.control.addStore({ folder })
  await eventually(async () => (await hal.control.stores({ look: true })).stores.length === 1)
})
afterAll(() => network[Symbol.asyncDispose]())

/** Input for those that need some. */
const inputs: Readonly<Record<string, object>> = {
  why: { peer: 'hal' },
  compare: { with: 'root,hal' },
  registryAt: { n: 1 },
  logDiff: { fromN: 0 },
  lookup: { role: 'root' },
  policyCall: { from: 'hal', to: 'root', service: 'ssh' },
  spread: { epoch: 0, n: 1 },
  document: { id: 'plan' },
  documentHistory: { id: 'plan' },
  store: { store: 'music' }
}
const table: [string, Route][] = Object.entries(routes)
/** Answered at a root alone. */
const questions = table.filter(([, { writes, needs }]) => !writes && needs !== 'root')

test.each(questions)(
  '%s of a running node has its schema, whole times, and PeerIds in its multiaddrs',
  async (name, { output }) => {
    if (!isRouteName(name)) throw new Error(name)
    for (const { control, peerId } of nodes) {
      const answer: unknown = await callOf(control, name)(inputs[name] ?? {}, { signal: AbortSignal.timeout(30_000) })
      expectSchema(z.globalRegistry.get(output)?.id ?? '', answer)
      expect(answer).toMatchObject({ schema: 1, view: { peerId } })
      for (const { key, value, path } of walked(answer)) {
        if (/(^|[a-z])(Ms|Us)$/.test(key) && typeof value === 'number')
          expect([path, value]).toEqual([path, Math.round(value)])
        if (typeof value === 'string' && /^\/ip6\/[^ ]*$/.test(value))
          expect([path, value]).toEqual([path, expect.stringMatching(/\/p2p\/\w{52}$/)])
      }
    }
  }
)

test('over HTTP views are compared, and a member says why another one is as it is shown', async () => {
  const [, hal] = nodes
  const ask = async (path: string): Promise<unknown> => await (await fetch(`${hal?.httpUrl}${path}`)).json()
  const compared = await ask('/compare?with=root,self')
  expectSchema('compare', compared)
  expect(compared).toMatchObject({
    sources: [
      { name: 'root', error: null },
      { name: 'hal', error: null }
    ],
    compared: 2
  })
  const why = await ask('/why?peer=root')
  expectSchema('why', why)
  expect(why).toMatchObject({ name: 'root', view: { name: 'hal' } })
  expect(await ask('/lookup?remote=true&role=root')).toMatchObject({ rows: [{ name: 'root' }], view: { name: 'root' } })
  expect(await ask('/compare')).toMatchObject({ error: { code: 'BAD_REQUEST' } })
})
