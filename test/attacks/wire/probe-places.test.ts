import { createServer, type Server } from 'node:net'
import { afterEach, describe, expect } from 'vitest'
import { peerIdText } from '../../../src/identity/keys.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { probe, probeServer } from '../../../src/protocols/probe/index.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { type MemberHost, type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { recordOf } from '../../helpers/observations.ts'
import { networkId } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

/** A dial into nothing lasts for longer than the test. */
const limits = limitsWith({
  probe: {
    running: 4,
    runningOfPeer: 2,
    dialMs: 10 * ceilingMs,
    deadlineMs: 10 * ceilingMs,
    targetHost: { count: 1_000, perMs: 1 }
  }
})
const options = { networkId, limits }
const hosts: AsyncDisposable[] = []
const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await Promise.all(hosts.splice(0).map((host) => host[Symbol.asyncDispose]()))
})

const start = async (members: Members, role: 'root' | 'integrated'): Promise<MemberHost<{ probe: unknown }>> => {
  const host = await startMember<{ probe: unknown }>({
    members,
    role,
    services: ({ trust, records }) => ({
      probe: probeServer({ networkId, addrsOf: (publicKey) => records.read(publicKey)?.addrs ?? [], trust, limits })
    })
  })
  hosts.push(host)
  return host
}

/** An address that takes connections and says nothing. */
async function silent(): Promise<string> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen({ host: '::1', port: 0 }, resolve))
  const address = server.address()
  return `/ip6/::1/tcp/${typeof address === 'object' && address !== null ? address.port : 0}`
}

const listening = ({ host }: MemberHost<{ probe: unknown }>): string =>
  host
    .getMultiaddrs()[0]
    ?.toString()
    .replace(/\/p2p\/.*/, '') ?? ''

/** Some members have addresses dialled that say nothing, as many at a time as they may; then an honest one asks. */
async function askBeside(hostile: number) {
  const members: Members = new Map()
  const registry = await start(members, 'root')
  const who: string[] = []
  let running = 0
  for (let index = 0; index < hostile; index++) {
    const member = await start(members, 'integrated')
    const addrs = [await silent(), await silent()]
    who.push(peerIdText(member.key.publicKey))
    await registry.records.put(recordOf(member.key, 1, { addrs }).bytes)
    const connection = await connect(member.host, registry.host)
    for (const addr of addrs) {
      probe(connection, addr, options).catch(() => {})
      running++
    }
  }
  const dialled = async (): Promise<number> =>
    (
      await Promise.all(
        servers.map(
          async (server) => await new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)))
        )
      )
    ).reduce((a, b) => a + b, 0)
  await expect.poll(dialled, { timeout: ceilingMs }).toBe(Math.min(running, limits.probe.running))
  const honest = await start(members, 'integrated')
  const addr = listening(honest)
  await registry.records.put(recordOf(honest.key, 1, { addrs: [addr] }).bytes)
  const outcome = await probe(await connect(honest.host, registry.host), addr, options)
  const named = registry.trust.culprits.counts.flatMap(({ limit, culprits }) =>
    culprits.map((each) => ({ limit, ...each }))
  )
  return { outcome, named, who }
}

describe('places for probes', () => {
  attack('members hold all of them with addresses that say nothing', async () => {
    const { outcome, named, who } = await askBeside(2)
    expect(outcome).toBe(true)
    expect(named.map(({ limit }) => limit)).toEqual(['probe.running'])
    expect(who).toContain(named[0]?.who)
    return { happened: 'the oldest gave way, the honest probe reached its address', held: 'probe.running has shares' }
  })

  control('an honest probe among few takes nobody a place', async () => {
    const { outcome, named } = await askBeside(1)
    expect(outcome).toBe(true)
    expect(named).toEqual([])
  })
})
