/** Time for which a service that failed must pass before it is called passing again; it doubles each time. */
export const firstHoldMs = 10_000
export const longestHoldMs = 600_000
/** After so long without a failure it begins with the first one again. */
export const calmMs = 3_600_000
/** A failure counts when the check that follows it so soon fails, too. */
export const confirmMs = 1_000

export type Checked = 'unknown' | 'passing' | 'failing'

/**
 * State of a service by its checks, with hold-down: each change becomes a record of the node, so one that flaps is failing until it has passed for a
 * while, and for longer each time. That is at most 22 changes in the first hour and 12 in each that follows.
 */
export class CheckState {
  #state: Checked = 'unknown'
  #holdMs = firstHoldMs / 2
  /** Failures in a row. */
  #failures = 0
  #passingSince = 0

  get state(): Checked {
    return this.#state
  }

  /** Takes the result of a check. Gives the time after which the next one decides something; undefined: at its usual time. */
  note(passed: boolean, now: number): number | undefined {
    return passed ? this.#passed(now) : this.#failed()
  }

  #passed(now: number): number | undefined {
    if (this.#failures > 0 || this.#state === 'unknown') this.#passingSince = now
    this.#failures = 0
    const passingMs = now - this.#passingSince
    if (this.#state === 'failing' && passingMs < this.#holdMs) return this.#holdMs - passingMs
    this.#state = 'passing'
    if (passingMs >= calmMs) this.#holdMs = firstHoldMs / 2
    return undefined
  }

  #failed(): number | undefined {
    this.#failures++
    if (this.#state === 'passing') {
      if (this.#failures < 2) return confirmMs
      this.#holdMs = Math.min(longestHoldMs, this.#holdMs * 2)
    }
    this.#state = 'failing'
    return undefined
  }
}
