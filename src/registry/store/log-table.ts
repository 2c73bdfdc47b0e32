import { at } from '../../identity/bytes.ts'
import type { EvidenceInput, EvidenceKind, EvidenceRow, LogItem, LogRow, StoredRow } from './log-rows.ts'
import type { Database } from './sqlite.ts'

/** Rows of one read. */
const pageRows = 1000

const rowColumns = 'n, epoch, hash, kind, time_ms AS timeMs, subject, envelope, superseded'
const evidenceColumns = 'id, kind, epoch, n, hash, subject, at_ms AS atMs, envelope, other'

const prepareStatements = (db: Database) => ({ ...prepareLog(db), ...prepareStaged(db), ...prepareEvidence(db) })

const prepareLog = (db: Database) => ({
  insert: db.prepare<[number, number, Uint8Array, number, number, Uint8Array | null, Uint8Array, number | null]>(
    'INSERT INTO log (n, epoch, hash, kind, time_ms, subject, envelope, superseded) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
  ),
  supersede: db.prepare<[number, number]>('UPDATE log SET superseded = ? WHERE n = ?'),
  hash: db.prepare<[number], { hash: Uint8Array }>('SELECT hash FROM log WHERE n = ?'),
  envelope: db.prepare<[number], Uint8Array>('SELECT envelope FROM log WHERE n = ?').pluck(),
  row: db.prepare<[number], LogRow>(`SELECT ${rowColumns} FROM log WHERE n = ?`),
  last: db.prepare<[], LogRow>(`SELECT ${rowColumns} FROM log ORDER BY n DESC LIMIT 1`),
  page: db.prepare<[number, number], LogRow>(`SELECT ${rowColumns} FROM log WHERE n > ? ORDER BY n LIMIT ?`),
  items: db.prepare<[number, number], LogItem>('SELECT n, envelope FROM log WHERE n > ? ORDER BY n LIMIT ?'),
  checkPage: db.prepare<[number, number], StoredRow>(
    'SELECT n, epoch, hash, envelope, superseded FROM log WHERE n > ? ORDER BY n LIMIT ?'
  ),
  live: db.prepare<[number, number, number, number], LogItem>(
    'SELECT n, envelope FROM log WHERE n > ? AND n <= ? AND (superseded IS NULL OR superseded > ?) ORDER BY n LIMIT ?'
  ),
  about: db.prepare<[Uint8Array, number], LogRow>(
    `SELECT ${rowColumns} FROM log WHERE subject = ? AND n > ? ORDER BY n LIMIT 1000`
  ),
  between: db.prepare<[number, number], number>('SELECT count(*) FROM log WHERE n > ? AND n <= ?').pluck(),
  ofKinds: db.prepare<[number, number], LogItem>('SELECT n, envelope FROM log WHERE kind IN (?, ?) ORDER BY n'),
  compactTo: db.prepare<[number, number], { n: number }>(
    'SELECT max(n) AS n FROM log WHERE n <= ? AND time_ms < ? HAVING n IS NOT NULL'
  ),
  compact: db.prepare<[number]>('DELETE FROM log WHERE superseded <= ?'),
  deleteAfter: db.prepare<[number]>('DELETE FROM log WHERE n > ?'),
  reviveAfter: db.prepare<[number]>('UPDATE log SET superseded = NULL WHERE superseded > ?'),
  clear: db.prepare('DELETE FROM log'),
  getCheckpoint: db.prepare<[], { floor: number; envelope: Uint8Array | null }>(
    'SELECT floor, envelope FROM checkpoint'
  ),
  putCheckpoint: db.prepare<[number, Uint8Array | null]>(
    'INSERT INTO checkpoint (id, floor, envelope) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET floor = excluded.floor, envelope = excluded.envelope'
  )
})

/** Rows of a snapshot that is not whole yet. */
const prepareStaged = (db: Database) => ({
  stage: db.prepare<[number, number, Uint8Array, number, number, Uint8Array | null, Uint8Array]>(
    'INSERT INTO staged (n, epoch, hash, kind, time_ms, subject, envelope) VALUES (?, ?, ?, ?, ?, ?, ?)'
  ),
  unstage: db.prepare(
    'INSERT INTO log (n, epoch, hash, kind, time_ms, subject, envelope) SELECT n, epoch, hash, kind, time_ms, subject, envelope FROM staged WHERE n >= 0'
  ),
  staged: db.prepare<[number], { hash: Uint8Array; envelope: Uint8Array }>(
    'SELECT hash, envelope FROM staged WHERE n = ?'
  ),
  stagedDelegations: db.prepare<[], Uint8Array>('SELECT envelope FROM staged WHERE n < -1 ORDER BY n DESC').pluck(),
  stagedPage: db.prepare<[number, number], LogItem>('SELECT n, envelope FROM staged WHERE n > ? ORDER BY n LIMIT ?'),
  stagedSize: db.prepare<[], { rows: number; bytes: number; upTo: number }>(
    'SELECT count(*) AS rows, coalesce(sum(length(envelope)), 0) AS bytes, coalesce(max(n), -1) AS upTo FROM staged WHERE n >= 0'
  ),
  clearStaged: db.prepare('DELETE FROM staged')
})

const prepareEvidence = (db: Database) => ({
  addEvidence: db.prepare<
    [EvidenceKind, number, number, Uint8Array, Uint8Array | null, number, Uint8Array, Uint8Array | null]
  >(
    'INSERT OR IGNORE INTO evidence (kind, epoch, n, hash, subject, at_ms, envelope, other) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
  ),
  hasEvidence: db
    .prepare<[EvidenceKind, Uint8Array], number>('SELECT 1 FROM evidence WHERE kind = ? AND hash = ?')
    .pluck(),
  dropEvidence: db.prepare<[EvidenceKind, Uint8Array]>('DELETE FROM evidence WHERE kind = ? AND subject = ?'),
  evidence: db.prepare<[EvidenceKind, number, number], EvidenceRow>(
    `SELECT ${evidenceColumns} FROM evidence WHERE kind = ? AND id > ? ORDER BY id LIMIT ?`
  )
})

/** The statements over the log. Writes belong inside a group commit. */
export class LogTable {
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(db: Database) {
    this.#statements = prepareStatements(db)
  }

  insert(row: LogRow): void {
    const { n, epoch, hash, kind, timeMs, subject, envelope, superseded } = row
    this.#statements.insert.run(n, epoch, hash, kind, timeMs, subject, envelope, superseded)
  }

  /** Entry `by` took the place of entry `n`. */
  supersede(n: number, by: number): void {
    this.#statements.supersede.run(by, n)
  }

  get(n: number): LogRow | undefined {
    return this.#statements.row.get(n)
  }

  envelopeOf(n: number): Uint8Array | undefined {
    return this.#statements.envelope.get(n)
  }

  hashOf(n: number): Uint8Array | undefined {
    return this.#statements.hash.get(n)?.hash
  }

  /** The newest entry that is there. */
  last(): LogRow | undefined {
    return this.#statements.last.get()
  }

  /** All entries behind `n`, ascending. */
  page(afterN: number, limit: number): LogRow[] {
    return this.#statements.page.all(afterN, limit)
  }

  /** The same one by one, however many there are. What is written meanwhile behind the page in hand is seen. */
  *behind(n: number): Generator<LogRow> {
    for (let afterN = n; ; ) {
      const rows = this.page(afterN, pageRows)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined) return
      afterN = last.n
    }
  }

  /** The same with nothing but what is sent. */
  items(afterN: number, limit: number): LogItem[] {
    return this.#statements.items.all(afterN, limit)
  }

  checkPage(afterN: number, limit: number): StoredRow[] {
    return this.#statements.checkPage.all(afterN, limit)
  }

  /** Entries behind `n` that were live at position `atN`, ascending. */
  livePage(afterN: number, atN: number, limit: number): LogItem[] {
    return this.#statements.live.all(afterN, atN, atN, limit)
  }

  /** Entries behind `n` about a key, ascending. */
  about(subject: Uint8Array, afterN = -1): LogRow[] {
    return this.#statements.about.all(subject, afterN)
  }

  /** Number of entries behind `n`, up to `last`, that are kept. */
  countBetween(n: number, last: number): number {
    return this.#statements.between.get(n, last) ?? 0
  }

  /** Entries of two kinds, ascending. */
  ofKinds(one: number, other: number): LogItem[] {
    return this.#statements.ofKinds.all(one, other)
  }

  /** The newest position up to `maxN` whose entry is older than `timeMs`. */
  newestBefore(maxN: number, timeMs: number): number | undefined {
    return this.#statements.compactTo.get(maxN, timeMs)?.n
  }

  /** Deletes entries whose place was taken at or below `floor`. */
  compact(floor: number): number {
    return this.#statements.compact.run(floor).changes
  }

  /** Deletes entries above `n`; what they had taken the place of is live again. */
  cutAfter(n: number): void {
    this.#statements.deleteAfter.run(n)
    this.#statements.reviveAfter.run(n)
  }

  clear(): void {
    this.#statements.clear.run()
  }

  checkpoint(): { floor: number; envelope: Uint8Array | null } | undefined {
    return this.#statements.getCheckpoint.get()
  }

  putCheckpoint(floor: number, envelope: Uint8Array | null): void {
    this.#statements.putCheckpoint.run(floor, envelope)
  }

  /** An entry of a snapshot on its way; the checkpoint stands at position -1. */
  stage(row: Omit<LogRow, 'superseded'>): void {
    const { n, epoch, hash, kind, timeMs, subject, envelope } = row
    this.#statements.stage.run(n, epoch, hash, kind, timeMs, subject, envelope)
  }

  /** Puts the staged entries in place of all that there are. */
  unstage(): void {
    this.#statements.clear.run()
    this.#statements.unstage.run()
    this.#statements.clearStaged.run()
  }

  stagedCheckpoint(): Uint8Array | undefined {
    return this.stagedAt(-1)?.envelope
  }

  /** In log order. */
  stagedDelegations(): Uint8Array[] {
    return this.#statements.stagedDelegations.all()
  }

  stagedAt(n: number): { hash: Uint8Array; envelope: Uint8Array } | undefined {
    return this.#statements.staged.get(n)
  }

  stagedPage(afterN: number, limit: number): LogItem[] {
    return this.#statements.stagedPage.all(afterN, limit)
  }

  /** Without the checkpoint. `upTo` is -1 when nothing is staged. */
  stagedSize(): { rows: number; bytes: number; upTo: number } {
    return at(this.#statements.stagedSize.all(), 0)
  }

  clearStaged(): void {
    this.#statements.clearStaged.run()
  }

  /** false: it is there already. */
  addEvidence(row: EvidenceInput): boolean {
    const { kind, epoch, n, hash, subject, atMs, envelope, other } = row
    return this.#statements.addEvidence.run(kind, epoch, n, hash, subject, atMs, envelope, other ?? null).changes > 0
  }

  hasEvidence(kind: EvidenceKind, hash: Uint8Array): boolean {
    return this.#statements.hasEvidence.get(kind, hash) !== undefined
  }

  /** Drops what is kept about a key. false: nothing was. */
  dropEvidence(kind: EvidenceKind, subject: Uint8Array): boolean {
    return this.#statements.dropEvidence.run(kind, subject).changes > 0
  }

  /** Oldest first, behind a row id. */
  evidence(kind: EvidenceKind, afterId = 0, limit = 1000): EvidenceRow[] {
    return this.#statements.evidence.all(kind, afterId, limit)
  }
}
