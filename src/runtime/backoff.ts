import { type Clock, systemClock } from './clock-and-logger.ts'

/**
 * Full jitter: a random part of a ceiling, so that a thousand nodes do not come back together. The ceiling follows the time that nobody has
 * answered, not the number of tries: nobody is away for much longer than what it waits for.
 */
export interface BackoffInit {
  /** The least ceiling. */
  initialMs: number
  maxMs: number
  /** Factor by which one pause may lengthen the time that nobody has answered. */
  multiplier: number
  /** Number of those that lost the same one in the same moment: the ceiling leaves it time for each of them. */
  others?: () => number
  random?: () => number
  clock?: Pick<Clock, 'monotonic'>
}

/** A registry spends 7 ms of CPU on a member that comes back: handshake, hello, registration. */
const perOtherMs = 10

/** Endless; the first delay after `reset` is a part of the least ceiling. */
export class Backoff {
  #attempt = 0
  #since = 0
  readonly #init: BackoffInit

  constructor(init: BackoffInit) {
    this.#init = init
  }

  get attempt(): number {
    return this.#attempt
  }

  /** ms to wait before the next attempt. */
  next(): number {
    const { initialMs, maxMs, multiplier, others, random = Math.random, clock = systemClock } = this.#init
    const now = clock.monotonic()
    if (this.#attempt++ === 0) this.#since = now
    const least = Math.max(initialMs, (others?.() ?? 0) * perOtherMs)
    const ceiling = Math.min(maxMs, Math.max(least, (now - this.#since) * (multiplier - 1)))
    return Math.round(random() * ceiling)
  }

  reset(): void {
    this.#attempt = 0
  }
}
