import type { Clock } from '../../runtime/clock-and-logger.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'

/** `count` at once, given back evenly over `perMs`. */
export interface Rate {
  readonly count: number
  readonly perMs: number
}

export interface GcraOptions {
  clock?: Clock
  /** Keys remembered at most. The one that came first is forgotten beyond it, which only makes its limit milder. */
  maxKeys?: number
}

/** As many as a registry has connections, so that no open connection's key is pushed out. */
const defaultMaxKeys = 16_384

/**
 * Generic cell rate algorithm on the monotonic clock: one number per key, the time at which its allowance is full again.
 * https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class Gcra {
  readonly #rate: Rate
  readonly #clock: Clock
  readonly #maxKeys: number
  readonly #fullAt = new Map<string, number>()
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(rate: Rate, options: GcraOptions = {}) {
    this.#rate = rate
    this.#clock = options.clock ?? systemClock
    this.#maxKeys = options.maxKeys ?? defaultMaxKeys
  }

  get size(): number {
    return this.#fullAt.size
  }

  /** Takes one. 0: allowed; else the ms to wait, and nothing was taken. */
  take(key: string): number {
    const now = this.#clock.monotonic()
    const fullAt = this.#next(key, now)
    const waitMs = this.#waitMs(fullAt, now)
    if (waitMs > 0) return waitMs
    if (this.#fullAt.size >= this.#maxKeys && !this.#fullAt.has(key)) this.#makeRoom(now)
    this.#fullAt.set(key, fullAt)
    return 0
  }

  /** Gives what `take` would answer, without taking. */
  peek(key: string): number {
    const now = this.#clock.monotonic()
    return this.#waitMs(this.#next(key, now), now)
  }

  /** Takes so many in any case, also of what is not there yet. Gives the ms until all of it would have been. */
  charge(key: string, count: number): number {
    const now = this.#clock.monotonic()
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + (count * this.#rate.perMs) / this.#rate.count
    if (this.#fullAt.size >= this.#maxKeys && !this.#fullAt.has(key)) this.#makeRoom(now)
    this.#fullAt.set(key, fullAt)
    return this.#waitMs(fullAt, now)
  }

  delete(key: string): void {
    this.#fullAt.delete(key)
  }

  #next(key: string, now: number): number {
    return Math.max(this.#fullAt.get(key) ?? now, now) + this.#rate.perMs / this.#rate.count
  }

  #waitMs(fullAt: number, now: number): number {
    const over = fullAt - now - this.#rate.perMs
    // Sums of perMs / count are not exact: an allowance of 3 must not end at 2.9999.
    return over > 1e-6 ? Math.max(1, Math.ceil(over)) : 0
  }

  #makeRoom(now: number): void {
    if (now - this.#sweptAt >= this.#rate.perMs) {
      this.#sweptAt = now
      for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key)
    }
    while (this.#fullAt.size >= this.#maxKeys) {
      const first = this.#fullAt.keys().next()
      if (first.done) return
      this.#fullAt.delete(first.value)
    }
  }
}
