import type { Database } from './database.ts'

/**
 * One row per member that has shown a record. `change` moves on with every accepted update and AUTOINCREMENT never gives a number
 * out twice, not even after the newest row was deleted: so a reader at cursor c that asks for `change > c` sees the latest version
 * of every row exactly once. `bucket` is the row's place in the anti-entropy digest.
 */
export const recordTables = `
CREATE TABLE records (
  change     INTEGER PRIMARY KEY AUTOINCREMENT,
  public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 32),
  bucket     INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  envelope   BLOB NOT NULL
) STRICT;
CREATE INDEX records_by_bucket ON records (bucket, public_key);
`

/** A record as it is kept. */
export interface RecordRow {
  /** Ascending number of this update in this store. */
  readonly change: number
  readonly publicKey: Uint8Array
  readonly seq: number
  readonly hash: Uint8Array
  readonly envelope: Uint8Array
}

/** What an update writes. */
export interface RecordInput {
  readonly publicKey: Uint8Array
  readonly bucket: number
  readonly seq: number
  readonly hash: Uint8Array
  readonly envelope: Uint8Array
}

const columns = 'change, public_key AS publicKey, seq, hash, envelope'

const prepareStatements = (db: Database) => ({
  get: db.prepare<[Uint8Array], RecordRow>(`SELECT ${columns} FROM records WHERE public_key = ?`),
  replace: db.prepare<[Uint8Array, number, number, Uint8Array, Uint8Array]>(
    'INSERT OR REPLACE INTO records (public_key, bucket, seq, hash, envelope) VALUES (?, ?, ?, ?, ?)'
  ),
  remove: db.prepare<[Uint8Array]>('DELETE FROM records WHERE public_key = ?'),
  changes: db.prepare<[number, number], RecordRow>(
    `SELECT ${columns} FROM records WHERE change > ? ORDER BY change LIMIT ?`
  ),
  page: db.prepare<[Uint8Array, number], RecordRow>(
    `SELECT ${columns} FROM records WHERE public_key > ? ORDER BY public_key LIMIT ?`
  ),
  bucket: db.prepare<[number, Uint8Array, number], RecordRow>(
    `SELECT ${columns} FROM records WHERE bucket = ? AND public_key > ? ORDER BY public_key LIMIT ?`
  ),
  positions: db.prepare<[], { publicKey: Uint8Array; seq: number; hash: Uint8Array }>(
    'SELECT public_key AS publicKey, seq, hash FROM records'
  ),
  last: db.prepare<[], { seq: number }>(`SELECT seq FROM sqlite_sequence WHERE name = 'records'`),
  count: db.prepare<[], { count: number }>('SELECT count(*) AS count FROM records')
})

/** The statements over `records`. Writes belong inside a group commit. */
export class RecordTable {
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(db: Database) {
    this.#statements = prepareStatements(db)
  }

  get(publicKey: Uint8Array): RecordRow | undefined {
    return this.#statements.get.get(publicKey)
  }

  /** Puts the row in place of an older one of the same key; gives the new change number. */
  put(row: RecordInput): number {
    const { publicKey, bucket, seq, hash, envelope } = row
    return Number(this.#statements.replace.run(publicKey, bucket, seq, hash, envelope).lastInsertRowid)
  }

  delete(publicKey: Uint8Array): boolean {
    return this.#statements.remove.run(publicKey).changes > 0
  }

  /** Rows that changed after `change`, oldest change first. */
  changesAfter(change: number, limit: number): RecordRow[] {
    return this.#statements.changes.all(change, limit)
  }

  /** Rows ascending by key, from behind `after`. */
  page(after: Uint8Array, limit: number): RecordRow[] {
    return this.#statements.page.all(after, limit)
  }

  /** Rows of one digest bucket ascending by key, from behind `after`. */
  inBucket(bucket: number, after: Uint8Array, limit: number): RecordRow[] {
    return this.#statements.bucket.all(bucket, after, limit)
  }

  /** What the digest is built from. */
  positions(): IterableIterator<{ publicKey: Uint8Array; seq: number; hash: Uint8Array }> {
    return this.#statements.positions.iterate()
  }

  /** The highest change number ever given out in this store, also when its row is gone; 0 when there was none. */
  lastChange(): number {
    return this.#statements.last.get()?.seq ?? 0
  }

  count(): number {
    return this.#statements.count.get()?.count ?? 0
  }
}
