import { Gcra, type Rate } from '../protocols/engine/rate-limiter.ts'
import type { Clock } from '../runtime/clock-and-logger.ts'

/**
 * Lines of one message, and those of them about one peer, so that nobody hides what is told of another. The first line about each peer in
 * a minute is counted apart: a few of which each has its thirty take the place of none of these.
 */
export const lineRates = {
  message: { count: 120, perMs: 60_000 },
  peer: { count: 30, perMs: 60_000 },
  first: { count: 1, perMs: 60_000 },
  firsts: { count: 120, perMs: 60_000 }
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
  readonly #first: Gcra
  readonly #firsts: Gcra
  readonly #leftOut = new Map<string, number>()

  constructor(clock?: Clock) {
    const options = clock === undefined ? {} : { clock }
    this.#messages = new Gcra(lineRates.message, options)
    this.#peers = new Gcra(lineRates.peer, options)
    this.#first = new Gcra(lineRates.first, options)
    this.#firsts = new Gcra(lineRates.firsts, options)
  }

  /** Number of lines of this message that were left out before this one; undefined: this one is left out, too. */
  take(message: string, peer: string | undefined): number | undefined {
    const leftOut = this.#leftOut.get(message) ?? 0
    this.#leftOut.delete(message)
    if (this.#takes(message, peer)) return leftOut
    this.#leftOut.set(message, leftOut + 1)
    const [oldest] = this.#leftOut.keys()
    if (this.#leftOut.size > mostMessages && oldest !== undefined) this.#leftOut.delete(oldest)
    return undefined
  }

  #takes(message: string, peer: string | undefined): boolean {
    if (peer === undefined) return this.#messages.take(message) === 0
    const about = `${peer} ${message}`
    if (this.#peers.take(about) > 0) return false
    const lines = this.#first.take(about) === 0 ? this.#firsts : this.#messages
    return lines.take(message) === 0
  }
}
