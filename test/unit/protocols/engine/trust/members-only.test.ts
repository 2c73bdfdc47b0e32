import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { afterEach, describe, expect, it } from 'vitest'
import { yamuxInit } from '../../../../../src/node/host/libp2p.ts'
import { limitsWith } from '../../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../../src/protocols/engine/trust/connection-trust.ts'
import { type MembersOnlyOptions, membersOnly } from '../../../../../src/protocols/engine/trust/members-only.ts'
import { connect, connectionWith, startHost, startPlainHost, withSockets } from '../../../../helpers/hosts.ts'

withSockets()

const protocol = '/test/members/1.0.0'
const member = { publicKey: new Uint8Array(32), name: 'a', role: 'integrated' } as const
const hosts: Libp2p[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map(async (host) => host.stop()))
})

interface TestComponents {
  registrar: Registrar
  connectionManager: ConnectionManager
}

/** A service like gossipsub: a handler, a topology, streams of its own. */
class Neighbours {
  readonly connected: string[] = []
  readonly disconnected: string[] = []
  readonly streams: Connection[] = []
  /** Bytes, by the peer that sent them. */
  readonly received = new Map<string, number>()
  onChange: () => void = () => {}
  readonly components: TestComponents

  constructor(components: TestComponents) {
    this.components = components
  }

  async start(): Promise<void> {
    await this.components.registrar.handle(protocol, (stream, connection) => {
      this.streams.push(connection)
      const peer = connection.remotePeer.toString()
      stream.addEventListener('message', ({ data }) => {
        this.received.set(peer, (this.received.get(peer) ?? 0) + data.byteLength)
        this.onChange()
      })
      stream.send(Uint8Array.of(1))
    })
    await this.components.registrar.register(protocol, {
      onConnect: (peerId) => this.#note(this.connected, peerId),
      onDisconnect: (peerId) => this.#note(this.disconnected, peerId)
    })
  }

  async stop(): Promise<void> {
    await this.components.registrar.unhandle(protocol)
  }

  #note(list: string[], peerId: PeerId): void {
    list.push(peerId.toString())
    this.onChange()
  }
}

async function pair(settleMs = 100, options: MembersOnlyOptions = {}) {
  const trust = new ConnectionTrust({ limits: limitsWith().strangers, settleMs })
  const neighbours = membersOnly(trust, (components: TestComponents) => new Neighbours(components), options)
  const guarded = await startHost({ neighbours }, { muxer: yamuxInit })
  const other = await startPlainHost()
  hosts.push(guarded, other)
  await other.handle(protocol, (stream) => {
    stream.send(Uint8Array.of(2))
  })
  return { trust, guarded, other, neighbours: guarded.services.neighbours }
}

const identified = (host: Libp2p) =>
  new Promise<void>((resolve) => host.addEventListener('peer:identify', () => resolve(), { once: true }))

const firstBytes = async (connection: Connection) => {
  const stream = await connection.newStream(protocol)
  return new Promise<string>((resolve) => {
    if (stream.status !== 'open') resolve('reset')
    stream.addEventListener('message', () => resolve('served'), { once: true })
    stream.addEventListener('close', () => resolve('reset'), { once: true })
  })
}

describe('a service for members alone', () => {
  it('resets the streams of strangers and serves those of members', async () => {
    const { trust, guarded, other } = await pair()
    const connection = await connect(other, guarded)
    expect(await firstBytes(connection)).toBe('reset')
    trust.prove(await connectionWith(guarded, other), member)
    expect(await firstBytes(connection)).toBe('served')
  })

  it('lets a stream wait that overtakes the verdict on its connection', async () => {
    const { trust, guarded, other } = await pair(5_000)
    const connection = await connect(other, guarded)
    const early = firstBytes(connection)
    trust.prove(await connectionWith(guarded, other), member)
    expect(await early).toBe('served')
  })

  it('resets a waiting stream at once when the verdict is that of a stranger', async () => {
    const { trust, guarded, other } = await pair(60_000)
    const connection = await connect(other, guarded)
    const early = firstBytes(connection)
    const inbound = await connectionWith(guarded, other)
    trust.track(inbound)
    trust.judgedStranger(inbound)
    expect(await early).toBe('reset')
  })

  it('hears of a peer when it is identified and proven, whichever comes last, and of its end only then', async () => {
    const { trust, guarded, other, neighbours } = await pair()
    const known = identified(guarded)
    await connect(other, guarded)
    await known
    const inbound = await connectionWith(guarded, other)
    trust.track(inbound)
    expect(neighbours.connected).toEqual([])
    trust.prove(inbound, member)
    expect(neighbours.connected).toEqual([other.peerId.toString()])
    const gone = new Promise<void>((resolve) => {
      neighbours.onChange = resolve
    })
    await other.hangUp(guarded.peerId)
    await gone
    expect(neighbours.disconnected).toEqual([other.peerId.toString()])
    const stranger = await startPlainHost()
    hosts.push(stranger)
    await stranger.handle(protocol, () => {})
    const again = identified(guarded)
    await connect(stranger, guarded)
    await again
    const left = new Promise((resolve) => guarded.addEventListener('peer:disconnect', resolve, { once: true }))
    await stranger.hangUp(guarded.peerId)
    await left
    expect(neighbours.connected).toHaveLength(1)
    expect(neighbours.disconnected).toHaveLength(1)
  })

  it('opens streams of its own only to members', async () => {
    const { trust, guarded, other, neighbours } = await pair()
    const connection = await connect(guarded, other)
    const open = () => neighbours.components.connectionManager.openStream(other.peerId, protocol)
    await expect(open()).rejects.toThrow('has not proved membership')
    trust.prove(connection, member)
    expect((await open()).protocol).toBe(protocol)
    expect(neighbours.components.connectionManager.getConnections()).toHaveLength(1)
  })

  it('deals with as many members as it may, and with the next one when one leaves; registries always get in', async () => {
    const { trust, guarded, other, neighbours } = await pair(100, { most: 1 })
    const members = [other, await startPlainHost(), await startPlainHost()] as const
    hosts.push(members[1], members[2])
    for (const host of members.slice(1)) await host.handle(protocol, () => {})
    const join = async (host: Libp2p, role: 'integrated' | 'secondary') => {
      const known = identified(guarded)
      const connection = await connect(host, guarded)
      await known
      trust.prove(await connectionWith(guarded, host), { ...member, role })
      return connection
    }
    const first = await join(members[0], 'integrated')
    const second = await join(members[1], 'integrated')
    const third = await join(members[2], 'secondary')
    const [a, b, c] = members.map(({ peerId }) => peerId.toString())
    expect(await firstBytes(first)).toBe('served')
    expect(await firstBytes(second)).toBe('reset')
    expect(await firstBytes(third)).toBe('served')
    expect(neighbours.connected).toEqual([a, c])
    const entered = new Promise<void>((resolve) => {
      neighbours.onChange = () => neighbours.connected.length === 3 && resolve()
    })
    await members[0].hangUp(guarded.peerId)
    await entered
    expect(neighbours.connected).toEqual([a, c, b])
    expect(await firstBytes(second)).toBe('served')
  })

  it('has the place of a member back that libp2p has forgotten when it goes', async () => {
    const { trust, guarded, other } = await pair(100, { most: 1 })
    const silent = await startPlainHost()
    hosts.push(silent)
    const first = await connect(silent, guarded)
    const inbound = await connectionWith(guarded, silent)
    trust.prove(inbound, member)
    expect(await firstBytes(first)).toBe('served')
    const gone = new Promise((resolve) => inbound.addEventListener('close', resolve, { once: true }))
    // As happens to one that is revoked: then no topology hears of its end.
    await guarded.peerStore.delete(silent.peerId)
    await silent.hangUp(guarded.peerId)
    await gone
    const second = await connect(other, guarded)
    trust.prove(await connectionWith(guarded, other), member)
    expect(await firstBytes(second)).toBe('served')
  })

  it('is given of one member what it can look at, on all its streams together, and loses nothing; others do not wait', async () => {
    const { trust, guarded, other, neighbours } = await pair(100, {
      bounds: { section: 'test', inbound: { count: 64, perMs: 2_000 } }
    })
    const third = await startPlainHost()
    hosts.push(third)
    const [many, few] = [128 * 1024, 32 * 1024]
    const ids = [other, third].map(({ peerId }) => peerId.toString())
    const done: string[] = []
    const both = new Promise<void>((resolve) => {
      neighbours.onChange = () => {
        const [greedy = '', modest = ''] = ids
        if (neighbours.received.get(greedy) === many && !done.includes('greedy')) done.push('greedy')
        if (neighbours.received.get(modest) === few && !done.includes('modest')) done.push('modest')
        if (done.length === 2) resolve()
      }
    })
    const sends = async (from: Libp2p, streams: number, bytes: number): Promise<void> => {
      const connection = await connect(from, guarded)
      trust.prove(await connectionWith(guarded, from), member)
      for (let made = 0; made < streams; made++) {
        const stream = await connection.newStream(protocol)
        stream.send(new Uint8Array(bytes / streams))
      }
    }
    await sends(other, 4, many)
    await sends(third, 1, few)
    await both
    expect(done).toEqual(['modest', 'greedy'])
  })

  it('holds a member back that sends more than it can keep, and loses nothing', async () => {
    const { trust, guarded, other, neighbours } = await pair(100, {
      bounds: { section: 'test', inbound: { count: 1_024, perMs: 200 } }
    })
    const [all, piece] = [10 * 2 ** 20, 64 * 1024]
    const connection = await connect(other, guarded)
    trust.prove(await connectionWith(guarded, other), member)
    const stream = await connection.newStream(protocol)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    neighbours.onChange = () => {
      if (neighbours.received.get(other.peerId.toString()) === all) resolve()
    }
    stream.addEventListener('close', () => reject(new Error('the stream was reset')))
    for (let sent = 0; sent < all; sent += piece) stream.send(new Uint8Array(piece))
    await promise
  })
})
