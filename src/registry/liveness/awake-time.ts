/**
 * The time during which this process was awake to hear others. It follows the monotonic clock, but of a gap between two ticks that
 * is longer than `stallMs` (blocked event loop, SIGSTOP, suspended machine) only `stallMs` count. Silence measured on it is silence
 * of the other side: nobody's lease runs out while we could not have heard a heartbeat.
 */
export class AwakeTime {
  readonly #stallMs: number
  #tickedAt: number
  #elapsed = 0

  constructor(stallMs: number, now: number) {
    this.#stallMs = stallMs
    this.#tickedAt = now
  }

  at(now: number): number {
    return this.#elapsed + Math.min(Math.max(0, now - this.#tickedAt), this.#stallMs)
  }

  /** Tells whether this process stood still since the last tick. */
  stalled(now: number): boolean {
    return now - this.#tickedAt > this.#stallMs
  }

  tick(now: number): void {
    this.#elapsed = this.at(now)
    this.#tickedAt = now
  }
}

/** Clocks of one process. */
export interface LivenessTime {
  readonly awake: AwakeTime
  /** Monotonic ms. */
  readonly now: () => number
  /** Ms of the wall clock. */
  readonly wall: () => number
}
