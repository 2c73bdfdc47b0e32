import type { Database } from './database.ts'

/**
 * What this process itself observed of other members: it is never signed, never sent as a truth, and losing it costs nothing but
 * history. `peers` says who is connected to whom, as the member itself told with its heartbeat.
 */
export const nodeTables = `
CREATE TABLE nodes (
  public_key        BLOB PRIMARY KEY CHECK (length(public_key) = 32),
  first_seen_ms     INTEGER NOT NULL,
  last_heartbeat_ms INTEGER,
  state             INTEGER NOT NULL,
  state_since_ms    INTEGER NOT NULL,
  source            BLOB,
  reason            TEXT NOT NULL DEFAULT '',
  learned_from      TEXT NOT NULL DEFAULT '',
  uptime_ms         INTEGER NOT NULL DEFAULT 0,
  observed_ms       INTEGER NOT NULL DEFAULT 0,
  reputation        REAL NOT NULL DEFAULT 50,
  rtt_ms            REAL,
  last_address      TEXT,
  last_connected_ms INTEGER,
  last_error        TEXT,
  last_error_ms     INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE peers (
  from_key BLOB NOT NULL,
  to_key   BLOB NOT NULL,
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (from_key, to_key)
) STRICT, WITHOUT ROWID;
`
export class NodeTable {
  readonly db: Database
  constructor(db: Database) {
    this.db = db
  }
}
