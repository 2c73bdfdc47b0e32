import { equals } from 'uint8arrays/equals'
import type { SyncRow } from './frames.ts'
import { toHintMessage } from './hint-message.ts'
import type { Refreshes } from './refreshes.ts'
import type { BucketPosition, SyncSource } from './source.ts'

/** Rows of one read of the store: small enough that a slow reader pins little, large enough to fill a frame. */
const pageRows = 256
const pageBytes = 128 * 1024

export interface SubscriberInit {
  source: SyncSource
  refreshes: Refreshes
  /** Raw key of the other side: it is not told what it said itself. */
  remoteKey: Uint8Array
  /** Position in the log from which on it wants entries. */
  afterN: number
  /** Record changes that it knows. undefined: all buckets that differ first. */
  change: number | undefined
  differing: readonly number[]
}

/** How far one reader is. All that it has not been told yet stays in the store. */
export class Subscriber {
  readonly #init: SubscriberInit
  #n: number
  #change: number
  #differing: readonly number[] | undefined
  #hints = 0
  #checkpoint: Uint8Array | undefined

  constructor(init: SubscriberInit) {
    this.#init = init
    this.#n = init.afterN
    // Taken before the buckets are read: what changes meanwhile comes once more, by its change number.
    this.#change = init.change ?? init.source.records.lastChange()
    this.#differing = init.change === undefined ? init.differing : undefined
  }

  /** Entries up to the head, and the checkpoint that covers them when it is a new one. */
  async *log(): AsyncGenerator<SyncRow> {
    const { replica } = this.#init.source
    for (let rows = replica.read(this.#n, pageBytes); rows.length > 0; rows = replica.read(this.#n, pageBytes)) {
      for (const { n, envelope } of rows) {
        this.#n = n
        yield { kind: 'entry', envelope }
      }
    }
    const { checkpoint } = replica
    if (checkpoint === undefined || checkpoint.bytes === this.#checkpoint || checkpoint.value.n > this.#n) return
    this.#checkpoint = checkpoint.bytes
    yield { kind: 'checkpoint', envelope: checkpoint.bytes }
  }

  /** The history was replaced from above this position on. */
  rewind(n: number): void {
    this.#n = Math.min(this.#n, n)
  }

  /** Records that the other side lacks, then the position behind them. `pushed`: without those that only have a higher seq. */
  async *records({ pushed }: { pushed: boolean }): AsyncGenerator<SyncRow> {
    yield* this.#differingRecords()
    const { records, storeId } = this.#init.source
    const from = this.#change
    for (;;) {
      const rows = records.changesAfter(this.#change, pageRows)
      for (const row of rows) {
        const known = pushed && this.#init.refreshes.saysNothingNew(row.publicKey, this.#change)
        this.#change = row.change
        if (!known && !equals(row.publicKey, this.#init.remoteKey)) yield { kind: 'record', envelope: row.envelope }
      }
      if (!pushed || this.#change > from) yield this.#cursor(storeId)
      if (rows.length < pageRows) return
    }
  }

  /** The newest hint of each member that changed. */
  async *hints(): AsyncGenerator<SyncRow> {
    const { liveness } = this.#init.source
    for (;;) {
      const { hints, change } = liveness.hintsAfter(this.#hints, pageRows)
      const moved = change > this.#hints
      this.#hints = change
      for (const hint of hints) {
        if (!equals(hint.source, this.#init.remoteKey)) yield { kind: 'hint', hint: toHintMessage(hint) }
      }
      if (!moved) return
    }
  }

  async *#differingRecords(): AsyncGenerator<SyncRow> {
    if (this.#differing === undefined) return
    const { records } = this.#init.source
    let after: BucketPosition | undefined
    do {
      const page = records.inBuckets(this.#differing, after, pageRows)
      for (const { envelope } of page.rows) yield { kind: 'record', envelope }
      after = page.next
    } while (after !== undefined)
    this.#differing = undefined
  }

  #cursor(store: Uint8Array): SyncRow {
    return { kind: 'cursor', cursor: { store, change: this.#change } }
  }
}
