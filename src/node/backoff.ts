import type { Config } from './config/schema.ts'

/** Full jitter: a random part of a delay that doubles, so that a thousand nodes do not come back together. */
export interface BackoffInit {
  initialMs: number
  maxMs: number
  multiplier: number
  random?: () => number
}

/** Endless; the first delay after `reset` is a part of `initialMs`. */
export class Backoff {
  #attempt = 0
  readonly #init: BackoffInit

  constructor(init: BackoffInit) {
    this.#init = init
  }

  get attempt(): number {
    return this.#attempt
  }

  /** ms to wait before the next attempt. */
  next(): number {
    const { initialMs, maxMs, multiplier, random = Math.random } = this.#init
    const ceiling = Math.min(maxMs, initialMs * multiplier ** this.#attempt)
    this.#attempt++
    return Math.round(random() * ceiling)
  }

  reset(): void {
    this.#attempt = 0
  }
}

/** As the configuration says. */
export const backoffOf = ({ replication }: Pick<Config, 'replication'>): BackoffInit => ({
  initialMs: replication.backoffInitialMs,
  maxMs: replication.backoffMaxMs,
  multiplier: replication.backoffMultiplier
})
