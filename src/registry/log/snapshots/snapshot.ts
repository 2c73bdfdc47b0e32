import { equals } from 'uint8arrays/equals'
import { reasonOf } from '../../../runtime/error-message.ts'
import { LimitError, LogMismatchError } from '../../../runtime/errors.ts'
import { type Checkpoint, openCheckpoint, openCheckpointAsync } from '../../objects/checkpoint.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import { OtherEpochError } from '../apply-entries.ts'
import type { Ledger } from '../ledger.ts'
import { loadPages, requireMatch } from '../load.ts'
import { genesisRow, rowOf } from '../log-rows.ts'
import { verified } from '../open-entries.ts'
import { openDelegations } from '../state/delegations.ts'
import { NetworkState } from '../state/network-state.ts'
import { comparePositions } from '../state/position.ts'
import { readStoredEntry } from '../state/stored-entry.ts'
import { keepOurs } from './keep-ours.ts'
import { SnapshotKeys } from './snapshot-keys.ts'

/** A snapshot larger than this is refused before anything is stored: no network that this program is made for has one. */
export const snapshotLimits = { rows: 2_000_000, bytes: 2 * 2 ** 30 }
const pageRows = 1000
/** Monotonic ms after which another source may go on with what one has begun and sends no more of. */
const turnMs = 10_000

/** Progress of a snapshot. */
export interface StagedPosition {
  /** Epoch of its checkpoint. */
  readonly epoch: number
  readonly n: number
  /** The last entry received; -1: none. */
  readonly upTo: number
  readonly rows: number
  /** True: it was complete and right, and is the replica now. */
  readonly done: boolean
}

export interface StageOptions {
  /** Envelopes that lead from the genesis to the key of the checkpoint; needed where that epoch is not known. */
  delegations?: readonly Uint8Array[]
  /** The sender. Two sources do not send at the same time. */
  from?: string
}

interface BeginInit extends Required<StageOptions> {
  checkpointBytes: Uint8Array | undefined
  first: Uint8Array | undefined
}

interface Staged {
  checkpoint: Signed<Checkpoint>
  keys: SnapshotKeys
  rows: number
  bytes: number
  upTo: number
  /** The sender of the moment; `sources` are all who sent some of it. */
  from: string | undefined
  sources: Set<string>
  /** Monotonic. */
  movedAt: number
}

/** Stands for the sender of what was found in the store at the start, who is not known any more. */
const unknownSource = ''

/** A snapshot on its way: entries are verified and kept one page after the other, over restarts, and seen by nobody until all is right. */
export class SnapshotStage {
  readonly #ledger: Ledger
  #staged: Staged | undefined

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Goes on with what is in the store when that is verified and still wanted; anything else is deleted. */
  async open(): Promise<void> {
    const { table, genesis } = this.#ledger
    const bytes = table.stagedCheckpoint()
    if (bytes === undefined) return
    try {
      const checkpoint = openCheckpoint(bytes, genesis.hash)
      const keys = SnapshotKeys.of(this.#ledger, table.stagedDelegations().map(readStoredEntry))
      this.#judge(checkpoint, keys)
      this.#staged = { checkpoint, keys, ...table.stagedSize(), ...this.#begunBy(unknownSource), from: undefined }
    } catch (error) {
      this.#ledger.logger.info(
        { error: reasonOf(error) },
        'a part of a snapshot that was kept is of no use: it is deleted'
      )
      await this.drop()
    }
  }

  #begunBy(from: string): Pick<Staged, 'from' | 'sources' | 'movedAt'> {
    return { from, sources: new Set([from]), movedAt: this.#ledger.clock.monotonic() }
  }

  /** undefined: nothing is on its way, or what is has been overtaken. */
  get position(): StagedPosition | undefined {
    if (this.#staged === undefined || comparePositions(this.#staged.checkpoint.value, this.#ledger.head) <= 0)
      return undefined
    return this.#positionOf(this.#staged, false)
  }

  #positionOf({ checkpoint, upTo, rows }: Staged, done: boolean): StagedPosition {
    const { epoch, n } = checkpoint.value
    return { epoch, n, upTo, rows, done }
  }

  /**
   * Takes the next entries of a snapshot, ascending from the genesis; another checkpoint than before begins a new one. Inside
   * `ledger.exclusive`.
   *
   * @throws LogMismatchError, InvalidEnvelopeError … for a page that is wrong: nothing of it is kept. When the whole is not what its
   * checkpoint says, nothing of the whole is
   * @throws OtherEpochError when nobody is to blame: another source sends one, or several sent what does not fit together
   */
  async stage(
    envelopes: readonly Uint8Array[],
    checkpointBytes: Uint8Array | undefined,
    { delegations = [], from = unknownSource }: StageOptions
  ): Promise<StagedPosition> {
    const staged = await this.#begin({ checkpointBytes, first: envelopes[0], delegations, from })
    await this.#add(staged, envelopes)
    if (staged.rows < staged.checkpoint.value.rows) return this.#positionOf(staged, false)
    try {
      await this.#adopt(staged)
    } catch (error) {
      await this.drop()
      if (!(error instanceof LogMismatchError) || staged.sources.size === 1) throw error
      throw new OtherEpochError(
        `a snapshot that came from several registries does not fit together: ${error.message}`,
        {
          cause: error
        }
      )
    }
    this.#staged = undefined
    return this.#positionOf(staged, true)
  }

  /** That source sends no more: another one may go on at once. */
  leave(from: string): void {
    if (this.#staged?.from === from) this.#staged.from = undefined
  }

  /** `from`: only what that source sends. */
  async drop(from?: string): Promise<void> {
    if (from !== undefined && this.#staged?.from !== from) return
    await this.#ledger.write(() => this.#ledger.table.clearStaged())
    this.#staged = undefined
  }

  async #begin({ checkpointBytes: given, first, delegations, from }: BeginInit): Promise<Staged> {
    const { genesis, clock } = this.#ledger
    const held = this.#staged
    if (held !== undefined) this.#requireTurn(held, from)
    const bytes = given ?? held?.checkpoint.bytes
    if (bytes === undefined) throw new LogMismatchError('a snapshot begins with its checkpoint')
    // The genesis once more: whoever sends starts again, because what was sent before had a hole.
    const isAgain = held !== undefined && held.upTo >= 0 && first !== undefined && equals(first, genesis.bytes)
    if (held !== undefined && !isAgain && equals(bytes, held.checkpoint.bytes)) {
      held.from = from
      held.sources.add(from)
      held.movedAt = clock.monotonic()
      return held
    }
    const checkpoint = await openCheckpointAsync(bytes, genesis.hash)
    const opened = await openDelegations(delegations, genesis.hash)
    const keys = SnapshotKeys.of(this.#ledger, opened)
    this.#judge(checkpoint, keys)
    await this.#ledger.write(() => this.#putBeginning(checkpoint, opened))
    this.#staged = { checkpoint, keys, rows: 0, bytes: 0, upTo: -1, ...this.#begunBy(from) }
    return this.#staged
  }

  #putBeginning(checkpoint: Signed<Checkpoint>, delegations: readonly Signed<LogEntry>[]): void {
    const { table } = this.#ledger
    table.clearStaged()
    for (const [index, { value, hash, bytes }] of [checkpoint, ...delegations].entries()) {
      const { epoch, timeMs } = value
      table.stage({ n: -1 - index, epoch, hash, kind: 0, timeMs, subject: null, envelope: bytes })
    }
  }

  #requireTurn({ from: other, movedAt }: Staged, from: string): void {
    const isTaken = other !== undefined && other !== from && this.#ledger.clock.monotonic() - movedAt < turnMs
    if (isTaken) throw new OtherEpochError('another registry sends a snapshot already: this one is asked again later')
  }

  #judge(checkpoint: Signed<Checkpoint>, keys: SnapshotKeys): void {
    const { epoch, n, rows, bytes } = checkpoint.value
    const { head, forkedEpoch } = this.#ledger
    if (comparePositions({ epoch, n }, head) <= 0)
      throw new OtherEpochError(`a snapshot at ${n} is not above the head at ${head.n}`)
    keys.requireCheckpoint(checkpoint)
    if (forkedEpoch !== undefined && epoch <= forkedEpoch) {
      throw new LogMismatchError(`a snapshot of epoch ${epoch}, which has two histories, is not taken`)
    }
    if (rows > snapshotLimits.rows || bytes > snapshotLimits.bytes) {
      throw new LimitError(`a snapshot of ${rows} entries and ${bytes} bytes is more than is taken in`)
    }
  }

  async #add(staged: Staged, envelopes: readonly Uint8Array[]): Promise<void> {
    const { genesis, table } = this.#ledger
    const rows: Parameters<typeof table.stage>[0][] = []
    let rest = envelopes
    const [first] = envelopes
    if (staged.upTo < 0 && first !== undefined) {
      if (!equals(first, genesis.bytes)) throw new LogMismatchError('the snapshot does not begin with the genesis')
      rows.push(genesisRow(genesis))
      rest = envelopes.slice(1)
    }
    for await (const entry of verified(rest, genesis.hash)) {
      const { n } = entry.value
      if (n <= (rows.at(-1)?.n ?? staged.upTo)) {
        if (rows.length === 0 && this.#isStaged(entry)) continue
        throw new LogMismatchError(`entry ${n} of the snapshot is out of order`)
      }
      staged.keys.requireEntry(entry)
      rows.push(rowOf(entry, null))
    }
    const bytes = rows.reduce((sum, { envelope }) => sum + envelope.length, staged.bytes)
    const { value } = staged.checkpoint
    if (staged.rows + rows.length > value.rows || bytes > value.bytes || (rows.at(-1)?.n ?? 0) > value.n) {
      throw new LogMismatchError('the snapshot has more than its checkpoint says')
    }
    await this.#ledger.write(() => {
      for (const row of rows) table.stage(row)
    })
    staged.rows += rows.length
    staged.bytes = bytes
    staged.upTo = rows.at(-1)?.n ?? staged.upTo
  }

  /** Sent twice: another source has gone on meanwhile. */
  #isStaged({ value, hash }: Signed<LogEntry>): boolean {
    const held = this.#ledger.table.stagedAt(value.n)
    return held !== undefined && equals(held.hash, hash)
  }

  async #adopt({ checkpoint }: Staged): Promise<void> {
    const { genesis, source, enforced, table } = this.#ledger
    const state = new NetworkState(genesis, source, enforced)
    await loadPages(state, (afterN) => table.stagedPage(afterN, pageRows))
    if (!state.keys.follows(this.#ledger.state.keys)) {
      throw new OtherEpochError('the snapshot takes a rotation of the authority back')
    }
    const { epoch, n, headHash } = checkpoint.value
    state.finishLoad({ epoch, n, hash: headHash })
    requireMatch(checkpoint, state)
    await this.#ledger.commit((draft) => {
      const voided = keepOurs(this.#ledger, state, checkpoint)
      table.unstage()
      draft.floor = n
      draft.putCheckpoint(checkpoint)
      draft.replaceState(state, voided)
    })
  }
}
