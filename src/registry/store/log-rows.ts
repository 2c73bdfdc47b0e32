/**
 * `log`: every entry that is kept. `superseded` is the position of the entry that took its place, so what was live at any position
 * above `checkpoint.floor` can be told from it. `checkpoint`: the newest one (no envelope: none yet). `staged`: a snapshot on its way,
 * its checkpoint at position -1, and below it the delegations that lead to its key. `evidence`: void entries and proofs of forks, never sent as log.
 */
export const logTables = `
CREATE TABLE log (
  n          INTEGER PRIMARY KEY,
  epoch      INTEGER NOT NULL,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  kind       INTEGER NOT NULL,
  time_ms    INTEGER NOT NULL,
  subject    BLOB,
  envelope   BLOB NOT NULL,
  superseded INTEGER
) STRICT;
CREATE INDEX log_by_subject ON log (subject, n) WHERE subject IS NOT NULL;
CREATE INDEX log_by_superseded ON log (superseded) WHERE superseded IS NOT NULL;
CREATE TABLE checkpoint (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  floor    INTEGER NOT NULL,
  envelope BLOB
) STRICT;
CREATE TABLE staged (
  n        INTEGER PRIMARY KEY,
  epoch    INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  kind     INTEGER NOT NULL,
  time_ms  INTEGER NOT NULL,
  subject  BLOB,
  envelope BLOB NOT NULL
) STRICT;
CREATE TABLE evidence (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  kind     TEXT NOT NULL,
  epoch    INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  subject  BLOB,
  at_ms    INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  other    BLOB,
  UNIQUE (kind, hash)
) STRICT;
`

/** An entry as it is kept. */
export interface LogRow {
  readonly n: number
  readonly epoch: number
  readonly hash: Uint8Array
  /** Number of its kind in entry.ts; 0 is the genesis. */
  readonly kind: number
  readonly timeMs: number
  /** Key that it is about. */
  readonly subject: Uint8Array | null
  readonly envelope: Uint8Array
  /** Position of the entry that took its place; null: it is live. */
  readonly superseded: number | null
}

/** Columns that the check at the start reads. */
export type StoredRow = Pick<LogRow, 'n' | 'epoch' | 'hash' | 'envelope' | 'superseded'>

/** A position and the envelope there. */
export interface LogItem {
  readonly n: number
  readonly envelope: Uint8Array
}

/**
 * `void`: an entry that a new epoch cut off. `offered`: a revoke by the key of an older epoch that waits for the operator's word; `other` is
 * the member that handed it over. `fork`: two signed things that contradict each other. `emergency`: a revoke by the authority.
 */
export type EvidenceKind = 'void' | 'offered' | 'fork' | 'emergency'

export interface EvidenceRow {
  readonly id: number
  readonly kind: EvidenceKind
  readonly epoch: number
  readonly n: number
  readonly hash: Uint8Array
  readonly subject: Uint8Array | null
  readonly atMs: number
  readonly envelope: Uint8Array
  /** Evidence against it, for a fork; the key of whoever handed it over, for an offered revoke. */
  readonly other: Uint8Array | null
}

export interface EvidenceInput extends Omit<EvidenceRow, 'id' | 'other'> {
  readonly other?: Uint8Array | undefined
}
