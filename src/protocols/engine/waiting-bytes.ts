import type { Connection, Stream } from '@libp2p/interface'
import type { ProtocolLimits } from './limits.ts'

/** Buffers of a stream, or of a layer below it. */
interface Buffers {
  readonly readBufferLength?: number
  readonly writeBufferLength?: number
  readonly decoder?: { readonly buffer?: { readonly byteLength: number } }
  /** The layer below: the encryption has the connection, which has the socket. */
  readonly stream?: Buffers
  readonly socket?: { readonly writableLength?: number }
}

/** The parts of a muxer that are used, to see what waits in it. */
export interface Layers extends Buffers {
  readonly streams: readonly Stream[]
  readonly maConn: Buffers
}

/** Bytes that came and were not taken, and those that were written and have not left. */
export interface Waiting {
  readonly arrived: number
  readonly leaving: number
}

/** Bytes that readers and writers of streams hold above libp2p. */
const held = new WeakMap<Stream, () => Waiting>()

/** Tells how to ask what is held for a stream. */
export const holds = (stream: Stream, waiting: () => Waiting): void => {
  held.set(stream, waiting)
}

/** Streams that have limits of their own. */
const apart = new WeakSet<Stream>()

/** Takes a stream out of what its peer may have open, and have waiting: whoever calls bounds both. */
export const countApart = (stream: Stream): void => {
  apart.add(stream)
}

export const isCountedApart = (stream: Stream): boolean => apart.has(stream)

/** Bytes that wait on a connection, in all its layers. */
export function waitingOn(muxer: Layers): Waiting {
  let { arrived, leaving } = buffered(muxer)
  const add = (more: Waiting | undefined): void => {
    arrived += more?.arrived ?? 0
    leaving += more?.leaving ?? 0
  }
  for (const stream of muxer.streams) {
    if (apart.has(stream)) continue
    add(buffered(stream))
    add(held.get(stream)?.())
  }
  for (let layer: Buffers | undefined = muxer.maConn; layer !== undefined; layer = layer.stream) {
    add(buffered(layer))
    leaving += layer.socket?.writableLength ?? 0
  }
  return { arrived, leaving }
}

const buffered = ({ readBufferLength = 0, writeBufferLength = 0, decoder }: Buffers): Waiting => ({
  arrived: readBufferLength + (decoder?.buffer?.byteLength ?? 0),
  leaving: writeBufferLength
})

const everyMs = 100
/** Bytes after which what waits is looked at once more in the same turn of the event loop. */
const everyBytes = 4 * 2 ** 20

interface Holder {
  readonly connections: Connection[]
  bytes: number
  arrived: number
}

/**
 * Budget of this process for bytes that wait, of all connections together: each peer has a share, and when all of it is used up, the one
 * that holds most goes first. Looks at connections on which something moves, until nothing waits on them.
 */
export class WaitingBytes {
  readonly #limits: ProtocolLimits['connection']
  readonly #cut: (connection: Connection, limit: string) => void
  readonly #active = new Map<Connection, Layers>()
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Immediate | undefined
  #since = 0

  constructor(limits: ProtocolLimits['connection'], cut: (connection: Connection, limit: string) => void) {
    this.#limits = limits
    this.#cut = cut
  }

  /** Counts bytes that came on the connection. */
  came(connection: Connection, muxer: Layers, bytes: number): void {
    this.#move(connection, muxer, bytes)
    if (this.#since > everyBytes) this.#look()
  }

  /** Counts bytes that go out on it. Whoever sends them goes on, so nobody is disconnected before the next turn. */
  goes(connection: Connection, muxer: Layers, bytes: number): void {
    this.#move(connection, muxer, bytes)
    if (this.#since > everyBytes) this.#soon ??= setImmediate(() => this.#look())
  }

  #move(connection: Connection, muxer: Layers, bytes: number): void {
    this.#active.set(connection, muxer)
    this.#timer ??= setTimeout(() => this.#look(), everyMs).unref()
    this.#since += bytes
  }

  #look(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#soon)
    this.#timer = undefined
    this.#soon = undefined
    this.#since = 0
    const holders = [...this.#holders().values()]
    this.#within(holders, 'arrived', 'arrivedBytes')
    this.#within(holders, 'bytes', 'waitingBytes')
    if (this.#active.size > 0) this.#timer ??= setTimeout(() => this.#look(), everyMs).unref()
  }

  /** Disconnects whoever is beyond its share, and then those that have most until all of them are within the budget. */
  #within(holders: Holder[], kind: 'arrived' | 'bytes', name: 'arrivedBytes' | 'waitingBytes'): void {
    let all = holders.reduce((sum, each) => sum + each[kind], 0)
    for (const holder of holders.toSorted((a, b) => b[kind] - a[kind])) {
      const isOverShare = holder[kind] > this.#limits[`${name}OfPeer`]
      if (!isOverShare && all <= this.#limits[name]) return
      for (const connection of holder.connections) {
        this.#cut(connection, `connection.${isOverShare ? `${name}OfPeer` : name}`)
      }
      all -= holder[kind]
      Object.assign(holder, { connections: [], bytes: 0, arrived: 0 })
    }
  }

  #holders(): Map<string, Holder> {
    const holders = new Map<string, Holder>()
    for (const [connection, muxer] of this.#active) {
      const { arrived, leaving } = connection.status === 'open' ? waitingOn(muxer) : { arrived: 0, leaving: 0 }
      if (arrived + leaving === 0) {
        this.#active.delete(connection)
        continue
      }
      const peer = connection.remotePeer.toString()
      const holder = holders.get(peer) ?? { connections: [], bytes: 0, arrived: 0 }
      holders.set(peer, holder)
      holder.connections.push(connection)
      holder.bytes += arrived + leaving
      holder.arrived += arrived
    }
    return holders
  }
}
