import type { LivenessTimings } from './timings.ts'

export type Verdict = 'hold' | 'offline' | 'unconfirmed'

/**
 * Judges whether silence is the members' fault or our own. Times are awake times (see AwakeTime).
 *
 * Doubt begins with a restart and with a mass of leases that lapse together; while it lasts nobody is called offline. It ends when a
 * session answers. If that session had been answering all along, the uplink was never gone and the silent ones are judged at once;
 * if it is a new one, the uplink may have just come back and the others get the time of a lease to come back too.
 */
export class LocalHealth {
  readonly #timings: LivenessTimings
  #reason: string | undefined
  #graceUntil = Number.NEGATIVE_INFINITY
  #trustedUntil = Number.NEGATIVE_INFINITY
  #lapses: { at: number; count: number }[] = []

  constructor(timings: LivenessTimings) {
    this.#timings = timings
  }

  /** The reason why this registry doubts itself; undefined when it does not. */
  get reason(): string | undefined {
    return this.#reason
  }

  begin(reason: string): void {
    this.#reason = reason
    this.#lapses = []
  }

  /**
   * Counts leases that lapsed at one look. `dueSoon` are those of silent members that would follow within the window, `others` all
   * that have not lapsed.
   *
   * @returns whether doubt begins with them
   */
  lapse(look: { at: number; lapsed: number; dueSoon: number; others: number }): boolean {
    if (this.#reason !== undefined || look.at < this.#trustedUntil) return false
    const { massWindowMs, massLeases, massShare } = this.#timings
    const recent = this.#lapses.filter(({ at }) => look.at - at < massWindowMs)
    const before = recent.reduce((sum, { count }) => sum + count, 0)
    this.#lapses = [...recent, { at: look.at, count: look.lapsed }]
    const most = look.lapsed + Math.max(before, look.dueSoon)
    if (most <= Math.max(massLeases, massShare * (look.others + look.lapsed + before))) return false
    this.begin(`${most} leases run out within ${Math.round(massWindowMs / 100) / 10} s`)
    return true
  }

  /** A session answered. @returns true when doubt ends with it */
  proof(at: number, kind: 'continuous' | 'new'): boolean {
    if (this.#reason === undefined) return false
    this.#reason = undefined
    if (kind === 'new') this.#graceUntil = at + this.#timings.leaseMs
    return true
  }

  /** An operator's word that the silence is the members' own: neither doubt nor grace until the time of a lease has passed. */
  trust(at: number): void {
    this.#reason = undefined
    this.#lapses = []
    this.#graceUntil = Number.NEGATIVE_INFINITY
    this.#trustedUntil = at + this.#timings.leaseMs
  }

  verdict(at: number, lapsedAt: number): Verdict {
    if (this.#reason === undefined) return at < this.#graceUntil ? 'hold' : 'offline'
    return at - lapsedAt >= this.#timings.unconfirmedLeases * this.#timings.leaseMs ? 'unconfirmed' : 'hold'
  }
}
