import type { MultiaddrConnection, PeerId } from '@libp2p/interface'

/** The two counters of a TCP socket that are shown to people. */
interface Counters {
  readonly bytesRead: number
  readonly bytesWritten: number
}

/** Bytes over the wire by peer, read from the sockets when asked: nothing is counted per message. */
export class Traffic {
  readonly #sockets = new Map<string, Set<Counters>>()

  /** A connection of a proven key begins. */
  add(peerId: PeerId, connection: MultiaddrConnection): void {
    const socket = socketOf(connection)
    if (socket === undefined) return
    const id = peerId.toString()
    const sockets = this.#sockets.get(id) ?? new Set()
    this.#sockets.set(id, sockets.add(socket))
    connection.addEventListener('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0 && this.#sockets.get(id) === sockets) this.#sockets.delete(id)
    })
  }

  /** Bytes of the connections that are open now. */
  of(peerId: string): { bytesIn: number; bytesOut: number } | undefined {
    const sockets = this.#sockets.get(peerId)
    if (sockets === undefined) return undefined
    let bytesIn = 0
    let bytesOut = 0
    for (const { bytesRead, bytesWritten } of sockets) {
      bytesIn += bytesRead
      bytesOut += bytesWritten
    }
    return { bytesIn, bytesOut }
  }
}

/** @libp2p/tcp keeps the socket in a field that its type does not name. */
const socketOf = (connection: MultiaddrConnection): Counters | undefined =>
  'socket' in connection && isCounters(connection.socket) ? connection.socket : undefined

const isCounters = (value: unknown): value is Counters =>
  typeof value === 'object' &&
  value !== null &&
  'bytesRead' in value &&
  typeof value.bytesRead === 'number' &&
  'bytesWritten' in value &&
  typeof value.bytesWritten === 'number'
