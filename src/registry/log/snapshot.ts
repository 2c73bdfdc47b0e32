import { equals } from 'uint8arrays/equals'
import { LimitError, LogMismatchError } from '../../runtime/errors.ts'
import { type Checkpoint, openCheckpoint, openCheckpointAsync } from '../objects/checkpoint.ts'
import { entryKinds, type LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { LogRow } from '../store/log-table.ts'
import { OtherEpochError } from './apply-entries.ts'
import { contradiction } from './fork-evidence.ts'
import type { Ledger } from './ledger.ts'
import { loadPages, requireMatch } from './load.ts'
import { genesisRow, revokedBy, rowOf } from './log-rows.ts'
import type { RowWitness } from './merkle-tree.ts'
import { verified } from './open-entries.ts'
import { NetworkState } from './state/network-state.ts'
import { readStoredEntry } from './state/stored-entry.ts'
import { keepVoid } from './voided-entries.ts'

/** A snapshot larger than this is refused before anything is stored: no network that this program is made for has one. */
export const snapshotLimits = { rows: 2_000_000, bytes: 2 * 2 ** 30 }
const pageRows = 1000
/** Kinds whose entries are live for ever. */
const foreverKinds = new Set<number>([entryKinds.revoke, entryKinds.rotate, entryKinds.delegate, entryKinds.authority])

/** How far a snapshot is. */
export interface StagedPosition {
  /** Of its checkpoint. */
  readonly epoch: number
  readonly n: number
  /** The last entry received; -1: none. */
  readonly upTo: number
  readonly rows: number
  /** True: it was complete and right, and is the replica now. */
  readonly done: boolean
}

interface Staged {
  checkpoint: Signed<Checkpoint>
  rows: number
  bytes: number
  upTo: number
}

/** What the state says of a key that an entry of ours has shut out for ever. */
function witnessOf(state: NetworkState, row: LogRow): RowWitness | undefined {
  const revoked = revokedBy(readStoredEntry(row.envelope).value)
  return revoked === undefined ? undefined : state.witness('revoked', revoked)
}

const isAbove = (a: { epoch: number; n: number }, b: { epoch: number; n: number }): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.n > b.n)

/** A snapshot on its way: entries are verified and kept one page after the other, over restarts, and seen by nobody until all is right. */
export class SnapshotStage {
  readonly #ledger: Ledger
  #staged: Staged | undefined

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    const bytes = ledger.table.stagedCheckpoint()
    if (bytes !== undefined) {
      this.#staged = { checkpoint: openCheckpoint(bytes, ledger.genesis.hash), ...ledger.table.stagedSize() }
    }
  }

  /** undefined: nothing is on its way, or what is has been overtaken. */
  get position(): StagedPosition | undefined {
    if (this.#staged === undefined || !isAbove(this.#staged.checkpoint.value, this.#ledger.head)) return undefined
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
   */
  async stage(envelopes: readonly Uint8Array[], checkpointBytes: Uint8Array | undefined): Promise<StagedPosition> {
    const staged = await this.#begin(checkpointBytes, envelopes[0])
    await this.#add(staged, envelopes)
    if (staged.rows < staged.checkpoint.value.rows) return this.#positionOf(staged, false)
    try {
      await this.#adopt(staged)
    } catch (error) {
      await this.drop()
      throw error
    }
    this.#staged = undefined
    return this.#positionOf(staged, true)
  }

  async drop(): Promise<void> {
    await this.#ledger.write(() => this.#ledger.table.clearStaged())
    this.#staged = undefined
  }

  async #begin(given: Uint8Array | undefined, first: Uint8Array | undefined): Promise<Staged> {
    const { genesis, table } = this.#ledger
    const held = this.#staged
    const bytes = given ?? held?.checkpoint.bytes
    if (bytes === undefined) throw new LogMismatchError('a snapshot begins with its checkpoint')
    // The genesis once more: whoever sends starts again, because what was sent before had a hole.
    const isAgain = held !== undefined && held.upTo >= 0 && first !== undefined && equals(first, genesis.bytes)
    if (held !== undefined && !isAgain && equals(bytes, held.checkpoint.bytes)) return held
    const checkpoint = await openCheckpointAsync(bytes, genesis.hash)
    this.#judge(checkpoint)
    const { value, hash } = checkpoint
    await this.#ledger.write(() => {
      table.clearStaged()
      const { epoch, timeMs } = value
      table.stage({ n: -1, epoch, hash, kind: 0, timeMs, subject: null, envelope: checkpoint.bytes })
    })
    this.#staged = { checkpoint, rows: 0, bytes: 0, upTo: -1 }
    return this.#staged
  }

  #judge(checkpoint: Signed<Checkpoint>): void {
    const { epoch, n, rows, bytes } = checkpoint.value
    const { head, state, forkedEpoch } = this.#ledger
    if (!isAbove({ epoch, n }, head)) throw new OtherEpochError(`a snapshot at ${n} is not above the head at ${head.n}`)
    const logKey = state.logKeyOf(epoch)
    if (logKey !== undefined && !equals(logKey, checkpoint.signer)) {
      throw new LogMismatchError(`the snapshot's checkpoint is not signed by the log key of epoch ${epoch}`)
    }
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
      if (n <= (rows.at(-1)?.n ?? staged.upTo)) throw new LogMismatchError(`entry ${n} of the snapshot is out of order`)
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

  async #adopt({ checkpoint }: Staged): Promise<void> {
    const { genesis, source, enforced, table } = this.#ledger
    const state = new NetworkState(genesis, source, enforced)
    await loadPages(state, (afterN) => table.stagedPage(afterN, pageRows))
    const { epoch, n, headHash } = checkpoint.value
    state.finishLoad({ epoch, n, hash: headHash })
    requireMatch(checkpoint, state)
    await this.#ledger.commit((draft) => {
      const voided = this.#keepOurs(state, checkpoint)
      table.unstage()
      draft.floor = n
      draft.putCheckpoint(checkpoint)
      draft.replaceState(state, voided)
    })
  }

  /**
   * Compares with the log that is held. Of the same epoch it must be a longer one; a newer epoch may have cut entries off, which then
   * stay as evidence. @throws Contradiction
   */
  #keepOurs(state: NetworkState, checkpoint: Signed<Checkpoint>): number {
    const { head, table } = this.#ledger
    const isSameEpoch = head.epoch === checkpoint.value.epoch
    const validTo = state.keys.forkPointAfter(head.epoch) ?? head.n
    let voided = 0
    for (const row of table.behind(0)) {
      const against = row.n > validTo ? checkpoint : this.#against(row, checkpoint)
      if (against === undefined) continue
      const witness = against === checkpoint ? witnessOf(state, row) : undefined
      if (isSameEpoch) throw contradiction(this.#ledger, row.n, against, witness)
      keepVoid(this.#ledger, row)
      voided++
    }
    return voided
  }

  /** What stands in the snapshot against an entry of ours: another one, or nothing where an entry stays for ever. */
  #against(row: LogRow, checkpoint: Signed<Checkpoint>): Signed<Checkpoint> | Signed<LogEntry> | undefined {
    const { table } = this.#ledger
    const theirs = table.stagedAt(row.n)
    if (theirs !== undefined) return equals(theirs.hash, row.hash) ? undefined : readStoredEntry(theirs.envelope)
    // Of an entry that is gone there, the one behind it still says the hash.
    const next = table.stagedAt(row.n + 1)
    const behind = next === undefined ? undefined : readStoredEntry(next.envelope)
    if (behind?.value.epoch === row.epoch && !equals(behind.value.prevHash, row.hash)) return behind
    return foreverKinds.has(row.kind) ? checkpoint : undefined
  }
}
