import { within } from '../../runtime/abort.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'

/** Time in which one connection is opened, at one member after another. What waits for its turn uses none of it. */
export class OpeningTime {
  leftMs: number
  readonly #clock: Clock

  constructor(ms: number, clock: Clock) {
    this.leftMs = ms
    this.#clock = clock
  }

  /** Calls it with a signal that fires after so many ms, and when no time is left. */
  async use<T>(mostMs: number, given: AbortSignal, open: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const from = this.#clock.monotonic()
    try {
      return await open(within(Math.min(mostMs, this.leftMs), given))
    } finally {
      this.leftMs = Math.max(0, this.leftMs - (this.#clock.monotonic() - from))
    }
  }
}
