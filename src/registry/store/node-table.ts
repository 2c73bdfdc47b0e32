import type { Database } from './sqlite.ts'

/**
 * Observations of other members by this process itself: it is never signed, never sent as a truth, and losing it costs nothing but
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
  reason            TEXT NOT NULL,
  learned_from      TEXT NOT NULL,
  uptime_ms         INTEGER NOT NULL,
  observed_ms       INTEGER NOT NULL,
  reputation        REAL NOT NULL,
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

/** Times are wall clock ms; null: never. */
export interface NodeRow {
  readonly publicKey: Uint8Array
  readonly firstSeenMs: number
  readonly lastHeartbeatMs: number | null
  readonly state: number
  readonly stateSinceMs: number
  /** Key of the registry that says so. */
  readonly source: Uint8Array | null
  readonly reason: string
  readonly learnedFrom: string
  readonly uptimeMs: number
  readonly observedMs: number
  readonly reputation: number
  readonly rttMs: number | null
  readonly lastAddress: string | null
  readonly lastConnectedMs: number | null
  readonly lastError: string | null
  readonly lastErrorMs: number | null
}

/** One end of a connection that a member told about. */
export interface PeerRow {
  readonly fromKey: Uint8Array
  readonly toKey: Uint8Array
  readonly sinceMs: number
}

const fields = {
  publicKey: 'public_key',
  firstSeenMs: 'first_seen_ms',
  lastHeartbeatMs: 'last_heartbeat_ms',
  state: 'state',
  stateSinceMs: 'state_since_ms',
  source: 'source',
  reason: 'reason',
  learnedFrom: 'learned_from',
  uptimeMs: 'uptime_ms',
  observedMs: 'observed_ms',
  reputation: 'reputation',
  rttMs: 'rtt_ms',
  lastAddress: 'last_address',
  lastConnectedMs: 'last_connected_ms',
  lastError: 'last_error',
  lastErrorMs: 'last_error_ms'
} as const satisfies Record<keyof NodeRow, string>

const selected = Object.entries(fields)
  .map(([name, column]) => `${column} AS ${name}`)
  .join(', ')
const columns = Object.values(fields).join(', ')
const parameters = Object.keys(fields)
  .map((name) => `@${name}`)
  .join(', ')
const peerColumns = 'from_key AS fromKey, to_key AS toKey, since_ms AS sinceMs'

const prepareStatements = (db: Database) => ({
  put: db.prepare<[NodeRow]>(`INSERT OR REPLACE INTO nodes (${columns}) VALUES (${parameters})`),
  get: db.prepare<[Uint8Array], NodeRow>(`SELECT ${selected} FROM nodes WHERE public_key = ?`),
  all: db.prepare<[], NodeRow>(`SELECT ${selected} FROM nodes`),
  remove: db.prepare<[Uint8Array]>('DELETE FROM nodes WHERE public_key = ?'),
  peers: db.prepare<[], PeerRow>(`SELECT ${peerColumns} FROM peers`),
  addPeer: db.prepare<[Uint8Array, Uint8Array, number]>(
    'INSERT OR REPLACE INTO peers (from_key, to_key, since_ms) VALUES (?, ?, ?)'
  ),
  removePeers: db.prepare<[Uint8Array]>('DELETE FROM peers WHERE from_key = ?')
})

/** The statements over `nodes` and `peers`. Writes belong inside a group commit. */
export class NodeTable {
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(db: Database) {
    this.#statements = prepareStatements(db)
  }

  get(publicKey: Uint8Array): NodeRow | undefined {
    return this.#statements.get.get(publicKey)
  }

  all(): NodeRow[] {
    return this.#statements.all.all()
  }

  put(row: NodeRow): void {
    this.#statements.put.run(row)
  }

  delete(publicKey: Uint8Array): void {
    this.#statements.remove.run(publicKey)
    this.#statements.removePeers.run(publicKey)
  }

  /** Puts the connections of `from` in place of those it had. */
  putPeers(from: Uint8Array, peers: Iterable<{ readonly toKey: Uint8Array; readonly sinceMs: number }>): void {
    this.#statements.removePeers.run(from)
    for (const { toKey, sinceMs } of peers) this.#statements.addPeer.run(from, toKey, sinceMs)
  }

  peers(): PeerRow[] {
    return this.#statements.peers.all()
  }
}
