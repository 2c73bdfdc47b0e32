import { hashBytes } from '../../../identity/checked-bytes.ts'
import { plainBytes } from '../../../identity/key-id.ts'
import {
  HeadMovedError,
  LeaseLostError,
  type LogBatch,
  movedTo,
  OutcomeUnknownError,
  type RootLease,
  type RootLogStart,
  type RootLogState
} from '../../../registry/log/root-log/root-log.ts'
import type { LogItem } from '../../../registry/store/log-rows.ts'
import { UnavailableError } from '../../../runtime/errors.ts'
import type { StoreTarget } from '../../config/field-types/root-store-url.ts'
import { PostgresLink, type Row } from './postgres-link.ts'
import { PostgresServers } from './postgres-servers.ts'
import { keptEntries, maxCandidates, type SharedRootLog } from './shared-root-log.ts'

const retryMs = 1000
/** Entries of one page, of 4 KiB at most each: they fit into a few frames. */
const pageEntries = 500
/** Greatest envelope that is read: the format allows less. */
const entryBytes = 16 * 1024
/** The older ones are dropped in steps of so many. */
const trimEntries = 10_000
/** A look at lease and head: longer than the lock of a slow commit is waited for. */
const askMs = 3000
/** An append also waits for the disk, and for the standby. */
const appendMs = 10_000

export interface PostgresRootLogInit {
  readonly target: StoreTarget
  readonly password?: string | undefined
  readonly networkId: Uint8Array
  readonly leaseMs: number
  /** Time for a connection, ms; default: shorter than a lease. */
  readonly connectMs?: number
}

const tables = `
CREATE TABLE IF NOT EXISTS trustnet_root (
  network bytea PRIMARY KEY,
  term bigint NOT NULL,
  holder text NOT NULL,
  until timestamptz NOT NULL,
  epoch bigint NOT NULL,
  n bigint NOT NULL,
  hash bytea NOT NULL,
  checkpoint bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS trustnet_candidate (
  network bytea NOT NULL,
  holder text NOT NULL,
  seen timestamptz NOT NULL,
  PRIMARY KEY (network, holder)
);
CREATE TABLE IF NOT EXISTS trustnet_entry (
  network bytea NOT NULL,
  n bigint NOT NULL,
  envelope bytea NOT NULL,
  PRIMARY KEY (network, n)
)`

const until = (ms: string): string => `clock_timestamp() + ${ms}::bigint * interval '1 millisecond'`

/**
 * The row is locked and compared, moved, and the entries written: one statement is one transaction. An entry behind the head that is there
 * all the same is of an append that was under way while a newer epoch began: it gives way.
 */
const appendText = `
WITH moved AS (
  UPDATE trustnet_root SET epoch = $6, n = $7, hash = $8, checkpoint = $9, until = ${until('$12')}
  WHERE network = $1 AND term = $2 AND epoch = $3 AND n = $4 AND hash = $5
  RETURNING network
), written AS (
  INSERT INTO trustnet_entry (network, n, envelope)
  SELECT moved.network, entry.n, entry.envelope
  FROM moved CROSS JOIN unnest($10::bigint[], $11::bytea[]) AS entry (n, envelope)
  ON CONFLICT (network, n) DO UPDATE SET envelope = excluded.envelope
)
SELECT count(*)::int AS moved FROM moved`

const beginText = `
WITH begun AS (
  INSERT INTO trustnet_root AS root (network, term, holder, until, epoch, n, hash, checkpoint)
  VALUES ($1, 1, $2, ${until('$3')}, $4, $5, $6, $7)
  ON CONFLICT (network) DO UPDATE
  SET term = root.term + 1, holder = excluded.holder, until = excluded.until,
    epoch = excluded.epoch, n = excluded.n, hash = excluded.hash, checkpoint = excluded.checkpoint
  WHERE root.epoch < excluded.epoch
    OR (root.holder LIKE '${movedTo('%')}' AND root.epoch = excluded.epoch AND root.n <= excluded.n)
  RETURNING root.network, root.term
), dropped AS (
  DELETE FROM trustnet_entry USING begun WHERE trustnet_entry.network = begun.network
)
SELECT term::float8 AS term FROM begun`

const acquireText = `
UPDATE trustnet_root SET term = term + 1, holder = $2, until = ${until('$3')}
WHERE network = $1 AND (holder = $2 OR until <= clock_timestamp())
RETURNING term::float8 AS term`

const stateText = `
SELECT epoch::float8 AS epoch, n::float8 AS n, hash, checkpoint, holder, term::float8 AS term,
  greatest(0, extract(epoch FROM until - clock_timestamp()) * 1000)::float8 AS left_ms,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock_ms,
  coalesce((SELECT min(entry.n) FROM trustnet_entry AS entry WHERE entry.network = $1), root.n + 1)::float8 AS first_n
FROM trustnet_root AS root WHERE network = $1`

/** Others that were seen within four of their looks; a row of a machine that is gone stays, and says nothing. */
const attendText = `
WITH seen AS (
  INSERT INTO trustnet_candidate (network, holder, seen) VALUES ($1, $2, clock_timestamp())
  ON CONFLICT (network, holder) DO UPDATE SET seen = excluded.seen
)
SELECT holder FROM trustnet_candidate
WHERE network = $1 AND holder <> $2 AND seen > clock_timestamp() - interval '20 seconds'
ORDER BY holder LIMIT ${maxCandidates}`

const readText = `
SELECT n::float8 AS n, envelope FROM trustnet_entry
WHERE network = $1 AND n > $2 AND octet_length(envelope) <= ${entryBytes} ORDER BY n LIMIT ${pageEntries}`

const fillText = `
WITH held AS (
  SELECT network FROM trustnet_root WHERE network = $1 AND term = $2 FOR UPDATE
)
INSERT INTO trustnet_entry (network, n, envelope)
SELECT held.network, entry.n, entry.envelope
FROM held CROSS JOIN unnest($3::bigint[], $4::bytea[]) AS entry (n, envelope)
ON CONFLICT (network, n) DO UPDATE SET envelope = excluded.envelope
RETURNING n`

/** The log of a root in PostgreSQL 15 or newer, or a server that speaks as it does: the newest entries, the head and the lease. */
export class PostgresRootLog implements SharedRootLog {
  readonly #init: PostgresRootLogInit
  /** Appends wait for disks: who holds the lease is asked beside them. */
  readonly #appending: PostgresLink
  readonly #asking: PostgresLink
  #isPrepared = false
  #trimmedN = 0

  constructor(init: PostgresRootLogInit) {
    const { target, password, connectMs } = init
    this.#init = init
    const servers = new PostgresServers({ target, password, connectMs })
    this.#appending = new PostgresLink(servers, appendMs)
    this.#asking = new PostgresLink(servers, askMs)
  }

  async begin(holder: string, { head, checkpoint }: RootLogStart): Promise<RootLease | undefined> {
    const { epoch, n, hash } = head
    const rows = await this.#ask(beginText, [holder, this.#init.leaseMs, epoch, n, buffer(hash), buffer(checkpoint)])
    return leaseOf(holder, rows)
  }

  async acquire(holder: string): Promise<RootLease | undefined> {
    return leaseOf(holder, await this.#ask(acquireText, [holder, this.#init.leaseMs]))
  }

  async renew({ term }: RootLease): Promise<void> {
    const text = `UPDATE trustnet_root SET until = ${until('$3')} WHERE network = $1 AND term = $2 RETURNING n`
    const rows = await this.#ask(text, [term, this.#init.leaseMs])
    if (rows.length === 0) throw new LeaseLostError(`term ${term} is over`)
  }

  async release({ term }: RootLease): Promise<void> {
    await this.#ask('UPDATE trustnet_root SET until = clock_timestamp() WHERE network = $1 AND term = $2', [term])
  }

  async moveTo(place: string, { term }: RootLease): Promise<void> {
    const text =
      "UPDATE trustnet_root SET term = term + 1, holder = $3, until = '9999-12-31' WHERE network = $1 AND term = $2"
    const rows = await this.#ask(`${text} RETURNING n`, [term, movedTo(place)])
    if (rows.length === 0) throw new LeaseLostError(`term ${term} is over`)
  }

  async state(): Promise<RootLogState | undefined> {
    const [row] = await this.#ask(stateText, [])
    if (row === undefined) return undefined
    return {
      head: { epoch: countIn(row['epoch']), n: countIn(row['n']), hash: hashIn(row['hash']) },
      checkpoint: bytesIn(row['checkpoint']),
      firstN: countIn(row['first_n']),
      lease: { holder: String(row['holder']), term: countIn(row['term']), leftMs: Number(row['left_ms']) },
      clockMs: Number(row['clock_ms'])
    }
  }

  async attend(holder: string): Promise<string[]> {
    return (await this.#ask(attendText, [holder])).map((row) => String(row['holder']))
  }

  async weaknesses(): Promise<string[]> {
    const text =
      "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_standby_names')"
    const rows = await this.#ask(`${text} AND $1::bytea IS NOT NULL`, [])
    return rows.filter((row) => row['setting'] === 'off' || row['setting'] === '').map((row) => String(row['name']))
  }

  async read(afterN: number): Promise<LogItem[]> {
    const rows = await this.#ask(readText, [afterN])
    return rows.map((row) => ({ n: countIn(row['n']), envelope: bytesIn(row['envelope']) }))
  }

  async append({ term }: RootLease, { after, entries, head, checkpoint }: LogBatch): Promise<void> {
    const [row] = await this.#appending.query(appendText, [
      buffer(this.#init.networkId),
      term,
      after.epoch,
      after.n,
      buffer(after.hash),
      head.epoch,
      head.n,
      buffer(head.hash),
      buffer(checkpoint),
      entries.map(({ n }) => n),
      entries.map(({ envelope }) => buffer(envelope)),
      this.#init.leaseMs
    ])
    if (row?.['moved'] !== 1) throw await this.#refusal(term)
    await this.#trim(head.n)
  }

  async backfill({ term }: RootLease, entries: readonly LogItem[]): Promise<void> {
    const [places, envelopes] = [entries.map(({ n }) => n), entries.map(({ envelope }) => buffer(envelope))]
    const rows = await this.#ask(fillText, [term, places, envelopes], this.#appending)
    if (rows.length === 0) throw new LeaseLostError(`term ${term} is over`)
  }

  /** The reason why nothing was appended. */
  async #refusal(term: number): Promise<Error> {
    const state = await this.state()
    if (state?.lease.term !== term)
      return new LeaseLostError(`term ${term} is over, ${state?.lease.holder} has the lease`)
    return new HeadMovedError(`the log in the database ends at ${state.head.n}`)
  }

  /** Drops entries that every candidate has long since: the store of each holds the whole log. A failure is tried again later. */
  async #trim(n: number): Promise<void> {
    if (n - this.#trimmedN < trimEntries) return
    this.#trimmedN = n
    await this.#ask('DELETE FROM trustnet_entry WHERE network = $1 AND n <= $2', [n - keptEntries]).catch(() => {})
  }

  /** Asks with the network in the first place; the tables are made first where they are not there. @throws UnavailableError */
  async #ask(text: string, values: readonly unknown[], link = this.#asking): Promise<Row[]> {
    try {
      if (!this.#isPrepared) for (const each of tables.split(';')) await this.#asking.query(each, [])
      this.#isPrepared = true
      return await link.query(text, [buffer(this.#init.networkId), ...values])
    } catch (error) {
      if (error instanceof OutcomeUnknownError) throw new UnavailableError(error.message, retryMs)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#appending[Symbol.asyncDispose](), this.#asking[Symbol.asyncDispose]()])
  }
}

const leaseOf = (holder: string, [row]: readonly Row[]): RootLease | undefined =>
  row === undefined ? undefined : { holder, term: countIn(row['term']) }

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes)

/** @throws UnavailableError for a column that is none of ours */
const bytesIn = (value: unknown): Uint8Array => {
  if (value instanceof Uint8Array) return plainBytes(value)
  throw foreignTable()
}

/** @throws UnavailableError for a column that is none of ours */
const hashIn = (value: unknown): Uint8Array => {
  const hash = bytesIn(value)
  if (hash.byteLength !== hashBytes) throw foreignTable()
  return hash
}

/** @throws UnavailableError for a column that is none of ours */
const countIn = (value: unknown): number => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw foreignTable()
}

const foreignTable = (): UnavailableError =>
  new UnavailableError('the table trustnet_root is of another program: give the network a database of its own', retryMs)
