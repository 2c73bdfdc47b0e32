import type { Database } from './sqlite.ts'

/** Table of what happened to members, as this process saw it: a bounded ring that only this process reads. */
export const historyTables = `
CREATE TABLE history (
  id         INTEGER PRIMARY KEY,
  at_ms      INTEGER NOT NULL,
  kind       INTEGER NOT NULL,
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),
  state      INTEGER,
  before     INTEGER,
  source     BLOB,
  reason     TEXT NOT NULL
) STRICT;
CREATE INDEX history_by_key ON history (public_key, id);
`

export interface HistoryRow {
  /** Ascending; never given out twice. */
  readonly id: number
  /** Wall clock ms. */
  readonly atMs: number
  readonly kind: number
  readonly publicKey: Uint8Array
  /** State that begins, and the one before it; null: it is about something else, or not known. */
  readonly state: number | null
  readonly before: number | null
  /** Key of whoever says so; null: nobody in particular. */
  readonly source: Uint8Array | null
  readonly reason: string
}

const columns = 'id, at_ms AS atMs, kind, public_key AS publicKey, state, before, source, reason'

const prepareStatements = (db: Database) => ({
  put: db.prepare<[HistoryRow]>(`
    INSERT INTO history (id, at_ms, kind, public_key, state, before, source, reason)
    VALUES (@id, @atMs, @kind, @publicKey, @state, @before, @source, @reason)`),
  after: db.prepare<[number, number, number], HistoryRow>(
    `SELECT ${columns} FROM history WHERE id > ? AND at_ms >= ? ORDER BY id LIMIT ?`
  ),
  afterOf: db.prepare<[Uint8Array, number, number, number], HistoryRow>(
    `SELECT ${columns} FROM history WHERE public_key = ? AND id > ? AND at_ms >= ? ORDER BY id LIMIT ?`
  ),
  newest: db.prepare<[number], HistoryRow>(`SELECT ${columns} FROM history ORDER BY id DESC LIMIT ?`),
  newestOf: db.prepare<[Uint8Array, number], HistoryRow>(
    `SELECT ${columns} FROM history WHERE public_key = ? ORDER BY id DESC LIMIT ?`
  ),
  states: db.prepare<[], HistoryRow>(`
    SELECT ${columns} FROM history WHERE id IN (SELECT max(id) FROM history WHERE state IS NOT NULL GROUP BY public_key)`),
  ends: db.prepare<[], { first: number | null; last: number | null; rows: number }>(
    'SELECT min(id) AS first, max(id) AS last, count(*) AS rows FROM history'
  ),
  trim: db.prepare<[number]>(`
    DELETE FROM history WHERE id IN (
      SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY public_key ORDER BY id DESC) AS place FROM history)
      ORDER BY place DESC, id LIMIT ?)`)
})

/** The statements over `history`. Writes belong inside a group commit. */
export class HistoryTable {
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(db: Database) {
    this.#statements = prepareStatements(db)
  }

  put(row: HistoryRow): void {
    this.#statements.put.run(row)
  }

  /** Ascending, of one key or of all. */
  after(id: number, sinceMs: number, limit: number, publicKey: Uint8Array | undefined): HistoryRow[] {
    const { after, afterOf } = this.#statements
    return publicKey === undefined ? after.all(id, sinceMs, limit) : afterOf.all(publicKey, id, sinceMs, limit)
  }

  /** The last ones, ascending. */
  newest(limit: number, publicKey: Uint8Array | undefined): HistoryRow[] {
    const { newest, newestOf } = this.#statements
    return (publicKey === undefined ? newest.all(limit) : newestOf.all(publicKey, limit)).toReversed()
  }

  /** The last state of each key. */
  states(): HistoryRow[] {
    return this.#statements.states.all()
  }

  /** null: it is empty. */
  ends(): { first: number | null; last: number | null; rows: number } {
    return this.#statements.ends.get() ?? { first: null, last: null, rows: 0 }
  }

  /** Drops so many rows: the oldest ones of the keys that have most, so that keys with few keep theirs. */
  trim(excess: number): void {
    this.#statements.trim.run(excess)
  }
}
