import { keyId } from '../../identity/key-id.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { type State, states } from '../liveness/states.ts'
import { type HistoryRow, HistoryTable } from '../store/history-table.ts'
import type { Database } from '../store/sqlite.ts'

/** Kinds of happenings. The numbers are in the store. */
export const happenings = { state: 1, admitted: 2, ended: 3, alarm: 4, phase: 5 } as const
export type Happening = keyof typeof happenings

/** Rows that are kept of all members together. */
export const historyRows = 10_000
/** Rows of one transaction, and those that go at once when the ring is full: choosing them takes as long for one as for all. */
const rowsAtOnce = 500
/** Characters of a reason. */
const maxReason = 200
/** Between two batches: a crash loses at most those. */
const writeMs = 1_000

export interface HistoryInit {
  readonly db: Database
  readonly clock: Clock
  readonly write: <T>(run: () => T) => Promise<T>
  /** Called with each row at once, before it is on the disk. */
  readonly onRow?: (row: HistoryRow) => void
}

/** Happening that is to be remembered. */
export interface Happened {
  readonly kind: Happening
  readonly publicKey: Uint8Array
  readonly state?: State | undefined
  readonly before?: State | undefined
  readonly source?: Uint8Array | undefined
  readonly reason: string
  /** Wall clock ms; default: now. */
  readonly atMs?: number
}

export interface HistoryQuery {
  /** Rows behind this id; undefined with no `sinceMs`: the newest. */
  readonly after?: number | undefined
  readonly sinceMs?: number | undefined
  readonly publicKey?: Uint8Array | undefined
  readonly limit: number
}

/**
 * Remembers what happened to members: 10,000 rows. When they are full, those who have most rows lose their oldest, so that members whose
 * state flaps push out their own rows and nobody else's. Rows are written in batches; those that a full disk refuses wait in memory.
 */
export class History {
  readonly #init: HistoryInit
  readonly #table: HistoryTable
  /** Rows that are not on the disk yet, by id, ascending. */
  readonly #waiting = new Map<number, HistoryRow>()
  #last: number
  #isClosed = false
  #saving: Running | undefined

  constructor(init: HistoryInit) {
    this.#init = init
    this.#table = new HistoryTable(init.db)
    this.#last = this.#table.ends().last ?? 0
  }

  start(services: Supervisor): void {
    this.#saving ??= services.run('history', { everyMs: writeMs, round: () => this.save() })
  }

  /** Remembers it. Never throws. */
  add({ kind, publicKey, state, before, source, reason, atMs }: Happened): void {
    if (this.#isClosed) return
    const now = this.#init.clock.now()
    // The time makes ids that no earlier process gave out: its last rows may have been lost with it.
    this.#last = Math.max(this.#last + 1, Math.floor(now))
    const row: HistoryRow = {
      id: this.#last,
      atMs: Math.floor(atMs ?? now),
      kind: happenings[kind],
      publicKey,
      state: state === undefined ? null : states[state],
      before: before === undefined ? null : states[before],
      source: source ?? null,
      reason: reason.slice(0, maxReason)
    }
    this.#waiting.set(row.id, row)
    if (this.#waiting.size > historyRows) this.#trimWaiting()
    this.#init.onRow?.(row)
  }

  /** Ascending by id. */
  rows({ after, sinceMs, publicKey, limit }: HistoryQuery): HistoryRow[] {
    const isNewest = after === undefined && sinceMs === undefined
    const stored = isNewest
      ? this.#table.newest(limit, publicKey)
      : this.#table.after(after ?? -1, sinceMs ?? 0, limit, publicKey)
    const storedLast = this.#table.ends().last ?? -1
    const id = publicKey === undefined ? undefined : keyId(publicKey)
    const waiting = [...this.#waiting.values()].filter(
      (row) =>
        row.id > Math.max(storedLast, after ?? -1) &&
        row.atMs >= (sinceMs ?? 0) &&
        (id === undefined || keyId(row.publicKey) === id)
    )
    const all = [...stored, ...waiting]
    return isNewest ? all.slice(-limit) : all.slice(0, limit)
  }

  /** The last state of each key that has any. */
  states(): HistoryRow[] {
    return this.#table.states()
  }

  /** Id of the oldest row that is kept; null: none is. */
  get first(): number | null {
    return this.#table.ends().first ?? firstOf(this.#waiting.keys()) ?? null
  }

  /** Id of the newest row; null: there was none yet. */
  get last(): number | null {
    return this.#last === 0 ? null : this.#last
  }

  /** Writes what waits. @throws StoreError; what was not written waits on */
  async save(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.values()].slice(0, rowsAtOnce)
      await this.#init.write(() => this.#put(batch))
      for (const { id } of batch) this.#waiting.delete(id)
    }
  }

  /** Writes what waits, as far as the disk takes it, and remembers nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#saving?.stop()
    await this.save().catch(() => {})
  }

  #put(batch: readonly HistoryRow[]): void {
    for (const row of batch) this.#table.put(row)
    if (this.#table.ends().rows > historyRows) this.#table.trim(rowsAtOnce)
  }

  /** Chooses as the table does. */
  #trimWaiting(): void {
    const newer = new Map<string, number>()
    const placed = [...this.#waiting.values()].toReversed().map(({ id, publicKey }) => {
      const key = keyId(publicKey)
      const place = newer.get(key) ?? 0
      newer.set(key, place + 1)
      return { id, place }
    })
    const surplus = placed.toSorted((a, b) => b.place - a.place || a.id - b.id).slice(0, rowsAtOnce)
    for (const { id } of surplus) this.#waiting.delete(id)
  }
}

const firstOf = <T>(all: Iterable<T>): T | undefined => {
  for (const one of all) return one
  return undefined
}
