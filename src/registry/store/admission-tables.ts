import type { Database, Statement } from './sqlite.ts'

/**
 * `pending`: joins that wait for the operator. `rejected`: joins that the operator refused. `queue`: verified requests that wait for the
 * root, one per peer and kind.
 */
export const admissionTables = `
CREATE TABLE pending (
  public_key BLOB PRIMARY KEY CHECK (length(public_key) = 32),
  name       TEXT NOT NULL,
  role       INTEGER NOT NULL,
  envelope   BLOB NOT NULL,
  receipt    BLOB,
  since_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_by_name ON pending (name);
CREATE TABLE rejected (
  public_key BLOB PRIMARY KEY CHECK (length(public_key) = 32),
  reason     TEXT NOT NULL,
  at_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE queue (
  place       INTEGER PRIMARY KEY AUTOINCREMENT,
  public_key  BLOB NOT NULL CHECK (length(public_key) = 32),
  kind        TEXT NOT NULL,
  envelope    BLOB NOT NULL,
  with_invite INTEGER NOT NULL CHECK (with_invite IN (0, 1)),
  receipt     BLOB,
  since_ms    INTEGER NOT NULL,
  UNIQUE (public_key, kind)
) STRICT;
`

export interface PendingRow {
  readonly publicKey: Uint8Array
  readonly name: string
  /** Number of the role asked for. */
  readonly role: number
  /** Envelope of the join request. */
  readonly envelope: Uint8Array
  /** By the registry that took the request in, when it was not the root. */
  readonly receipt: Uint8Array | null
  readonly sinceMs: number
}

export type QueueKind = 'join' | 'renew' | 'forget' | 'rotate'

export interface QueueInput {
  readonly publicKey: Uint8Array
  readonly kind: QueueKind
  readonly envelope: Uint8Array
  /** A join with an invite: 1, anything else: 0. */
  readonly withInvite: number
  readonly receipt: Uint8Array | null
  readonly sinceMs: number
}

export interface QueueRow extends QueueInput {
  /** Ascending; a request that came again has a new one. */
  readonly place: number
}

const pendingColumns = 'public_key AS publicKey, name, role, envelope, receipt, since_ms AS sinceMs'
const queueColumns =
  'place, public_key AS publicKey, kind, envelope, with_invite AS withInvite, receipt, since_ms AS sinceMs'

const count = (db: Database, table: string): Statement<[], number> =>
  db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck()

/** Writers of this file belong inside `GroupCommit.write`. */
export class PendingTable {
  readonly #get: Statement<[Uint8Array], PendingRow>
  readonly #named: Statement<[string], PendingRow>
  readonly #list: Statement<[], PendingRow>
  readonly #put: Statement<[Uint8Array, string, number, Uint8Array, Uint8Array | null, number]>
  readonly #delete: Statement<[Uint8Array]>
  readonly #keys: Statement<[], Uint8Array>
  readonly #expire: Statement<[number]>

  constructor(db: Database) {
    this.#get = db.prepare(`SELECT ${pendingColumns} FROM pending WHERE public_key = ?`)
    this.#named = db.prepare(`SELECT ${pendingColumns} FROM pending WHERE name = ? ORDER BY since_ms, public_key`)
    this.#list = db.prepare(`SELECT ${pendingColumns} FROM pending ORDER BY since_ms, public_key`)
    // A peer that asks again keeps its place, but for one in a time that has not come.
    this.#put = db.prepare(`
      INSERT INTO pending (public_key, name, role, envelope, receipt, since_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (public_key) DO UPDATE
      SET name = excluded.name, role = excluded.role, envelope = excluded.envelope, receipt = excluded.receipt,
        since_ms = min(since_ms, excluded.since_ms)`)
    this.#delete = db.prepare('DELETE FROM pending WHERE public_key = ?')
    this.#keys = db.prepare<[], Uint8Array>('SELECT public_key FROM pending ORDER BY since_ms, public_key').pluck()
    this.#expire = db.prepare('DELETE FROM pending WHERE since_ms < ?')
  }

  get(publicKey: Uint8Array): PendingRow | undefined {
    return this.#get.get(publicKey)
  }

  named(name: string): PendingRow[] {
    return this.#named.all(name)
  }

  /** Oldest first. */
  list(): PendingRow[] {
    return this.#list.all()
  }

  put(row: PendingRow): void {
    this.#put.run(row.publicKey, row.name, row.role, row.envelope, row.receipt, row.sinceMs)
  }

  delete(publicKey: Uint8Array): void {
    this.#delete.run(publicKey)
  }

  /** Oldest first. */
  keys(): Uint8Array[] {
    return this.#keys.all()
  }

  /** Deletes what waits since before `timeMs`. */
  expire(timeMs: number): void {
    this.#expire.run(timeMs)
  }
}

export class RejectedTable {
  readonly #get: Statement<[Uint8Array], string>
  readonly #put: Statement<[Uint8Array, string, number]>
  readonly #delete: Statement<[Uint8Array]>
  readonly #trim: Statement<[number]>

  constructor(db: Database) {
    this.#get = db.prepare<[Uint8Array], string>('SELECT reason FROM rejected WHERE public_key = ?').pluck()
    this.#put = db.prepare('INSERT OR REPLACE INTO rejected (public_key, reason, at_ms) VALUES (?, ?, ?)')
    this.#delete = db.prepare('DELETE FROM rejected WHERE public_key = ?')
    this.#trim = db.prepare(`
      DELETE FROM rejected WHERE public_key IN (SELECT public_key FROM rejected ORDER BY at_ms DESC LIMIT -1 OFFSET ?)`)
  }

  /** The operator's reason; undefined: not rejected. */
  reason(publicKey: Uint8Array): string | undefined {
    return this.#get.get(publicKey)
  }

  put(publicKey: Uint8Array, reason: string, timeMs: number): void {
    this.#put.run(publicKey, reason, timeMs)
  }

  delete(publicKey: Uint8Array): void {
    this.#delete.run(publicKey)
  }

  /** Keeps the newest `limit`. */
  trim(limit: number): void {
    this.#trim.run(limit)
  }
}

export class QueueTable {
  readonly #put: Statement<[Uint8Array, string, Uint8Array, number, Uint8Array | null, number]>
  readonly #has: Statement<[Uint8Array, string], number>
  readonly #after: Statement<[number, number], QueueRow>
  readonly #delete: Statement<[number]>
  readonly #strangers: Statement<[], Uint8Array>
  readonly #deleteJoin: Statement<[Uint8Array]>
  readonly #expire: Statement<[number]>
  readonly #count: Statement<[], number>

  constructor(db: Database) {
    this.#put = db.prepare(`
      INSERT OR REPLACE INTO queue (public_key, kind, envelope, with_invite, receipt, since_ms) VALUES (?, ?, ?, ?, ?, ?)`)
    this.#has = db
      .prepare<[Uint8Array, string], number>('SELECT 1 FROM queue WHERE public_key = ? AND kind = ?')
      .pluck()
    this.#after = db.prepare(`SELECT ${queueColumns} FROM queue WHERE place > ? ORDER BY place LIMIT ?`)
    this.#delete = db.prepare('DELETE FROM queue WHERE place = ?')
    this.#strangers = db
      .prepare<[], Uint8Array>(`SELECT public_key FROM queue WHERE kind = 'join' AND with_invite = 0 ORDER BY place`)
      .pluck()
    this.#deleteJoin = db.prepare(`DELETE FROM queue WHERE kind = 'join' AND public_key = ?`)
    this.#expire = db.prepare(`DELETE FROM queue WHERE kind = 'join' AND since_ms < ?`)
    this.#count = count(db, 'queue')
  }

  has(publicKey: Uint8Array, kind: QueueKind): boolean {
    return this.#has.get(publicKey, kind) !== undefined
  }

  put(row: QueueInput): void {
    this.#put.run(row.publicKey, row.kind, row.envelope, row.withInvite, row.receipt, row.sinceMs)
  }

  after(place: number, limit: number): QueueRow[] {
    return this.#after.all(place, limit)
  }

  /** Nothing happens when the request came again since and has a new place. */
  delete(place: number): void {
    this.#delete.run(place)
  }

  /** Keys of the joins without an invite, oldest first. */
  strangers(): Uint8Array[] {
    return this.#strangers.all()
  }

  deleteJoin(publicKey: Uint8Array): void {
    this.#deleteJoin.run(publicKey)
  }

  /** Deletes joins that wait since before `timeMs`. */
  expireJoins(timeMs: number): void {
    this.#expire.run(timeMs)
  }

  count(): number {
    return Number(this.#count.get())
  }
}
