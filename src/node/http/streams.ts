import type { ServerResponse } from 'node:http'
import { LimitError } from '../../runtime/errors.ts'
import type { Exceeded } from './limits.ts'

interface Limits {
  /** Open event streams. */
  most: number
  /** For so long nobody takes the place of one. */
  turnMs: number
}

/**
 * Open event streams. When there are too many, the one that has been open for longest makes room, once it has had its turn: its reader, if it
 * reads at all, comes back and is told what it missed.
 */
export class Streams {
  readonly #limits: Limits
  readonly #exceeded: Exceeded
  /** When each was opened, monotonic ms; the oldest first. */
  readonly #open = new Map<ServerResponse, number>()

  constructor(limits: Limits, exceeded: Exceeded = () => {}) {
    this.#limits = limits
    this.#exceeded = exceeded
  }

  /** Gives a signal that fires when its reader is gone. @throws LimitError when there are too many */
  add(stream: ServerResponse): AbortSignal {
    if (this.#open.size >= this.#limits.most) this.#makeRoom(stream)
    const gone = new AbortController()
    this.#open.set(stream, performance.now())
    stream.once('close', () => {
      this.#open.delete(stream)
      gone.abort()
    })
    return gone.signal
  }

  #makeRoom(wanted: ServerResponse): void {
    this.#exceeded('http.streams', wanted.req.socket)
    const [oldest] = this.#open
    if (oldest === undefined || performance.now() - oldest[1] < this.#limits.turnMs)
      throw new LimitError('Too many event streams are open. Close one, or ask again later.')
    const [stream] = oldest
    this.#open.delete(stream)
    stream.req.socket.resetAndDestroy()
  }
}
