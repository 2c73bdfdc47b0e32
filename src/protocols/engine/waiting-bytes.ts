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

/** Bytes that readers and writers of streams hold above libp2p. */
const held = new WeakMap<Stream, () => number>()

/** Tells how to ask what is held for a stream. */
export const holds = (stream: Stream, bytes: () => number): void => {
  held.set(stream, bytes)
}

/** Bytes of a connection that came and were not taken, or were written and have not left. */
export function waitingOn(muxer: Layers): number {
  let bytes = buffered(muxer)
  for (const stream of muxer.streams) bytes += buffered(stream) + (held.get(stream)?.() ?? 0)
  for (let layer: Buffers | undefined = muxer.maConn; layer !== undefined; layer = layer.stream) {
    bytes += buffered(layer) + (layer.socket?.writableLength ?? 0)
  }
  return bytes
}

const buffered = ({ readBufferLength = 0, writeBufferLength = 0, decoder }: Buffers): number =>
  readBufferLength + writeBufferLength + (decoder?.buffer?.byteLength ?? 0)

const everyMs = 100
/** Bytes after which what waits is looked at once more in the same turn of the event loop. */
const everyBytes = 4 * 2 ** 20

interface Holder {
  readonly connections: Connection[]
  bytes: number
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
    const holders = [...this.#holders()].toSorted(([, a], [, b]) => b.bytes - a.bytes)
    let all = holders.reduce((sum, [, { bytes }]) => sum + bytes, 0)
    for (const [, { bytes, connections }] of holders) {
      const limit = this.#exceeded(all, bytes)
      if (limit === undefined) break
      for (const connection of connections) this.#cut(connection, limit)
      all -= bytes
    }
    if (this.#active.size > 0) this.#timer ??= setTimeout(() => this.#look(), everyMs).unref()
  }

  #exceeded(all: number, ofPeer: number): string | undefined {
    if (ofPeer > this.#limits.waitingBytesOfPeer) return 'connection.waitingBytesOfPeer'
    return all > this.#limits.waitingBytes ? 'connection.waitingBytes' : undefined
  }

  #holders(): Map<string, Holder> {
    const holders = new Map<string, Holder>()
    for (const [connection, muxer] of this.#active) {
      const bytes = connection.status === 'open' ? waitingOn(muxer) : 0
      if (bytes === 0) {
        this.#active.delete(connection)
        continue
      }
      const peer = connection.remotePeer.toString()
      const holder = holders.get(peer) ?? { connections: [], bytes: 0 }
      holders.set(peer, holder)
      holder.connections.push(connection)
      holder.bytes += bytes
    }
    return holders
  }
}
