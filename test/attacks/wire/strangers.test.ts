import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect } from 'vitest'
import { KnownPrefixes } from '../../../src/node/host/known-prefixes.ts'
import { Culprits } from '../../../src/protocols/engine/culprits.ts'
import { strangerLines } from '../../../src/protocols/engine/few-lines.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { inboundLimits, type NetHost, netHost } from '../../helpers/hosts/net-hosts.ts'
import { client, failure, instance, joinOf, served, stopServed } from '../../helpers/hosts/sessions.ts'
import { connect, connectionWith, startPlainHost } from '../../helpers/hosts.ts'
import { FakeClock } from '../../helpers/observations.ts'
import { RealNetwork, recordBy } from '../../helpers/real-network.ts'
import { aGrant, keyOf } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

const sockets: Socket[] = []
const hosts: { stop(): void | Promise<void> }[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const host of hosts.splice(0)) await host.stop()
  await stopServed()
})

const silent = async (port: number): Promise<Socket> => {
  const socket = connectSocket(port, '::1')
  sockets.push(socket)
  socket.on('error', () => {})
  await Promise.race([once(socket, 'connect').catch(() => {}), new Promise((resolve) => socket.once('close', resolve))])
  return socket
}

describe('a member that names prefixes in its record', () => {
  /** Silent sockets from ::1, in a network where a member announces it; `proved`: it also said hello from there. */
  const held = async (proved: boolean): Promise<number> => {
    await using network = await RealNetwork.create()
    const key = await network.admit('mallory')
    await network.root.records.put(recordBy(network.root, key, 1, { addrs: ['/ip6/::1/tcp/9000'] }), {
      source: 'session'
    })
    const prefixes = new KnownPrefixes(network.root)
    if (proved) prefixes.seen('mallory', '/ip6/::1/tcp/50000')
    await using host = await netHost({ countLoopback: true, knownPrefix: (prefix) => prefixes.has(prefix) })
    await Promise.all(Array.from({ length: 64 }, () => silent(Number(host.address.split('/').at(-1)))))
    const seen = (): number => host.gater.inbound.unfinished + host.gater.inbound.refused
    await expect.poll(seen).toBeGreaterThanOrEqual(64)
    return host.gater.inbound.unfinished
  }

  attack('holds handshakes there with silent sockets', async () => {
    const handshakes = await held(false)
    expect(handshakes).toBeLessThanOrEqual(4)
    return {
      happened: `${handshakes} of 64 were held`,
      held: 'a /64 is known where a member proved itself, not where it says to be'
    }
  })

  control('more are held where it proved itself', async () => {
    expect(await held(true)).toBeGreaterThan(4)
  })
})

describe('strangers that come and do nothing', () => {
  const crowd = async (most: number, spared: boolean, come = most) => {
    const trust = new ConnectionTrust({ limits: { ...defaultLimits.strangers, open: most }, settleMs: 10_000 })
    const registry = await startPlainHost()
    hosts.push(registry, { stop: () => trust.clear() })
    const arrive = async () => {
      const stranger = await startPlainHost()
      hosts.push(stranger)
      const connection = await connect(stranger, registry)
      const inbound = await connectionWith(registry, stranger)
      trust.track(inbound)
      trust.judgedStranger(inbound)
      return { connection, inbound }
    }
    const first = await arrive()
    trust.spare(first.inbound, spared)
    for (let more = 1; more < come; more++) await arrive()
    const honest = await arrive()
    return { first, honest, trust }
  }

  attack('fill all places of a /48 before somebody joins from it', async () => {
    const { first, honest, trust } = await crowd(6, false)
    expect([first.inbound.status, honest.inbound.status]).toEqual(['aborted', 'open'])
    expect(trust.culprits.counts).toMatchObject([{ limit: 'strangers.open', count: 1 }])
    return { happened: 'the oldest idle one went, the newcomer stayed', held: 'strangers.open' }
  })

  attack('fill them behind somebody who shows an invite', async () => {
    const { first, honest } = await crowd(6, true)
    expect([first.inbound.status, honest.inbound.status]).toEqual(['open', 'open'])
    return {
      happened: 'whoever has a good invite stayed, the oldest idle one went',
      held: 'a good invite spares its connection'
    }
  })

  control('nobody goes while there is a place', async () => {
    const { first, honest, trust } = await crowd(6, false, 5)
    expect([first.inbound.status, honest.inbound.status]).toEqual(['open', 'open'])
    expect(trust.culprits.counts).toEqual([])
  })
})

describe('strangers that come and go', () => {
  /** Lines of the log about so many connections, of which each pushes out the one before. */
  const linesOf = async (connections: number): Promise<object[]> => {
    const written: object[] = []
    const info = (fields: object): void => void written.push(fields)
    const limits = { ...defaultLimits.strangers, open: 1 }
    const trust = new ConnectionTrust({
      limits,
      settleMs: 1_000,
      clock: new FakeClock(),
      logger: { ...silentLogger, info }
    })
    const [registry, stranger] = [await startPlainHost(), await startPlainHost()]
    hosts.push(registry, stranger, { stop: () => trust.clear() })
    registry.addEventListener('connection:open', ({ detail }) => {
      trust.track(detail)
      trust.judgedStranger(detail)
    })
    const address = registry.getMultiaddrs()[0] ?? registry.peerId
    let opened = 0
    registry.addEventListener('connection:close', () => opened++)
    for (let come = 0; come < connections; come++) await stranger.dial(address, { force: true })
    await expect.poll(() => opened, { timeout: ceilingMs }).toBeGreaterThanOrEqual(connections - 1)
    return written
  }

  attack('fill the log', async () => {
    const written = await linesOf(3 * strangerLines.count)
    expect(written).toHaveLength(strangerLines.count)
    return { happened: `${written.length} lines`, held: `${strangerLines.count} lines a minute` }
  })

  control('a few are told one by one', async () => {
    expect(await linesOf(5)).toHaveLength(4)
  })
})

describe('strangers that come and do nothing, beside a join that is being decided', () => {
  const grants = { known: aGrant, unknown: { ...aGrant, id: new Uint8Array(16).fill(0xdd) } }

  /** A root whose decision takes until the crowd is there; gives what the joiner is told. */
  const joinBesideCrowd = async (grant: keyof typeof grants) => {
    const crowdIsThere = Promise.withResolvers<void>()
    const root = await served({ limits: { strangers: { open: 3 } }, decide: () => crowdIsThere.promise })
    root.network.append({ kind: 'grant', body: { ...aGrant, uses: 3 } })
    root.registry.replica.catchUp()
    const joiner = await client(root, 'joiner')
    const join = joinOf(root, joiner.key, 'joiner', { grant: grants[grant], inviteKey: keyOf(7) })
    const record = root.network.record(joiner.key, 1)
    const told = failure(joiner.session.register({ record, instance: instance(), join }))
    for (let number = 0; number < 8; number++) await client(root, `idle-${number}`)
    await expect.poll(() => root.trust.culprits.counts.map(({ limit }) => limit)).toContain('strangers.open')
    await expect.poll(() => root.trust.strangers).toBeLessThanOrEqual(4)
    crowdIsThere.resolve()
    return await told
  }

  attack('close the connection of somebody whose invite is in the log', async () => {
    expect(await joinBesideCrowd('known')).toBeUndefined()
    return {
      happened: '8 came where 3 may stay, the join was answered',
      held: 'register spares who shows an open invite'
    }
  })

  control('whoever shows an invite that nobody knows is closed', async () => {
    expect(await joinBesideCrowd('unknown')).toBeInstanceOf(Error)
  })
})

describe('members with as many connections as each may have', () => {
  /** Two members fill a node; then somebody else comes. */
  const filled = async (each: number) => {
    const limits = { ...inboundLimits, connections: 2 * each, openPerPeer: each, unfinishedPerMemberPrefix: 64 }
    const culprits = new Culprits()
    await using host = await netHost({ limits, culprits, countLoopback: true, knownPrefix: () => true })
    await using one = await netHost()
    await using other = await netHost()
    await using honest = await netHost()
    const dial = async (from: NetHost) => await from.libp2p.dial(multiaddr(host.address), { force: true })
    for (let made = 0; made < each; made++) for (const greedy of [one, other]) await dial(greedy)
    const got = await dial(honest).then(
      () => true,
      () => false
    )
    const named = culprits.counts.flatMap(({ limit, culprits: who }) => who.map(({ who: peer }) => `${limit} ${peer}`))
    return { got, named, greedy: [one.peerId, other.peerId] }
  }

  attack('take all that a node has', async () => {
    const { got, named, greedy } = await filled(4)
    expect(got).toBe(true)
    expect(greedy.map((peer) => `limits.connections ${peer}`)).toContain(named[0])
    return { happened: 'the oldest of one with most of them went, somebody else got in', held: 'limits.connections' }
  })

  control('nobody gives way where each has what it needs', async () => {
    expect(await filled(2)).toMatchObject({ got: false })
  })
})
