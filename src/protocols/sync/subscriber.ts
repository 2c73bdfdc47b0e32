import { equals } from 'uint8arrays/equals'
import type { Head } from '../../registry/log/state/network-state.ts'
import { comparePositions } from '../../registry/log/state/position.ts'
import type { BucketPosition } from '../../registry/records/records.ts'
import type { RecordRow } from '../../registry/store/record-table.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import { syncModes } from './descriptor.ts'
import type { SyncRow } from './frames.ts'
import { toHintMessage } from './hint-message.ts'
import type { SyncRequest } from './pb/sync.ts'
import type { RecordContents } from './record-content.ts'
import type { SyncSource } from './source.ts'

/** Rows of one read of the store: small enough that a slow reader pins little, large enough to fill a frame. */
const pageRows = 256
const pageBytes = 128 * 1024
/** A replica without a log is fetching it. */
const emptyRetryMs = 2_000
/** The genesis is entry 0. */
const beforeGenesis = -1

const toEntry = ({ envelope }: { envelope: Uint8Array }): SyncRow => ({ kind: 'entry', envelope })
const toRecord = ({ envelope }: { envelope: Uint8Array }): SyncRow => ({ kind: 'record', envelope })

export interface SubscriberInit {
  source: SyncSource
  refreshes: RecordContents
  /** Raw key of the other side: it is not told what it said itself. */
  remoteKey: Uint8Array
  request: SyncRequest
  /** Record changes that it knows. undefined: first the buckets that differ. */
  change: number | undefined
  differing: readonly number[]
}

/** Progress of one reader. All that it has not been told yet stays in the store. */
export class Subscriber {
  /** Mode in which the log is told at first; afterwards it goes on as a delta. */
  readonly mode: number
  readonly #init: SubscriberInit
  #position: Head
  #change: number
  #differing: readonly number[] | undefined
  #hints = 0
  /** Row of the last revoke by the authority that was told. */
  #revoke = 0
  #checkpoint: Uint8Array | undefined
  /** Revision of the words of witnesses that were told. */
  #words = 0

  /** @throws UnavailableError a reader that needs a snapshot, where there is none yet */
  constructor(init: SubscriberInit) {
    const { replica, records } = init.source
    const { epoch, n, hash } = init.request
    this.#init = init
    this.#position = { epoch, n, hash }
    const isSnapshot = replica.resumePoint(this.#position).mode === 'snapshot'
    if (isSnapshot && replica.checkpoint === undefined) throw new UnavailableError('no log here yet', emptyRetryMs)
    this.mode = isSnapshot ? syncModes.snapshot : syncModes.delta
    // Taken before the buckets are read: what changes meanwhile comes once more, by its change number.
    this.#change = init.change ?? records.lastChange()
    this.#differing = init.change === undefined ? init.differing : undefined
  }

  /** Yields what there is of the log when the stream begins. */
  async *start(): AsyncGenerator<SyncRow[]> {
    if (this.mode === syncModes.snapshot) yield* this.#snapshot()
    yield* this.log()
  }

  /** Entries up to the head, and the checkpoint that covers them when it is a new one. */
  async *log(): AsyncGenerator<SyncRow[]> {
    const { replica } = this.#init.source
    const point = replica.resumePoint(this.#position)
    if (point.mode === 'snapshot') throw new UnavailableError('the history was replaced: a snapshot is due', 0)
    let after = point.afterN
    for (let page = replica.read(after, pageBytes); page.length > 0; page = replica.read(after, pageBytes)) {
      after = page.at(-1)?.n ?? after
      yield page.map(toEntry)
    }
    this.#moveTo(after)
    yield* this.#checkpoints()
    yield* this.#revokes()
  }

  /** The newest checkpoint, and before it older ones of which witnesses have said something. It comes last, also for a reader who looks at nothing else. */
  *#checkpoints(): Generator<SyncRow[]> {
    const { cosignatures, replica } = this.#init.source
    const { checkpoint } = replica
    if (checkpoint === undefined) return
    const { checkpoints, revision } = cosignatures.since(this.#words)
    this.#words = revision
    if (checkpoints.length === 0 && checkpoint.bytes === this.#checkpoint) return
    this.#checkpoint = checkpoint.bytes
    for (const each of checkpoints) {
      if (each.checkpoint.bytes === checkpoint.bytes) continue
      yield [{ kind: 'checkpoint', envelope: each.checkpoint.bytes, cosignatures: each.cosignatures }]
    }
    yield [{ kind: 'checkpoint', envelope: checkpoint.bytes, cosignatures: cosignatures.of(checkpoint) }]
  }

  /** Those of the authority that are not in the log: whoever comes without them is told all, over and over until the root has entered them. */
  *#revokes(): Generator<SyncRow[]> {
    const { authorityRevocations } = this.#init.source.replica
    for (;;) {
      const rows = authorityRevocations.after(this.#revoke, pageRows)
      this.#revoke = rows.at(-1)?.id ?? this.#revoke
      yield rows.map(({ bytes }) => ({ kind: 'revoke', envelope: bytes }))
      if (rows.length < pageRows) return
    }
  }

  /** A reader that is ahead of us stays where it is. */
  #moveTo(n: number): void {
    const { replica } = this.#init.source
    const { epoch } = replica.head
    if (comparePositions(this.#position, { epoch, n }) > 0) return
    this.#position = { epoch, n, hash: replica.linkHash(n) ?? replica.head.hash }
  }

  /** The entries that still count at one checkpoint, which goes first with the delegations to its key; a reader that has begun with one that we still know goes on. */
  async *#snapshot(): AsyncGenerator<SyncRow[]> {
    const { replica } = this.#init.source
    const { stagedEpoch, stagedN, stagedUpTo } = this.#init.request
    const resumes = stagedN > 0 && replica.hasSnapshotAt(stagedEpoch, stagedN)
    const { checkpoint } = replica
    if (checkpoint === undefined) throw new UnavailableError('no log here yet', emptyRetryMs)
    const at = resumes ? { epoch: stagedEpoch, n: stagedN } : checkpoint.value
    if (!resumes) {
      yield replica.delegations().map((envelope): SyncRow => ({ kind: 'delegation', envelope }))
      yield [{ kind: 'checkpoint', envelope: checkpoint.bytes }]
    }
    for (let after = resumes ? stagedUpTo : beforeGenesis; ; ) {
      if (!replica.hasSnapshotAt(at.epoch, at.n)) throw new UnavailableError('the snapshot was compacted away', 0)
      const page = replica.readLive(after, pageBytes, at.n)
      if (page.length === 0) break
      after = page.at(-1)?.n ?? after
      yield page.map(toEntry)
    }
    // The rest is no part of the snapshot, and must not share a frame with it.
    yield [{ kind: 'flush' }]
    this.#position = { epoch: at.epoch, n: at.n, hash: replica.linkHash(at.n) ?? new Uint8Array() }
  }

  /** Records that the other side lacks, then the position behind them. `pushed`: without its own, and those that only have a higher seq. */
  async *records({ pushed }: { pushed: boolean }): AsyncGenerator<SyncRow[]> {
    yield* this.#differingRecords()
    const { records, storeId } = this.#init.source
    const from = this.#change
    for (;;) {
      const rows = records.changesAfter(this.#change, pageRows)
      const page: SyncRow[] = []
      for (const row of rows) {
        const known = pushed && this.#isKnown(row)
        this.#change = row.change
        if (!known) page.push(toRecord(row))
      }
      if (!pushed || this.#change > from) page.push(this.#cursor(storeId))
      yield page
      if (rows.length < pageRows) return
    }
  }

  #isKnown(row: RecordRow): boolean {
    const { refreshes, remoteKey } = this.#init
    return equals(row.publicKey, remoteKey) || refreshes.saysNothingNew(row, this.#change)
  }

  /** The newest hint of each member that changed. */
  async *hints(): AsyncGenerator<SyncRow[]> {
    const { liveness } = this.#init.source
    for (;;) {
      const { hints, change } = liveness.hintsAfter(this.#hints, pageRows)
      const moved = change > this.#hints
      this.#hints = change
      const news = hints.filter(({ source }) => !equals(source, this.#init.remoteKey))
      yield news.map((hint) => ({ kind: 'hint', hint: toHintMessage(hint) }))
      if (!moved) return
    }
  }

  async *#differingRecords(): AsyncGenerator<SyncRow[]> {
    if (this.#differing === undefined) return
    const { records } = this.#init.source
    let after: BucketPosition | undefined
    do {
      const page = records.inBuckets(this.#differing, after, pageRows)
      yield page.rows.map(toRecord)
      after = page.next
    } while (after !== undefined)
    this.#differing = undefined
  }

  #cursor(store: Uint8Array): SyncRow {
    return { kind: 'cursor', cursor: { store, change: this.#change } }
  }
}
