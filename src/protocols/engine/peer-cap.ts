import type { Connection } from '@libp2p/interface'

/**
 * Bounds with how many peers a service deals: those that came first. The others wait, connected but unknown to the service, until the
 * last connection of one is closed. Bounded by the connections.
 */
export class PeerCap {
  readonly #most: number
  /** Ids of the open connections of each peer that is inside. */
  readonly #inside = new Map<string, Set<string>>()
  /** Work for when there is room, by connection and by who wants it. */
  readonly #waiting = new Map<string, Map<object, () => void>>()

  constructor(most: number) {
    this.#most = most
  }

  /** Tells whether the peer is inside; it goes there if there is room. */
  enter(connection: Connection): boolean {
    const peer = connection.remotePeer.toString()
    const open = this.#inside.get(peer)
    if (open?.has(connection.id) === true) return true
    if (connection.status !== 'open' || (open === undefined && this.#inside.size >= this.#most)) return false
    if (open === undefined) this.#inside.set(peer, new Set([connection.id]))
    else open.add(connection.id)
    connection.addEventListener('close', () => this.#leave(peer, connection.id), { once: true })
    return true
  }

  /** Calls back when there is room again, once for each `who`. */
  wait(connection: Connection, who: object, retry: () => void): void {
    if (connection.status !== 'open') return
    const waiting = this.#waiting.get(connection.id)
    if (waiting !== undefined) {
      waiting.set(who, retry)
      return
    }
    this.#waiting.set(connection.id, new Map([[who, retry]]))
    connection.addEventListener('close', () => this.#waiting.delete(connection.id), { once: true })
  }

  #leave(peer: string, connectionId: string): void {
    const open = this.#inside.get(peer)
    open?.delete(connectionId)
    if (open === undefined || open.size > 0) return
    this.#inside.delete(peer)
    for (const [id, waiting] of this.#waiting) {
      if (this.#inside.size >= this.#most) return
      this.#waiting.delete(id)
      for (const retry of waiting.values()) retry()
    }
  }
}
