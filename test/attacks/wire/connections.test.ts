import type { Connection } from '@libp2p/interface'
import { afterEach, describe, expect, test } from 'vitest'
import { hostGuard } from '../../../src/protocols/engine/host-guard.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { type MemberHost, type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect, connectionWith } from '../../helpers/hosts.ts'
import { attack, control } from '../attack.ts'
import { closeOf, flags, floodOf, muxerOf, types } from './muxer.ts'

type Host = MemberHost<{ guard?: object }>
const hosts: Host[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host[Symbol.asyncDispose]()))
})

/** More than any bucket holds. */
const most = 20_000
const MiB = 2 ** 20
/** So that a slow machine empties them, too: what counts here is that they are, not their size. */
const small: LimitOverrides = {
  connection: {
    streams: { count: 200, perMs: 600_000 },
    strangerStreams: { count: 50, perMs: 600_000 },
    frames: { count: 2_000, perMs: 600_000 },
    strangerFrames: { count: 500, perMs: 600_000 },
    penaltyMs: 600_000
  }
}
const plenty = { count: 1_000_000_000, perMs: 1 }
const lifted: LimitOverrides = {
  connection: {
    streams: plenty,
    strangerStreams: plenty,
    frames: plenty,
    registryFrames: plenty,
    strangerFrames: plenty,
    frameBytes: 1_000 * MiB,
    negotiationBytes: MiB,
    unreadBytes: 1_000 * MiB,
    waitingBytes: 1_000 * MiB,
    arrivedBytes: 1_000 * MiB,
    arrivedBytesOfPeer: 1_000 * MiB,
    waitingBytesOfPeer: 1_000 * MiB
  }
}

interface Scene {
  readonly victim: Host
  /** As the attacker has it. */
  readonly connection: Connection
  /** As the victim has it. */
  readonly inbound: Connection
  /** Frames that its muxer was given. */
  readonly seen: () => number
}

async function scene(role: 'integrated' | 'stranger', overrides: LimitOverrides = small): Promise<Scene> {
  const members: Members = new Map()
  const limits = limitsWith(overrides)
  let frames = 0
  const victim: Host = await startMember({
    members,
    role: 'root',
    services: ({ trust }) => ({ guard: hostGuard({ trust, limits }) })
  })
  const attacker: Host = await startMember({ members, role, services: () => ({}) })
  hosts.push(victim, attacker)
  // After the service: what it passes on is counted.
  victim.host.addEventListener('connection:open', ({ detail }) => {
    const muxer = muxerOf(detail)
    for (const handler of ['handleStreamMessage', 'handlePing']) {
      const handle: unknown = Reflect.get(muxer, handler)
      if (typeof handle !== 'function') throw new Error(`yamux has no ${handler}`)
      Reflect.set(muxer, handler, (...given: unknown[]): unknown => {
        frames++
        return Reflect.apply(handle, muxer, given)
      })
    }
  })
  const connection = await connect(attacker.host, victim.host)
  const inbound = await connectionWith(victim.host, attacker.host)
  return { victim, connection, inbound, seen: () => frames }
}

const named = ({ victim }: Scene): string[] =>
  victim.trust.culprits.counts.flatMap(({ limit, culprits }) => culprits.map(({ who }) => `${limit} ${who}`))

const junk = new Uint8Array(1024)

/** What is sent in one go, by number. */
const floods: Record<string, { limit: string; send: (connection: Connection) => (index: number) => void }> = {
  'streams that are opened and reset': {
    limit: 'streams',
    send: (connection) => {
      const muxer = muxerOf(connection)
      return (index) => {
        const streamID = 1_001 + 2 * index
        muxer.sendFrame({ type: types.windowUpdate, flag: flags.syn, streamID, length: 0 })
        muxer.sendFrame({ type: types.windowUpdate, flag: flags.rst, streamID, length: 0 })
      }
    }
  },
  'pings of the muxer': {
    limit: 'frames',
    send: (connection) => {
      const muxer = muxerOf(connection)
      // The answers are no protocol error to this one.
      Reflect.set(muxer, 'handlePing', () => {})
      return (index) => void muxer.sendFrame({ type: types.ping, flag: flags.syn, streamID: 0, length: index })
    }
  },
  'window updates for streams that are not there': {
    limit: 'frames',
    send: (connection) => (index) =>
      void muxerOf(connection).sendFrame({
        type: types.windowUpdate,
        flag: 0,
        streamID: 100_001 + 2 * index,
        length: 1
      })
  },
  'data for streams that are gone': {
    limit: 'frames',
    send: (connection) => () =>
      void muxerOf(connection).sendFrame(
        { type: types.data, flag: 0, streamID: 100_001, length: junk.byteLength },
        junk
      )
  }
}

/** The layers below the muxer: what is written there is not framed by it. */
const encryptionOf = (connection: Connection): Encryption => {
  const encryption: unknown = Reflect.get(muxerOf(connection), 'maConn')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Noise as libp2p has it
  return encryption as Encryption
}
interface Encryption {
  readonly stream: { send(data: Uint8Array): boolean }
  readonly handshake: { encrypt(data: Uint8Array): { subarray(): Uint8Array } }
}

const nothing = new Uint8Array(64 * 1024)

/** A frame that is announced with a length of 0 needs no key; the others are encrypted as they have to be. */
const emptyNoise: Record<string, { role: 'stranger' | 'integrated'; frame: (connection: Connection) => unknown }> = {
  'with nothing in them, by a stranger': {
    role: 'stranger',
    frame: (connection) => encryptionOf(connection).stream.send(nothing)
  },
  'with nothing in them, by a member': {
    role: 'integrated',
    frame: (connection) => encryptionOf(connection).stream.send(nothing)
  },
  'that decrypt to nothing': {
    role: 'integrated',
    frame: (connection) => {
      const { stream, handshake } = encryptionOf(connection)
      const frame = () => [0, 16, ...handshake.encrypt(new Uint8Array()).subarray()]
      stream.send(Uint8Array.from(Array.from({ length: 10 }, frame).flat()))
    }
  }
}

/** One more connection beside those that are open. */
const another = async (from: Host['host'], to: Host['host']): Promise<Connection> =>
  await from.dial(to.getMultiaddrs()[0] ?? to.peerId, { force: true })

describe('a connection that is flooded below any protocol', () => {
  for (const [what, { limit, send }] of Object.entries(floods)) {
    for (const role of ['integrated', 'stranger'] as const) {
      attack(`${what}, by a ${role === 'stranger' ? 'stranger' : 'member'}`, async () => {
        const at = await scene(role)
        const full = `connection.${role === 'stranger' ? (limit === 'streams' ? 'strangerStreams' : 'strangerFrames') : limit}`
        const sent = await floodOf(at.connection, most, send(at.connection))
        await closeOf(at.inbound)
        const seen = at.seen()
        expect(named(at)).toEqual([`${full} ${at.inbound.remotePeer.toString()}`])
        expect(seen).toBeLessThan(most)
        return { happened: `${sent} sent, ${seen} frames looked at, then disconnected and named`, held: full }
      })
    }
    control(`${what} are all looked at without the limits`, async () => {
      const at = await scene('stranger', lifted)
      const sent = await floodOf(at.connection, 20_000, send(at.connection))
      await expect.poll(() => at.seen(), { timeout: ceilingMs }).toBeGreaterThanOrEqual(sent)
      expect(named(at)).toEqual([])
    })
  }

  attack('streams that never say what they are for', async () => {
    const at = await scene('integrated')
    const { openStreams } = limitsWith().connection
    const muxer = muxerOf(at.connection)
    for (let opened = 0; opened < openStreams + 10; opened++) {
      muxer.sendFrame({ type: types.windowUpdate, flag: flags.syn, streamID: 1_001 + 2 * opened, length: 0 })
    }
    await expect.poll(() => named(at)).toEqual([`connection.openStreams ${at.inbound.remotePeer.toString()}`])
    const theirs = at.inbound.streams.filter(({ direction }) => direction === 'inbound')
    expect(theirs.length).toBeLessThanOrEqual(openStreams)
    return {
      happened: `${openStreams} of them open, the others reset, and named`,
      held: 'connection.openStreams'
    }
  })

  attack('streams of one key on all of its connections', async () => {
    const at = await scene('integrated', { connection: { openStreams: 20 } })
    const attacker = hosts[1]?.host ?? at.victim.host
    const connections = [at.connection]
    // One after the other: dials at the same time become one.
    while (connections.length < 4) connections.push(await another(attacker, at.victim.host))
    for (const connection of connections) {
      for (let opened = 0; opened < 10; opened++) {
        const streamID = 1_001 + 2 * opened
        muxerOf(connection).sendFrame({ type: types.windowUpdate, flag: flags.syn, streamID, length: 0 })
      }
    }
    await expect
      .poll(() => named(at), { timeout: ceilingMs })
      .toEqual([`connection.openStreams ${at.inbound.remotePeer.toString()}`])
    const theirs = at.victim.host.getConnections().flatMap(({ streams }) => streams)
    expect(theirs.filter(({ direction }) => direction === 'inbound').length).toBeLessThanOrEqual(20)
    return { happened: '40 on four connections: 20 open, the others reset, and named', held: 'connection.openStreams' }
  })

  for (const [what, { frame, role }] of Object.entries(emptyNoise)) {
    attack(`frames of Noise ${what}`, async () => {
      const at = await scene(role)
      await floodOf(at.connection, 1_000, () => void frame(at.connection))
      await closeOf(at.inbound)
      const limit = role === 'stranger' ? 'connection.strangerFrames' : 'connection.frames'
      expect(named(at)).toEqual([`${limit} ${at.inbound.remotePeer.toString()}`])
      return { happened: `disconnected and named after ${at.seen()} frames of the muxer`, held: limit }
    })

    control(`frames of Noise ${what} cost their sender nothing without the limit`, async () => {
      const at = await scene(role, lifted)
      await floodOf(at.connection, 20, () => void frame(at.connection))
      await at.connection.newStream('/ipfs/id/1.0.0').catch(() => undefined)
      expect([at.inbound.status, named(at)]).toEqual(['open', []])
    })
  }

  attack('lines of a negotiation without end', async () => {
    const at = await scene('integrated')
    const stream = await muxerOf(at.connection).createStream()
    stream.send(new TextEncoder().encode('\u0002a\n'.repeat(10_000)))
    await closeOf(at.inbound)
    expect(named(at)).toEqual([`connection.negotiationBytes ${at.inbound.remotePeer.toString()}`])
    return {
      happened: '10,000 protocols asked for on one stream: disconnected and named',
      held: 'connection.negotiationBytes'
    }
  })

  attack('a frame of 4 GiB that is announced and sent bit by bit', async () => {
    const at = await scene('integrated')
    const muxer = muxerOf(at.connection)
    const before = process.memoryUsage().rss
    muxer.sendFrame({ type: types.data, flag: flags.syn, streamID: 1_001, length: 2 ** 32 - 1 }, junk)
    const part = new Uint8Array(64 * 1024)
    let sent = 0
    while (at.connection.status === 'open' && sent < 256 * MiB) {
      muxer.sendFrame({ type: types.data, flag: 0, streamID: 1_001, length: part.byteLength }, part)
      sent += part.byteLength
      await new Promise(setImmediate)
    }
    await closeOf(at.inbound)
    expect(named(at)).toEqual([`connection.frameBytes ${at.inbound.remotePeer.toString()}`])
    const grown = Math.round((process.memoryUsage().rss - before) / MiB)
    return {
      happened: `cut off after its window, both processes together grew by ${grown} MiB`,
      held: 'connection.frameBytes'
    }
  })

  control('the muxer keeps such a frame as far as it came without the limit', async () => {
    const at = await scene('integrated', lifted)
    const muxer = muxerOf(at.connection)
    muxer.sendFrame({ type: types.data, flag: flags.syn, streamID: 1_001, length: 2 ** 32 - 1 }, junk)
    for (let sent = 0; sent < 64; sent++) {
      muxer.sendFrame({ type: types.data, flag: 0, streamID: 1_001, length: 2 ** 18 }, new Uint8Array(2 ** 18))
      await new Promise(setImmediate)
    }
    const kept = (): number =>
      Number(Reflect.get(Object(Reflect.get(Object(muxerOf(at.inbound)), 'decoder')), 'buffer').byteLength)
    await expect.poll(kept, { timeout: ceilingMs }).toBeGreaterThan(8 * MiB)
  })

  attack('a flood, and back again at once', async () => {
    const at = await scene('integrated')
    const { send } = floods['streams that are opened and reset'] ?? {}
    await floodOf(at.connection, most, send?.(at.connection) ?? (() => {}))
    await closeOf(at.inbound)
    const again = await connect(hosts[1]?.host ?? at.victim.host, at.victim.host).catch(() => undefined)
    if (again !== undefined) await closeOf(again)
    expect(at.victim.host.getConnections()).toEqual([])
    return {
      happened: 'the next connection of the key was closed before its first frame',
      held: 'connection.penaltyMs'
    }
  })

  test('a member that opens stream after stream, as members do, is not named', async () => {
    const at = await scene('integrated')
    for (let index = 0; index < 10; index++) {
      const stream = await at.connection.newStream('/ipfs/id/1.0.0').catch(() => undefined)
      stream?.abort(new Error('next'))
    }
    expect(named(at)).toEqual([])
    expect(at.inbound.status).toBe('open')
  })
})
