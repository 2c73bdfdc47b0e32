import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeInvite } from '../../src/registry/objects/invite.ts'
import { ceilingMs } from '../helpers/ceiling.ts'
import { connect, startPlainHost } from '../helpers/hosts.ts'
import { TestNetwork } from '../helpers/network.ts'
import { Checks } from './checks.ts'
import { checkClient } from './client.ts'
import { buildGoClient, registryProto } from './go-client.ts'
import { ScriptedRegistry } from './scripted-registry.ts'

const program = buildGoClient()

afterAll(() => {
  if (program !== undefined) rmSync(dirname(program), { recursive: true, force: true })
})

interface Told {
  readonly checks: Checks
  readonly lines: string[]
}

const told = (): Told => {
  const lines: string[] = []
  return { lines, checks: new Checks((line) => lines.push(line)) }
}

const failedOf = ({ lines }: Told): string[] => lines.filter((line) => line.startsWith('FAILED'))

test('our own node passes the checks for a client of any implementation', async () => {
  await using registry = await ScriptedRegistry.open(ceilingMs)
  const invite = await registry.network.invite({ role: 'external' })
  const result = told()
  const checking = checkClient(registry, invite, result.checks)
  await using other = new TestNetwork()
  const node = other.make('client', { role: 'external' })
  node.invites.use(invite)
  await node.start()
  await checking
  expect(failedOf(result)).toEqual([])
  expect(result.checks).toMatchObject({ passed: 17, failed: 0 })
})

test.skipIf(program === undefined)('so does the client in Go, made from the pages alone', async () => {
  await using registry = await ScriptedRegistry.open(ceilingMs)
  const invite = await registry.network.invite({ role: 'external' })
  const client = spawn(program ?? '', ['join', registryProto, encodeInvite(invite), 'gopher'])
  try {
    const result = told()
    await checkClient(registry, invite, result.checks)
    expect(failedOf(result)).toEqual([])
    expect(result.checks).toMatchObject({ passed: 17, failed: 0 })
  } finally {
    client.kill()
  }
})

test('a client that says no hello is told by name', async () => {
  await using registry = await ScriptedRegistry.open(ceilingMs)
  const invite = await registry.network.invite({ role: 'external' })
  const result = told()
  const checking = checkClient(registry, invite, result.checks)
  const host = await startPlainHost()
  try {
    const connection = await connect(host, registry.root.libp2p)
    const early = await connection.newStream('/trustnet/lookup/1.0.0')
    early.send(Uint8Array.of(1, 0))
    const late = await connection.newStream('/trustnet/hello/1.0.0')
    late.send(Uint8Array.of(1, 0))
    await registry.until('the verdict', () => result.lines.length > 0)
    expect(result.lines[0]).toMatch(/^FAILED {2}it connects, proves a key, and says hello first: the first stream is/)
    await checking
    expect(result.checks).toMatchObject({ passed: 0, failed: 1 })
  } finally {
    await host.stop()
  }
})
