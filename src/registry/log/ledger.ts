import { TypedEventEmitter } from 'main-event'
import { equals } from 'uint8arrays/equals'
import { plainBytes } from '../../identity/key-id.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { StoreError } from '../../runtime/errors.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { Database } from '../store/database.ts'
import type { GroupCommit } from '../store/group-commit.ts'
import type { EvidenceInput, EvidenceKind, EvidenceRow } from '../store/log-rows.ts'
import { LogTable } from '../store/log-table.ts'
import { MetaTable } from '../store/meta-table.ts'
import { EnforcedRevokes } from './epochs/enforced-revokes.ts'
import { type LoadInit, loadLog } from './load.ts'
import type { ReplicaEvents } from './log-events.ts'
import { genesisRow, rowOf } from './log-rows.ts'
import type { RowWitness } from './state/merkle-tree.ts'
import { type EntrySource, type Head, NetworkState } from './state/network-state.ts'
import { readStoredEntry } from './state/stored-entry.ts'

/** Proofs of one epoch that are kept: one is enough, and whoever has the log key can make any number. */
const maxProofs = 16

export interface LedgerComponents {
  db: Database
  commit: GroupCommit
  clock: Clock
  logger: Logger
}

/** Sees the state after each entry, which may still be undone. */
type Applied = (state: NetworkState, entry: LogEntry) => void

/** A change of the log inside its transaction: rows and state together. */
export class Draft {
  state: NetworkState
  checkpoint: Signed<Checkpoint> | undefined
  floor: number
  readonly entries: Signed<LogEntry>[] = []
  /** Entries that a new epoch cut off; undefined: the state was only added to. */
  voided: number | undefined
  readonly table: LogTable
  readonly #applied: Applied | undefined

  constructor({ table, state, checkpoint, floor, applied }: Ledger) {
    this.table = table
    this.state = state
    this.checkpoint = checkpoint
    this.floor = floor
    this.#applied = applied
  }

  /** Takes in an entry that the state's `check` let pass. */
  append(entry: Signed<LogEntry>): void {
    const { n } = entry.value
    const superseded = this.state.apply(entry)
    this.table.insert(rowOf(entry, superseded.includes(n) ? n : null))
    for (const position of superseded) if (position !== n) this.table.supersede(position, n)
    this.entries.push(entry)
    this.#applied?.(this.state, entry.value)
  }

  putCheckpoint(checkpoint: Signed<Checkpoint> | undefined): void {
    this.checkpoint = checkpoint
    this.table.putCheckpoint(this.floor, checkpoint?.bytes ?? null)
  }

  /** Takes back what came after a mark of the state, in memory. The rows are undone with their savepoint. */
  undoTo(mark: number, entries: number): void {
    this.state.undoTo(mark)
    this.entries.length = entries
  }

  /** Goes on from another state. */
  replaceState(state: NetworkState, voided: number): void {
    this.state = state
    this.voided = voided
    state.begin()
  }
}

/**
 * The log of one network in store and memory: the one place where it changes. Changes run one after the other; a change is in the
 * database, in memory and told to others together or not at all.
 */
export class Ledger {
  readonly genesis: Signed<Genesis>
  readonly table: LogTable
  /** Small values of the store, written with the log. */
  readonly meta: MetaTable
  readonly clock: Clock
  readonly logger: Logger
  readonly events = new TypedEventEmitter<ReplicaEvents>()
  readonly enforced = new EnforcedRevokes()
  applied: Applied | undefined
  readonly #commit: GroupCommit
  readonly #savepoint: (run: () => void) => void
  readonly #isInTransaction: () => boolean
  #state: NetworkState
  #head: Head
  #checkpoint: Signed<Checkpoint> | undefined
  #floor = 0
  #forkedEpoch = -1
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(components: LedgerComponents, genesis: Signed<Genesis>) {
    this.genesis = genesis
    this.table = new LogTable(components.db)
    this.meta = new MetaTable(components.db)
    this.clock = components.clock
    this.logger = components.logger
    this.#commit = components.commit
    this.#savepoint = components.db.transaction((run: () => void) => run())
    this.#isInTransaction = () => components.db.inTransaction
    this.#state = new NetworkState(genesis, this.source, this.enforced)
    this.#head = this.#state.head
  }

  /** Opens what is stored, or begins with the genesis. @throws StoreError when the stored log is damaged or of another network */
  static async open(components: LedgerComponents, genesis: Signed<Genesis>): Promise<Ledger> {
    const ledger = new Ledger(components, genesis)
    await ledger.#open()
    return ledger
  }

  async #open(): Promise<void> {
    const first = this.table.get(0)
    if (first === undefined) {
      if (this.table.last() !== undefined) throw new StoreError('the stored log has lost its genesis: restore a backup')
      await this.#commit.write(() => {
        this.table.insert(genesisRow(this.genesis))
        this.table.putCheckpoint(0, null)
      })
      return
    }
    if (!equals(first.hash, this.genesis.hash)) {
      throw new StoreError('the store holds the log of another network: give this network a data folder of its own')
    }
    for (const row of this.evidence('emergency')) if (isRevoke(row)) this.enforced.addByAuthority(row.subject)
    for (const row of this.evidence('void')) {
      const { epoch, atMs } = row
      // One that waits for the operator's word is not in force.
      if (isRevoke(row) && !this.table.hasEvidence('offered', row.hash))
        this.enforced.addVoid({ publicKey: row.subject, epoch, atMs })
    }
    for (const row of this.evidence('fork')) this.#forkedEpoch = Math.max(this.#forkedEpoch, row.epoch)
    const { state, checkpoint, floor } = await loadLog(this.loadInit)
    this.#state = state
    this.#head = plainHead(state.head)
    this.#checkpoint = checkpoint
    this.#floor = floor
    this.enforced.settle(state, this.clock.now())
  }

  readonly source: EntrySource = (n) => readStoredEntry(this.bytesOf(n))

  /** Envelope of an entry that is held. @throws StoreError */
  bytesOf(n: number): Uint8Array {
    const envelope = this.table.envelopeOf(n)
    if (envelope === undefined) throw new StoreError(`entry ${n} is missing in the store`)
    return plainBytes(envelope)
  }

  get loadInit(): LoadInit {
    return { table: this.table, genesis: this.genesis, source: this.source, enforced: this.enforced }
  }

  /** In memory, replaced as a whole by a snapshot or a new epoch: ask for it each time. */
  get state(): NetworkState {
    return this.#state
  }

  /** Head of what is durable. */
  get head(): Head {
    return this.#head
  }

  /** The newest that is verified and durable. */
  get checkpoint(): Signed<Checkpoint> | undefined {
    return this.#checkpoint
  }

  /** Entries at or below it that are not live may be gone. */
  get floor(): number {
    return this.#floor
  }

  /** The epoch that has two histories; undefined: none, or a newer epoch has ended that. */
  get forkedEpoch(): number | undefined {
    return this.#forkedEpoch >= this.#head.epoch ? this.#forkedEpoch : undefined
  }

  /** Hash of entry n; undefined: above the head, or compacted. */
  linkHash(n: number): Uint8Array | undefined {
    if (n === this.#head.n) return this.#head.hash
    const hash = this.table.hashOf(n)
    return hash === undefined ? undefined : plainBytes(hash)
  }

  /** Oldest first, behind a row id. */
  *evidence(kind: EvidenceKind, afterId = 0): Generator<EvidenceRow> {
    for (let after = afterId; ; ) {
      const page = this.table.evidence(kind, after)
      for (const row of page) {
        const { envelope, other } = row
        yield { ...row, envelope: plainBytes(envelope), other: other === null ? null : plainBytes(other) }
      }
      const last = page.at(-1)
      if (last === undefined) return
      after = last.id
    }
  }

  /** Runs changes one after the other: what `run` reads stays true until it is done. */
  exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run)
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Only inside `exclusive`. `work` runs in a transaction; when it throws or the commit fails, nothing has happened. */
  async commit<T>(work: (draft: Draft) => T): Promise<T> {
    const before = this.#state
    const draft = new Draft(this)
    const undo = (): void => before.undoTo(0)
    before.begin()
    try {
      const result = await this.#commit.write(() => {
        try {
          return work(draft)
        } catch (error) {
          // At once: the next write of this transaction must not see it.
          undo()
          throw error
        }
      })
      this.#publish(draft)
      return result
    } catch (error) {
      undo()
      throw error
    } finally {
      before.settle()
      draft.state.settle()
    }
  }

  #publish(draft: Draft): void {
    const isNew = draft.checkpoint !== this.#checkpoint
    this.#state = draft.state
    this.#head = plainHead(draft.state.head)
    this.#checkpoint = draft.checkpoint
    this.#floor = draft.floor
    const lifted = this.enforced.settle(this.#state, this.clock.now())
    if (draft.voided !== undefined) {
      this.events.safeDispatchEvent('reset', { detail: { head: this.#head, voided: draft.voided } })
    }
    if (draft.entries.length > 0) this.events.safeDispatchEvent('entries', { detail: { entries: draft.entries } })
    if (isNew && draft.checkpoint !== undefined) {
      this.events.safeDispatchEvent('checkpoint', { detail: { checkpoint: draft.checkpoint } })
    }
    for (const publicKey of lifted) this.events.safeDispatchEvent('lifted', { detail: { publicKey } })
  }

  /** Keeps the proof of two histories: from here on nothing of that epoch is followed. */
  async keepFork(proof: EvidenceInput, witness?: RowWitness): Promise<void> {
    const kept = [...this.evidence('fork')].filter(({ epoch }) => epoch === proof.epoch)
    if (kept.length >= maxProofs) return
    const isNew = await this.#commit.write(() => this.table.addEvidence(proof))
    this.#forkedEpoch = Math.max(this.#forkedEpoch, proof.epoch)
    // The very same proof from another side is no news.
    if (!isNew) return
    const { epoch, n } = proof
    this.logger.error(
      { epoch, n },
      'the log has two signed histories: the proof is kept and nothing is followed until the authority opens a new epoch'
    )
    this.events.safeDispatchEvent('fork', { detail: { epoch, n, witness } })
  }

  /** Inside a commit: what `run` writes is undone when it throws, and the rest of the commit goes on. */
  savepoint(run: () => void): void {
    this.#savepoint(run)
  }

  /** False after a failure (disk full, I/O) by which SQLite undid the whole transaction: a further write would stand alone. */
  get isInTransaction(): boolean {
    return this.#isInTransaction()
  }

  /** A write beside the log: staging and evidence. */
  write<T>(run: () => T): Promise<T> {
    return this.#commit.write(run)
  }
}

const plainHead = ({ epoch, n, hash }: Head): Head => ({ epoch, n, hash: plainBytes(hash) })

const isRevoke = (row: EvidenceRow): row is EvidenceRow & { subject: Uint8Array } =>
  row.subject !== null && row.kind !== 'fork' && readStoredEntry(row.envelope).value.kind === 'revoke'
