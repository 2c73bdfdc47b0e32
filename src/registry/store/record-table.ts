import type { Database } from './sqlite.ts'

/**
 * One row per member that has shown a record. `change` moves on with every accepted update and AUTOINCREMENT never gives a number
 * out twice, not even after the newest row was deleted: so a reader at cursor c that asks for `change > c` sees the latest version
 * of every row exactly once. `bucket` is the row's place in the anti-entropy digest. `services` (one per line) says without decoding
 * whether an update has to touch `record_services`, from which members are found by what they offer.
 */
export const recordTables = `
CREATE TABLE records (
  change     INTEGER PRIMARY KEY AUTOINCREMENT,
  public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 32),
  bucket     INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  services   TEXT NOT NULL,
  envelope   BLOB NOT NULL
) STRICT;
CREATE INDEX records_by_bucket ON records (bucket, public_key);
CREATE TABLE record_services (
  service    TEXT NOT NULL,
  public_key BLOB NOT NULL,
  PRIMARY KEY (service, public_key)
) STRICT, WITHOUT ROWID;
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

/** Columns that an update writes. */
export interface RecordInput {
  readonly publicKey: Uint8Array
  readonly bucket: number
  readonly seq: number
  readonly hash: Uint8Array
  readonly services: readonly string[]
  readonly envelope: Uint8Array
}

/** Columns that an update is judged by. */
export interface HeldRecord {
  readonly seq: number
  readonly hash: Uint8Array
  /** One per line. */
  readonly services: string
}

/** Columns that the digest is built from. */
export interface RecordPosition {
  readonly change: number
  readonly publicKey: Uint8Array
  readonly seq: number
  readonly hash: Uint8Array
}

const columns = 'change, public_key AS publicKey, seq, hash, envelope'

const prepareStatements = (db: Database) => ({
  get: db.prepare<[Uint8Array], RecordRow>(`SELECT ${columns} FROM records WHERE public_key = ?`),
  envelope: db.prepare<[Uint8Array], Uint8Array>('SELECT envelope FROM records WHERE public_key = ?').pluck(),
  replace: db.prepare<[Uint8Array, number, number, Uint8Array, string, Uint8Array]>(
    'INSERT OR REPLACE INTO records (public_key, bucket, seq, hash, services, envelope) VALUES (?, ?, ?, ?, ?, ?)'
  ),
  remove: db.prepare<[Uint8Array]>('DELETE FROM records WHERE public_key = ?'),
  held: db.prepare<[Uint8Array], HeldRecord>('SELECT seq, hash, services FROM records WHERE public_key = ?'),
  same: db.prepare<[Uint8Array, Uint8Array]>('SELECT 1 FROM records WHERE public_key = ? AND envelope = ?'),
  addService: db.prepare<[string, Uint8Array]>(
    'INSERT OR IGNORE INTO record_services (service, public_key) VALUES (?, ?)'
  ),
  removeService: db.prepare<[string, Uint8Array]>('DELETE FROM record_services WHERE service = ? AND public_key = ?'),
  offering: db.prepare<[string, Uint8Array, number], { publicKey: Uint8Array }>(
    `SELECT public_key AS publicKey FROM record_services WHERE service = ? AND public_key > ?
     ORDER BY public_key LIMIT ?`
  ),
  changes: db.prepare<[number, number], RecordRow>(
    `SELECT ${columns} FROM records WHERE change > ? ORDER BY change LIMIT ?`
  ),
  bucket: db.prepare<[number, Uint8Array, number], RecordRow>(
    `SELECT ${columns} FROM records WHERE bucket = ? AND public_key > ? ORDER BY public_key LIMIT ?`
  ),
  following: db.prepare<[Uint8Array], RecordRow>(
    `SELECT ${columns} FROM records WHERE public_key > ? ORDER BY public_key LIMIT 1`
  ),
  nearest: db.prepare<[Uint8Array], RecordRow>(
    `SELECT ${columns} FROM records WHERE public_key >= ? ORDER BY public_key LIMIT 1`
  ),
  offers: db.prepare<[string, Uint8Array], { publicKey: Uint8Array }>(
    'SELECT public_key AS publicKey FROM record_services WHERE service = ? AND public_key = ?'
  ),
  positionsAfter: db.prepare<[number, number], RecordPosition>(
    'SELECT change, public_key AS publicKey, seq, hash FROM records WHERE change > ? ORDER BY change LIMIT ?'
  ),
  positions: db.prepare<[], RecordPosition>('SELECT change, public_key AS publicKey, seq, hash FROM records'),
  last: db.prepare<[], { seq: number }>(`SELECT seq FROM sqlite_sequence WHERE name = 'records'`),
  count: db.prepare<[], { count: number }>('SELECT count(*) AS count FROM records')
})

const listed = (text: string): string[] => (text === '' ? [] : text.split('\n'))

/** The statements over `records`. Writes belong inside a group commit. */
export class RecordTable {
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(db: Database) {
    this.#statements = prepareStatements(db)
  }

  get(publicKey: Uint8Array): RecordRow | undefined {
    return this.#statements.get.get(publicKey)
  }

  /** The record alone, as it was signed. */
  envelopeOf(publicKey: Uint8Array): Uint8Array | undefined {
    return this.#statements.envelope.get(publicKey)
  }

  /** Without the envelope: each blob that is read costs more than the search for its row. */
  held(publicKey: Uint8Array): HeldRecord | undefined {
    return this.#statements.held.get(publicKey)
  }

  /** True when exactly this envelope is kept. */
  holds(publicKey: Uint8Array, envelope: Uint8Array): boolean {
    return this.#statements.same.get(publicKey, envelope) !== undefined
  }

  /** Puts the row in place of the one that is held; gives the new change number. */
  put(row: RecordInput, held: HeldRecord | undefined): number {
    const { publicKey, bucket, seq, hash, envelope } = row
    const services = row.services.join('\n')
    this.#putServices(publicKey, held?.services ?? '', services)
    return Number(this.#statements.replace.run(publicKey, bucket, seq, hash, services, envelope).lastInsertRowid)
  }

  delete(publicKey: Uint8Array): boolean {
    this.#putServices(publicKey, this.held(publicKey)?.services ?? '', '')
    return this.#statements.remove.run(publicKey).changes > 0
  }

  /** Rows that changed after `change`, oldest change first. */
  changesAfter(change: number, limit: number): RecordRow[] {
    return this.#statements.changes.all(change, limit)
  }

  /** Rows of one digest bucket ascending by key, from behind `after`. */
  inBucket(bucket: number, after: Uint8Array, limit: number): RecordRow[] {
    return this.#statements.bucket.all(bucket, after, limit)
  }

  /** Keys whose record names this service, ascending, from behind `after`. */
  offering(service: string, after: Uint8Array, limit: number): Uint8Array[] {
    return this.#statements.offering.all(service, after, limit).map((row) => row.publicKey)
  }

  offers(publicKey: Uint8Array, service: string): boolean {
    return this.#statements.offers.get(service, publicKey) !== undefined
  }

  /** The row whose key is `publicKey` or the next one above it. */
  nearest(publicKey: Uint8Array): RecordRow | undefined {
    return this.#statements.nearest.get(publicKey)
  }

  /** The row with the next higher key. */
  following(publicKey: Uint8Array): RecordRow | undefined {
    return this.#statements.following.get(publicKey)
  }

  /** The same by pages, oldest change first. */
  positionsAfter(change: number, limit: number): RecordPosition[] {
    return this.#statements.positionsAfter.all(change, limit)
  }

  positions(): IterableIterator<RecordPosition> {
    return this.#statements.positions.iterate()
  }

  /** The highest change number ever given out in this store, also when its row is gone; 0 when there was none. */
  lastChange(): number {
    return this.#statements.last.get()?.seq ?? 0
  }

  count(): number {
    return Number(this.#statements.count.get()?.count)
  }

  #putServices(publicKey: Uint8Array, before: string, services: string): void {
    if (before === services) return
    const kept = new Set(listed(services))
    for (const service of listed(before)) if (!kept.has(service)) this.#statements.removeService.run(service, publicKey)
    for (const service of kept) this.#statements.addService.run(service, publicKey)
  }
}
