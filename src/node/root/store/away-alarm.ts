import type { Alarms } from '../../../registry/alarms.ts'
import type { Clock } from '../../../runtime/clock-and-logger.ts'
import type { SeatView } from './seat-view.ts'

/** A database that starts anew, or hands over to its standby, is no alarm. */
const patienceMs = 60_000

/** Raises the alarm when the database of the log is away for long, once each time. */
export class AwayAlarm {
  readonly #clock: Clock
  #raisedFor: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  look({ store, failure }: SeatView, alarms: Pick<Alarms, 'raise'>): void {
    if (failure === undefined || failure.sinceMs === this.#raisedFor) return
    if (this.#clock.now() - failure.sinceMs < patienceMs) return
    this.#raisedFor = failure.sinceMs
    const waiting = 'nobody is admitted, renewed or removed until it answers'
    alarms.raise('root_store_away', `the database that keeps the log is not reached: ${failure.message}; ${waiting}`, {
      store
    })
  }
}
