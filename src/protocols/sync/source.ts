import type { TypedEventTarget } from 'main-event'
import type { Checkpoint } from '../../registry/checkpoint.ts'
import type { Signed } from '../../registry/envelope.ts'
import type { Hint } from '../../registry/liveness.ts'
import type { NodeRecord } from '../../registry/record.ts'

/** One stored log entry. */
export interface LogRow {
  readonly n: number
  readonly envelope: Uint8Array
}

/** One stored node record. */
export interface RecordRow {
  readonly change: number
  readonly publicKey: Uint8Array
  readonly envelope: Uint8Array
}

export interface LogHead {
  readonly epoch: number
  readonly n: number
  readonly hash: Uint8Array
}

/** What the serving side reads of a registry's log. */
export interface LogSource {
  readonly head: LogHead
  readonly checkpoint: Signed<Checkpoint> | undefined
  /** Entries at or below it that are no longer live may be gone: who holds less gets a snapshot. */
  readonly floor: number
  /** Hash of entry n, as far as it is still known. */
  linkHash(n: number): Uint8Array | undefined
  /** Lowest position at which any epoch after this one branched off; undefined: none did. */
  forkPointAfter(epoch: number): number | undefined
  /** Entries behind n, ascending, as many as fit but at least one when there is one. */
  read(afterN: number, limitBytes: number): LogRow[]
}

export interface RecordSource {
  lastChange(): number
  changesAfter(change: number, limit: number): RecordRow[]
  /** 4,096 bucket digests of 8 bytes. */
  digest(): Uint8Array
  /** Rows of these buckets behind a position, and the position behind them; no position: that was all. */
  inBuckets(buckets: readonly number[], after: BucketPosition | undefined, limit: number): RecordPage
}

export interface BucketPosition {
  readonly bucket: number
  readonly publicKey: Uint8Array
}

export interface RecordPage {
  readonly rows: RecordRow[]
  readonly next?: BucketPosition
}

export interface HintSource {
  /** The newest hint of each member that changed behind `change`, and the position behind them. */
  hintsAfter(change: number, limit: number): { hints: Hint[]; change: number }
}

export interface SyncEvents {
  entries: CustomEvent<unknown>
  checkpoint: CustomEvent<unknown>
  record: CustomEvent<{ record: Signed<NodeRecord>; change: number }>
  hint: CustomEvent<unknown>
}

/** What sync serves. */
export interface SyncSource {
  readonly networkId: Uint8Array
  /** Random, per database: a cursor of another one means nothing here. */
  readonly storeId: Uint8Array
  readonly events: TypedEventTarget<SyncEvents>
  readonly replica: LogSource
  readonly records: RecordSource
  readonly liveness: HintSource
  replicaAgeMs(): number
}
