import { createServer, type Server } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { askTold, type ProbeServer, probe, probeMember, probeServer } from '../../../src/protocols/probe/index.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { type MemberHost, type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { recordOf } from '../../helpers/observations.ts'
import { networkId } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

const limits = limitsWith({ probe: { targetHost: { count: 4, perMs: 3_600_000 } } })
const options = { networkId, limits }
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

type Services = { probe: ProbeServer }
type Host = MemberHost<Services>

/** A prober, and who asks it: a registry, or any member. */
async function stage({ asker: role, loopback }: { asker: 'secondary' | 'integrated'; loopback: boolean }) {
  const members: Members = new Map()
  const registries = new Set<string>()
  const isRegistry = (publicKey: Uint8Array): boolean => registries.has(Buffer.from(publicKey).toString('hex'))
  const start = async (as: 'secondary' | 'integrated'): Promise<Host> => {
    const host = await startMember<Services>({
      members,
      role: as,
      services: ({ trust, records }) => ({
        probe: probeServer({
          networkId,
          addrsOf: (publicKey) => records.read(publicKey)?.addrs ?? [],
          others: { isRegistry, dialsLoopback: () => loopback, told: () => [] },
          trust,
          limits
        })
      })
    })
    closers.push(() => host[Symbol.asyncDispose]())
    if (as === 'secondary') registries.add(Buffer.from(host.key.publicKey).toString('hex'))
    return host
  }
  const [asker, prober, victim] = await Promise.all([start(role), start('integrated'), start('integrated')])
  return { prober, victim, asker, connection: await connect(asker.host, prober.host) }
}

/** A service that has nothing to do with the network, and how many connections it saw. */
async function bystander(): Promise<{ addr: string; seen: () => number }> {
  let count = 0
  const server: Server = createServer((socket) => {
    count++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen({ host: '::1', port: 0 }, resolve))
  closers.push(() => server.close())
  const address = server.address()
  return {
    addr: `/ip6/::1/tcp/${typeof address === 'object' && address !== null ? address.port : 0}`,
    seen: () => count
  }
}

const put = async ({ records }: Host, key: SigningKey, ...addrs: string[]): Promise<unknown> =>
  await records.put(recordOf(key, 1, { addrs }).bytes)

attack('a registry has a member scan ports that stand in no record', async () => {
  const { prober, victim, connection } = await stage({ asker: 'secondary', loopback: true })
  const { addr, seen } = await bystander()
  await put(prober, victim.key, '/ip6/::1/tcp/1')
  for (const publicKey of [victim.key.publicKey, SigningKey.generate().publicKey, prober.key.publicKey]) {
    await expect(probeMember(connection, { publicKey, addr }, options)).rejects.toMatchObject({
      name: 'InvalidPayloadError'
    })
  }
  expect(seen()).toBe(0)
  return {
    happened: '3 targets asked, 0 connections at the bystander',
    held: 'only addresses of the record that the target signed'
  }
})

attack('a member that is no registry has another one dialled', async () => {
  const { prober, victim, connection } = await stage({ asker: 'integrated', loopback: true })
  const { addr, seen } = await bystander()
  await put(prober, victim.key, addr)
  await expect(probeMember(connection, { publicKey: victim.key.publicKey, addr }, options)).rejects.toMatchObject({
    name: 'InvalidPayloadError'
  })
  expect(seen()).toBe(0)
  return { happened: '0 connections', held: 'only root and secondaries have others dialled' }
})

attack('a member names loopback ports, for others to dial services of their own machine', async () => {
  const { prober, victim, asker, connection } = await stage({ asker: 'secondary', loopback: false })
  const { addr, seen } = await bystander()
  for (const { key } of [victim, asker]) await put(prober, key, addr)
  const ways = [
    () => probeMember(connection, { publicKey: victim.key.publicKey, addr }, options),
    // The asker itself, and a registry that probes for its own table.
    () => probe(connection, addr, options),
    () => prober.host.services.probe.dial(addr, victim.host.peerId, AbortSignal.timeout(ceilingMs))
  ]
  for (const ask of ways) await expect(ask()).rejects.toMatchObject({ name: 'InvalidPayloadError' })
  expect(seen()).toBe(0)
  return {
    happened: '3 ways tried, 0 connections',
    held: 'loopback is dialled only where the prober announces it itself'
  }
})

attack('a member names many ports of somebody who is no member', async () => {
  const { prober, victim, connection } = await stage({ asker: 'secondary', loopback: true })
  const outsiders = await Promise.all(Array.from({ length: 8 }, () => bystander()))
  await put(prober, victim.key, ...outsiders.map(({ addr }) => addr))
  const { publicKey } = victim.key
  const said: string[] = []
  for (const { addr } of outsiders) {
    const answer = await probeMember(connection, { publicKey, addr }, options).catch(({ name }: Error) => name)
    said.push(typeof answer === 'string' ? answer : (answer.failure ?? 'reached'))
  }
  const seen = outsiders.reduce((sum, each) => sum + each.seen(), 0)
  expect(seen).toBe(4)
  expect(said).not.toContain('reached')
  expect(said.slice(4)).toEqual(['RateLimitedError', 'RateLimitedError', 'RateLimitedError', 'RateLimitedError'])
  return {
    happened: `${seen} of 8 ports dialled, none called reached`,
    held: 'probe.targetHost; the key must be proved'
  }
})

control('a registry has the address of a record dialled, whoever listens there', async () => {
  const { prober, victim, connection } = await stage({ asker: 'secondary', loopback: true })
  const { addr, seen } = await bystander()
  await put(prober, victim.key, addr)
  const { failure } = await probeMember(connection, { publicKey: victim.key.publicKey, addr }, options)
  expect(seen()).toBe(1)
  expect(failure).toBe('otherKey')
})

it('says who is reached, with the time that it took, and what it was told itself', async () => {
  const { prober, victim, connection } = await stage({ asker: 'secondary', loopback: true })
  const addr =
    victim.host
      .getMultiaddrs()[0]
      ?.toString()
      .replace(/\/p2p\/.*/, '') ?? ''
  await put(prober, victim.key, addr)
  const { publicKey } = victim.key
  expect(await probeMember(connection, { publicKey, addr }, options)).toEqual({
    failure: undefined,
    tookMs: expect.any(Number)
  })
  expect(await askTold(connection, undefined, options)).toEqual({ members: [], left: 0 })
})
