import { Gcra, type Rate } from '../protocols/engine/rate-limiter.ts'
import type { Clock } from '../runtime/clock-and-logger.ts'

/** Lines of one message, and those of them about one peer, so that nobody hides what is told of another. */
export const lineRates = {
  message: { count: 120, perMs: 60_000 },
  peer: { count: 30, perMs: 60_000 }
} as const satisfies Record<string, Rate>

/** Messages whose lines that were left out are counted. Few of them have a text of somebody else in them. */
const mostMessages = 1_000

/**
 * Limits of every line at info and above, whoever writes it: what others can cause they can cause without end, and would fill the disk
 * with it. The next line of a message says how many were left out.
 */
export class LineLimits {
  readonly #messages: Gcra
  readonly #peers: Gcra
  readonly #leftOut = new Map<string, number>()

  constructor(clock?: Clock) {
    const options = clock === undefined ? {} : { clock }
    this.#messages = new Gcra(lineRates.message, options)
    this.#peers = new Gcra(lineRates.peer, options)
  }

  /** Number of lines of this message that were left out before this one; undefined: this one is left out, too. */
  take(message: string, peer: string | undefined): number | undefined {
    const leftOut = this.#leftOut.get(message) ?? 0
    this.#leftOut.delete(message)
    const isOver =
      (peer !== undefined && this.#peers.take(`${peer} ${message}`) > 0) || this.#messages.take(message) > 0
    if (!isOver) return leftOut
    this.#leftOut.set(message, leftOut + 1)
    const [oldest] = this.#leftOut.keys()
    if (this.#leftOut.size > mostMessages && oldest !== undefined) this.#leftOut.delete(oldest)
    return undefined
  }
}
