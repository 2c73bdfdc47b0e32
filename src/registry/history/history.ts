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
/** Rows that each member has at least, however many members there are. */
const leastShare = 20
/** Rows of one transaction, so that a large network does not hold the event loop. */
const rowsPerWrite = 500
/** Characters of a reason. */
const maxReason = 200
/** Between two batches: a crash loses at most those. */
const writeMs = 1_000

export interface HistoryInit {
  readonly db: Database
  readonly clock: Clock
  readonly write: <T>(run: () => T) => Promise<T>
  /** Members of the network, who share the ring. */
  readonly members: () => number
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
 * Remembers what happened to members: the newest 10,000 rows, of which each member has its share, so that one whose state flaps pushes out
 * its own rows and nobody else's. Rows are written in batches; those that a full disk refuses stay in memory until it takes them.
 */
export class History {
  readonly #init: HistoryInit
  readonly #table: HistoryTable
  /** Rows that are not on the disk yet, by id, ascending; and their ids by whom they are about. */
  readonly #waiting = new Map<number, HistoryRow>()
  readonly #waitingOf = new Map<string, Set<number>>()
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
    this.#wait(row)
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
      const batch = [...this.#waiting.values()].slice(0, rowsPerWrite)
      await this.#init.write(() => this.#put(batch))
      for (const { id } of batch) this.#drop(id)
    }
  }

  /** Writes what waits, as far as the disk takes it, and remembers nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#saving?.stop()
    await this.save().catch(() => {})
  }

  /** Rows that a member may have. */
  get #share(): number {
    return Math.max(leastShare, Math.floor(historyRows / Math.max(1, this.#init.members())))
  }

  #wait(row: HistoryRow): void {
    const key = keyId(row.publicKey)
    const ids = this.#waitingOf.get(key) ?? new Set()
    ids.add(row.id)
    this.#waitingOf.set(key, ids)
    if (ids.size > this.#share) this.#drop(firstOf(ids))
    this.#waiting.set(row.id, row)
    if (this.#waiting.size > historyRows) this.#drop(firstOf(this.#waiting.keys()))
  }

  #drop(id: number | undefined): void {
    const row = id === undefined ? undefined : this.#waiting.get(id)
    if (row === undefined) return
    this.#waiting.delete(row.id)
    const key = keyId(row.publicKey)
    const ids = this.#waitingOf.get(key)
    ids?.delete(row.id)
    if (ids?.size === 0) this.#waitingOf.delete(key)
  }

  #put(batch: readonly HistoryRow[]): void {
    const keys = new Map<string, Uint8Array>()
    for (const row of batch) {
      this.#table.put(row)
      keys.set(keyId(row.publicKey), row.publicKey)
    }
    const share = this.#share
    for (const publicKey of keys.values()) this.#table.trimKey(publicKey, share)
    this.#table.trim(historyRows)
  }
}

const firstOf = <T>(all: Iterable<T>): T | undefined => {
  for (const one of all) return one
  return undefined
}
