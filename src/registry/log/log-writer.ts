import { equals } from 'uint8arrays/equals'
import type { SigningKey } from '../../identity/keys.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { NotRootError } from '../../runtime/errors.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import { asStoreError } from '../store/store-errors.ts'
import {
  type AppendOptions,
  type AppendOutcome,
  AppendQueue,
  type AppendRequest,
  type EntryDraft
} from './append-queue.ts'
import { noteVerifierKey, signNote } from './checkpoint-note.ts'
import type { ClockDoubt } from './clock-doubt.ts'
import { completed } from './complete-entry.ts'
import { appendSigned } from './epochs/append-signed.ts'
import { reissueRevokes } from './epochs/reissue-revokes.ts'
import type { Draft } from './ledger.ts'
import { ownOrders } from './own-orders.ts'
import type { Pauses } from './pauses.ts'
import type { Replica } from './replica.ts'
import { RootClock } from './root-clock.ts'
import { AppendGate } from './root-log/append-gate.ts'
import type { LogCommit } from './root-log/log-commit.ts'
import { LogSigner } from './root-log/log-signer.ts'
import { SqliteRootLog } from './root-log/sqlite-root-log.ts'
import { writeBeside } from './root-log/write-beside.ts'

export { type AppendOptions, type EntryDraft, maxBatchEntries } from './append-queue.ts'
export { sealAuthority, sealDelegation } from './epochs/seal-delegation.ts'

/** A checkpoint is signed at least so often, so that everybody can tell a quiet root from a dead one. */
const checkpointMs = 60_000

export interface RootInit {
  replica: Replica
  logKey: SigningKey
  /** Key of the node that is the root: it renews itself. */
  nodeKey: SigningKey
  /** Key of the operator of this machine. */
  operatorKey?: SigningKey | undefined
  logger: Logger
  /** Told of times in which nothing was signed. */
  pauses?: Pauses
  /** Keeps over a restart that nobody has confirmed the clock. */
  doubt?: ClockDoubt
  /** The way of what is signed into the history; the store of the replica by default. */
  log?: LogCommit | undefined
}

/** The one writer of the log. What it signs leaves it only after it is on the disk, so it never signs two entries for one place. */
export class Root {
  readonly publicKey: Uint8Array
  readonly clock: RootClock
  readonly #replica: Replica
  readonly #logKey: SigningKey
  readonly #operatorKey: SigningKey | undefined
  readonly #signer: LogSigner
  readonly #logger: Logger
  readonly #pauses: Pauses | undefined
  readonly #log: LogCommit
  readonly #gate: AppendGate
  readonly #queue = new AppendQueue((take) => this.#commit(take))
  #signing: Running | undefined

  constructor({ replica, logKey, nodeKey, operatorKey, logger, pauses, doubt, log }: RootInit) {
    this.#replica = replica
    this.clock = new RootClock(replica, doubt)
    this.#logKey = logKey
    this.publicKey = nodeKey.publicKey
    this.#operatorKey = operatorKey
    const { networkId } = replica
    this.#signer = new LogSigner({ networkId, logKey, nodeKey, operatorKey, clock: this.clock, logger })
    this.#logger = logger
    this.#pauses = pauses
    this.#log = log ?? new SqliteRootLog(replica.ledger)
    this.#gate = new AppendGate({ replica, logKey: logKey.publicKey, logger })
  }

  /** Key of the operator of this machine; undefined: there is none. */
  get operator(): Uint8Array | undefined {
    return this.#operatorKey?.publicKey
  }

  /**
   * A checkpoint of this root as C2SP signed note, and the key that verifies it.
   * @throws NotRootError when it is not by the log key of this root
   */
  note(checkpoint: Signed<Checkpoint>): { note: string; verifierKey: string } {
    const { networkId } = checkpoint.value
    if (!equals(checkpoint.signer, this.#logKey.publicKey)) {
      throw new NotRootError(
        'the newest checkpoint is of another log key: only the root that signs can give it as a note'
      )
    }
    return {
      note: signNote(checkpoint, this.#logKey),
      verifierKey: noteVerifierKey(networkId, this.#logKey.publicKey)
    }
  }

  /** Enters revokes that a new epoch made void, then signs a checkpoint every 60 s until `stop`. */
  async start(services: Supervisor): Promise<void> {
    this.#signing ??= services.run('checkpoints', {
      everyMs: checkpointMs,
      round: async () => {
        if (this.refusal === undefined) await this.checkpoint()
      },
      onFailed: (error) => {
        this.#logger.error({ error: reasonOf(error) }, 'no checkpoint could be signed: it is tried again in 60 s')
        return undefined
      }
    })
    if (this.refusal === undefined) await this.reissueRevokes()
  }

  async stop(): Promise<void> {
    this.#gate.stop()
    await this.#signing?.stop()
    this.#signing = undefined
  }

  /** Stops, and waits for what is being appended. What is asked for from here on is refused. */
  async close(): Promise<void> {
    await Promise.all([this.stop(), this.#queue.close()])
  }

  /** Appends nothing until `release`: after a start, others may hold more of the log. The reason is for people. */
  fence(reason: string): void {
    this.#gate.fence(reason)
  }

  release(): void {
    this.#gate.release()
  }

  /** Resolves when there is no fence (any more). */
  get released(): Promise<void> {
    return this.#gate.released
  }

  /** True where others stand for its place, too: the one who holds the lease of the log is the root. */
  get isElected(): boolean {
    return this.#log.isShared
  }

  /** True when the authority gave the log key to another one: this process is not the root any more. */
  get isReplaced(): boolean {
    return this.#gate.isReplaced
  }

  /** The reason why nothing can be appended now; undefined: it can. */
  get refusal(): Error | undefined {
    return this.#gate.refusal ?? this.#log.refusal ?? this.clock.refusal()
  }

  /**
   * An operator says that the clock of this machine is right: what was signed with another time is followed by what has the right one.
   * @throws as append
   */
  async acceptClock(): Promise<void> {
    // With a number of its own, so that it counts also where a checkpoint of a later time is held.
    const body = { publicKey: this.publicKey, role: 'root' as const, removed: false }
    await this.clock.accept(async () => await this.append([{ kind: 'registrySet', body }], { byOperator: 'known' }))
  }

  /**
   * Appends entries, all or none, in the order given; resolves when they and a checkpoint over them are durable. Appends of one tick
   * share a commit and a checkpoint.
   *
   * @throws NameTakenError, RevokedError, NotMemberError, NotFoundError, LogMismatchError when a rule of the log forbids one
   * @throws UnavailableError, NotRootError, ForkError when nothing can be appended now; what `inCommit` throws
   */
  append(bodies: readonly EntryDraft[], options: AppendOptions = {}): Promise<Signed<LogEntry>[]> {
    return this.#queue.add(bodies, options)
  }

  /** With what only its place in the log tells. */
  completed(content: EntryDraft): EntryDraft {
    return completed(content, this.#replica.state)
  }

  /** The orders of the operator of this machine for what is to be appended next. @throws NotOperatorError */
  ownOrders(content: EntryDraft): Uint8Array[] {
    const { state } = this.#replica
    return ownOrders(completed(content, state), state, this.clock.now(), this.#operatorKey)
  }

  /** Signs a checkpoint now. @throws as append */
  async checkpoint(): Promise<Signed<Checkpoint>> {
    return await this.#enter(
      (draft) => {
        this.#requireAllowed()
        this.#signer.renewSelf(draft)
        return this.#signer.sign(draft)
      },
      (draft) => this.#signed(draft)
    )
  }

  /**
   * Enters what the authority has signed for the place behind the head, with a checkpoint over it: a delegation to the log key of this root too.
   * `onTurn`: called when nothing else is entered before it any more.
   * @throws as append; UnavailableError when the log went on meanwhile, LogMismatchError
   */
  async enter(envelope: Uint8Array, onTurn: () => void = () => {}): Promise<void> {
    const { entries } = await this.#replica.verify([envelope])
    await this.#replica.ledger.exclusive(() => {
      onTurn()
      return this.#log.commit(
        (draft) => {
          if (entries.some(({ entry }) => entry.value.kind !== 'delegate')) this.#requireAllowed()
          for (const each of entries) appendSigned(draft, each)
          return this.#signer.sign(draft)
        },
        (draft) => this.#signed(draft)
      )
    })
  }

  /** Enters the revokes that are enforced without being in the log. Gives the number of them. @throws as append */
  async reissueRevokes(): Promise<number> {
    return await reissueRevokes(this, this.#replica, this.#logger)
  }

  #requireAllowed(): void {
    const { refusal } = this
    if (refusal !== undefined) throw refusal
  }

  async #commit(take: () => AppendRequest[]): Promise<AppendOutcome[]> {
    let batch: readonly AppendRequest[] | undefined
    return await this.#enter(
      (draft) => {
        batch ??= take()
        return this.#appendAll(draft, batch)
      },
      (draft, outcomes, isAgain) => {
        this.#signed(draft)
        if (isAgain) writeBeside(outcomes, this.#replica.ledger, this.#logger)
      }
    )
  }

  async #enter<T>(work: (draft: Draft) => T, effects: (draft: Draft, result: T, isAgain: boolean) => void): Promise<T> {
    return await this.#replica.ledger.exclusive(async () => {
      // The log of an epoch of somebody else is not for this process to bring anywhere.
      if (this.isReplaced) this.#requireAllowed()
      return await this.#log.commit(work, effects)
    })
  }

  #appendAll(draft: Draft, batch: readonly AppendRequest[]): AppendOutcome[] {
    this.#requireAllowed()
    this.#signer.renewSelf(draft)
    const outcomes = batch.map((request) => this.#appendOne(draft, request))
    if (draft.entries.length > 0) this.#signer.sign(draft)
    return outcomes
  }

  /** One request in a savepoint: when one of its entries breaks a rule, only it is undone. */
  #appendOne(draft: Draft, request: AppendRequest): AppendOutcome {
    const mark = draft.state.mark()
    const first = draft.entries.length
    try {
      this.#replica.ledger.savepoint(() => {
        request.options.inCommit?.()
        for (const content of request.bodies) draft.append(this.#signer.seal(draft, content, request.options))
      })
      return { request, entries: draft.entries.slice(first) }
    } catch (error) {
      // The disk is full or fails: SQLite may have undone all of the commit, and nothing of it may go on.
      const failure = asStoreError(error, 'the store')
      if (failure !== error || !this.#replica.ledger.isInTransaction) throw failure
      draft.undoTo(mark, first)
      return { request, error }
    }
  }

  /** Keeps what a new checkpoint says of the time. */
  #signed({ checkpoint }: Draft): void {
    const before = this.#replica.checkpoint
    if (checkpoint === undefined || checkpoint === before) return
    const { timeMs } = checkpoint.value
    this.#pauses?.add({ fromMs: before?.value.timeMs ?? timeMs, toMs: timeMs })
    this.clock.signed(this.#logger)
  }
}
