import type { Clock } from '../../../src/runtime/clock-and-logger.ts'

/** The real time, plus what a test adds. Nobody's deadlines jump: only the calendar does. */
export class WallClock implements Clock {
  #added = 0
  /** Word of a time service; undefined: there is none. */
  served: boolean | undefined

  add(ms: number): void {
    this.#added += ms
  }

  now(): number {
    return Date.now() + this.#added
  }

  isServed(): boolean | undefined {
    return this.served
  }

  monotonic(): number {
    return performance.now()
  }
}
