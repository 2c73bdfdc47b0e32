import { type Clock, momentOf, wallTimeOf } from '../../runtime/clock-and-logger.ts'
import type { Warning } from '../api/views.ts'

/** A warning as it holds now, without its history. */
export type Notice = Omit<Warning, 'sinceMs' | 'acknowledged'> & Partial<Pick<Warning, 'sinceMs' | 'acknowledged'>>

/** Remembers since when each warning holds and which the operator has seen; one that ended and comes back is new. */
export class Notices {
  readonly #since = new Map<string, number>()
  readonly #acknowledged = new Set<string>()

  /** All that hold now, alarms first. */
  mark(notices: readonly Notice[], clock: Clock): Warning[] {
    const at = momentOf(clock)
    const codes = new Set(notices.map(({ code }) => code))
    for (const code of this.#since.keys()) if (!codes.has(code)) this.#since.delete(code)
    for (const code of this.#acknowledged) if (!codes.has(code)) this.#acknowledged.delete(code)
    const warnings = notices.map((notice): Warning => {
      const sinceAt = this.#since.get(notice.code) ?? at
      this.#since.set(notice.code, sinceAt)
      const sinceMs = notice.sinceMs ?? wallTimeOf(clock, sinceAt)
      return { ...notice, sinceMs, acknowledged: notice.acknowledged ?? this.#acknowledged.has(notice.code) }
    })
    return warnings.toSorted((a, b) => Number(b.level === 'alarm') - Number(a.level === 'alarm'))
  }

  /** false: no such warning holds, as far as the last look tells. */
  acknowledge(code: string): boolean {
    if (!this.#since.has(code)) return false
    this.#acknowledged.add(code)
    return true
  }
}
