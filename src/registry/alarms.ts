import type { TypedEventTarget } from 'main-event'
import type { Clock, Logger } from '../runtime/clock-and-logger.ts'
import { NotFoundError } from '../runtime/errors.ts'
import { type AlarmRow, AlarmTable } from './store/alarm-table.ts'
import { type Database, peekDatabase } from './store/database.ts'
import type { GroupCommit } from './store/group-commit.ts'

/** Codes are words of this program, so this only guards against a mistake in it. */
const maxAlarms = 256
/** A condition that goes on is written to the log once in this time. */
const repeatMs = 60_000

export interface Alarm {
  /** Fixed, like `log_fork`. */
  code: string
  /** The failure, its reason, and what to do. */
  message: string
  fields: Record<string, unknown>
  /** When it was first raised since it was last acknowledged. */
  sinceMs: number
  lastMs: number
  times: number
  acknowledged: boolean
}

export interface AlarmEvents {
  /** Not told again before it was acknowledged. */
  alarm: CustomEvent<Alarm>
}

export interface AlarmsComponents {
  db: Database
  commit: GroupCommit
  clock: Clock
  logger: Logger
  events: TypedEventTarget<AlarmEvents>
}

/** Things an operator must see: each stays until it is acknowledged, also over a restart. */
export class Alarms {
  readonly #components: AlarmsComponents
  readonly #table: AlarmTable
  readonly #alarms = new Map<string, Alarm>()
  readonly #loggedAt = new Map<string, number>()

  constructor(components: AlarmsComponents) {
    this.#components = components
    this.#table = new AlarmTable(components.db)
    for (const row of this.#table.list()) this.#alarms.set(row.code, alarmOf(row))
  }

  /** Works with a full disk too: then the alarm lasts as long as the process. */
  raise(code: string, message: string, fields: Record<string, unknown> = {}): void {
    const { clock, logger, events } = this.#components
    const held = this.#alarms.get(code)
    const isNew = held === undefined || held.acknowledged
    if (held === undefined && this.#alarms.size >= maxAlarms) {
      logger.error({ code, ...fields }, message)
      return
    }
    const now = clock.now()
    const sinceMs = isNew ? now : held.sinceMs
    const times = isNew ? 1 : held.times + 1
    const alarm: Alarm = { code, message, fields, sinceMs, lastMs: now, times, acknowledged: false }
    this.#alarms.set(code, alarm)
    const logged = this.#loggedAt.get(code)
    if (isNew || logged === undefined || clock.monotonic() - logged >= repeatMs) {
      this.#loggedAt.set(code, clock.monotonic())
      logger.error({ code, ...fields }, message)
    }
    this.#keep(alarm)
    if (isNew) events.dispatchEvent(new CustomEvent('alarm', { detail: alarm }))
  }

  /** By code; acknowledged ones stay in the list. */
  list(): Alarm[] {
    return [...this.#alarms.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1))
  }

  /** @throws NotFoundError */
  acknowledge(code: string): void {
    const alarm = this.#alarms.get(code)
    if (alarm === undefined) throw new NotFoundError(`there is no alarm ${code}: \`trustnet status\` lists them`)
    const acknowledged = { ...alarm, acknowledged: true }
    this.#alarms.set(code, acknowledged)
    this.#keep(acknowledged)
  }

  #keep(alarm: Alarm): void {
    const { commit, logger } = this.#components
    commit
      .write(() => this.#table.put(rowOf(alarm)))
      .catch((error: unknown) => {
        logger.warn(
          { code: alarm.code, error: String(error) },
          'an alarm could not be stored: it will be forgotten when this process ends'
        )
      })
  }
}

const alarmOf = (row: AlarmRow): Alarm => {
  const fields: Record<string, unknown> = JSON.parse(row.fields)
  return { ...row, fields, acknowledged: row.acknowledged !== 0 }
}

const rowOf = (alarm: Alarm): AlarmRow => ({
  ...alarm,
  fields: JSON.stringify(alarm.fields),
  acknowledged: alarm.acknowledged ? 1 : 0
})

/** Tells whether an alarm was raised that is in the store at this path, acknowledged or not; false also where there is no store. */
export const hasAlarm = (path: string, code: string): boolean =>
  peekDatabase(path, (db) => new AlarmTable(db).list().some((row) => row.code === code)) === true
