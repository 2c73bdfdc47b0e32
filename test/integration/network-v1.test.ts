import { chmodSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyStoreAt } from '../../src/node/offline/stopped-store.ts'
import { Hello } from '../../src/protocols/hello/pb/hello.ts'
import { LookupAnswer, LookupRequest } from '../../src/protocols/lookup/pb/lookup.ts'
import { ProbeAnswer, ProbeRequest } from '../../src/protocols/probe/pb/probe.ts'
import { SessionFrame } from '../../src/protocols/register/pb/register.ts'
import { SyncFrame, SyncRequest } from '../../src/protocols/sync/pb/sync.ts'
import { TestNetwork } from '../helpers/network.ts'

const fixture = new URL('../fixtures/network-v1/', import.meta.url).pathname
const read = (name: string) => JSON.parse(readFileSync(join(fixture, name), 'utf8'))

interface Facts {
  networkId: string
  n: number
  headHash: string
  stateRoot: string
  members: string[]
  peerIds: { root: string; web: string; db: string }
}

const facts: Facts = read('facts.json')
const keys = ['node.key', 'log.key', 'operator.key']

/** A copy of the root's files in the folder of a root that is about to start. */
function copyTo(network: TestNetwork): string {
  const folder = join(network.folder, 'data', 'root')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  cpSync(fixture, folder, { recursive: true })
  for (const name of keys) chmodSync(join(folder, name), 0o600)
  return folder
}

describe('a network of version 1 of the formats', () => {
  it('is verified entry by entry, from its store alone', async () => {
    await using network = new TestNetwork()
    const view = await verifyStoreAt(join(copyTo(network), 'registry.db'))
    expect(view).toMatchObject({ head: { n: facts.n, hash: facts.headHash } })
  })

  it('goes on when its root starts: members, groups, services, the policy and the revoked key are there', async () => {
    await using network = new TestNetwork({ networkId: facts.networkId })
    copyTo(network)
    const root = await network.start('root', { role: 'root' })
    expect(root.peerId).toBe(facts.peerIds.root)
    const { state } = root.registry.replica
    expect(state.head.n).toBe(facts.n)
    expect(Buffer.from(state.root()).toString('hex')).toBe(facts.stateRoot)
    expect([...state.members()].map(({ name }) => name).toSorted()).toEqual(facts.members)
    expect(state.memberByName('db-2')).toMatchObject({ role: 'external', groups: ['db', 'eu'] })
    expect([...state.revokedKeys()]).toHaveLength(1)
    expect([...state.grants()]).toMatchObject([{ grant: { note: 'the lab', groups: ['lab'], uses: 5 }, taken: 0 }])
    expect(state.operators()).toHaveLength(1)
    const postgres = { from: 'web', to: 'db', service: 'postgres' }
    expect(state.policy).toMatchObject({ rules: [postgres], publishing: 'registries' })
    const call = { from: 'web-1', to: 'db-2', service: 'postgres' }
    expect(await root.control.policyCall(call)).toMatchObject({ allowed: true, rule: postgres })
    expect(await root.control.policyCall({ ...call, service: 'ssh' })).toMatchObject({ allowed: false, rule: null })
    expect((await root.control.lookup({ service: 'http' })).rows).toMatchObject([
      { name: 'web-1', services: [{ name: 'http', port: 8080 }, { name: 'ssh' }] }
    ])
  })

  it('sent frames that are read, and written again as they were', () => {
    const codecs: ReadonlyMap<string, { decode(bytes: Uint8Array): object; encode(message: object): Uint8Array }> =
      new Map(
        Object.entries({
          Hello,
          SessionFrame,
          LookupRequest,
          LookupAnswer,
          SyncRequest,
          SyncFrame,
          ProbeRequest,
          ProbeAnswer
        })
      )
    const frames: { message: string; bytes: string }[] = read('frames.json')
    const seen = new Set(frames.map(({ message }) => message))
    for (const message of ['Hello', 'SessionFrame', 'LookupRequest', 'LookupAnswer', 'SyncFrame']) {
      expect(seen).toContain(message)
    }
    for (const { message, bytes } of frames) {
      const codec = codecs.get(message)
      const again = codec?.encode(codec.decode(Buffer.from(bytes, 'hex'))) ?? new Uint8Array()
      expect({ message, bytes: Buffer.from(again).toString('hex') }).toEqual({ message, bytes })
    }
  })
})
