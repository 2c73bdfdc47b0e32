import { equals } from 'uint8arrays/equals'
import type { Logger } from '../../../runtime/clock-and-logger.ts'
import { UnavailableError } from '../../../runtime/errors.ts'
import { sleep } from '../../../runtime/sleep.ts'
import type { Checkpoint } from '../../objects/checkpoint.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import { follow } from '../apply-entries.ts'
import { keepingProof } from '../forks/fork-evidence.ts'
import type { Draft } from '../ledger.ts'
import { readPages } from '../read-pages.ts'
import type { Replica } from '../replica.ts'
import type { Head } from '../state/network-state.ts'
import { comparePositions } from '../state/position.ts'
import type { LogCommit } from './log-commit.ts'
import {
  HeadMovedError,
  LeaseLostError,
  type LogBatch,
  OutcomeUnknownError,
  type RootLease,
  type RootLog,
  type RootLogState
} from './root-log.ts'

const retryMs = 1000
/** Times that a batch is made anew because the log in the engine had moved. */
const maxTries = 3
/** An answer that was lost is looked for so often, with a pause in between; each look has the deadline of the engine. */
const readBack = { times: 5, pauseMs: 200 }
/** Bytes of entries of the own store that the engine is given at once where it holds less: its transactions take little more. */
const pageBytes = 512 * 1024
/** Batches that may still come, with what their callers write beside them. */
const maxUnheard = 16

export interface EngineCommitInit {
  readonly engine: RootLog
  /** Lease of this process; undefined: it has none. */
  readonly lease: () => RootLease | undefined
  /** Told of a lease that is somebody else's by now (undefined: there is none any more), or of a new one. */
  readonly onLease: (before: RootLease, now: RootLease | undefined) => void
  readonly replica: Replica
  readonly logger: Logger
  /** Pause before an answer that was lost is looked for, ms. */
  readonly pauseMs?: number
}

/** The commit of a root whose log is kept by an engine: there first, then in its own store, which can catch up. */
export class EngineCommit implements LogCommit {
  readonly isShared = true
  readonly #init: EngineCommitInit
  /** The engine may hold what the own store does not, or the other way round. */
  #isApart = true
  /** Batches whose answer was lost: they may still come, until another one has taken their place. */
  #unheard: readonly Unheard[] = []

  constructor(init: EngineCommitInit) {
    this.#init = init
  }

  get refusal(): Error | undefined {
    if (this.#init.lease() !== undefined) return undefined
    return new UnavailableError(
      'this root does not hold the lease of the log: another one may be the root by now',
      retryMs
    )
  }

  async commit<T>(work: (draft: Draft) => T, effects: (draft: Draft, result: T, isAgain: boolean) => void): Promise<T> {
    for (let tries = 1; ; tries++) {
      if (this.#isApart) await this.#meet(this.#requireLease())
      const lease = this.#requireLease()
      const { result, entries, checkpoint } = await this.#rehearse(work)
      if (checkpoint === undefined) return result
      try {
        await this.#append(lease, this.#batchOf(entries, checkpoint), (draft) => effects(draft, result, true))
      } catch (error) {
        if (error instanceof HeadMovedError && tries < maxTries) continue
        throw error
      }
      await this.#init.replica.ledger.commit((draft) => {
        for (const entry of entries) draft.append(entry)
        draft.putCheckpoint(checkpoint)
        effects(draft, result, true)
      })
      this.#isApart = false
      this.#unheard = []
      return result
    }
  }

  #requireLease(): RootLease {
    const { refusal } = this
    const lease = this.#init.lease()
    if (lease === undefined) throw refusal ?? new UnavailableError('the lease of the log is gone', retryMs)
    return lease
  }

  /** Makes the change and undoes it: what it signs leaves only when the engine has it. `checkpoint`: undefined where nothing was signed. */
  async #rehearse<T>(work: (draft: Draft) => T): Promise<Rehearsed<T>> {
    const { ledger } = this.#init.replica
    let made: Rehearsed<T> | undefined
    try {
      await ledger.commit((draft) => {
        const result = work(draft)
        const { entries, checkpoint } = draft
        made = { result, entries: [...entries], checkpoint: checkpoint === ledger.checkpoint ? undefined : checkpoint }
        throw undone
      })
    } catch (error) {
      if (error !== undone) throw error
    }
    if (made === undefined) throw undone
    return made
  }

  #batchOf(entries: readonly Signed<LogEntry>[], checkpoint: Signed<Checkpoint>): LogBatch {
    const { epoch, n, headHash: hash } = checkpoint.value
    return {
      after: this.#init.replica.head,
      entries: entries.map(({ value, bytes }) => ({ n: value.n, envelope: bytes })),
      head: { epoch, n, hash },
      checkpoint: checkpoint.bytes
    }
  }

  /** From here on both are apart, until the own store has the batch, too. @throws HeadMovedError, UnavailableError */
  async #append(lease: RootLease, batch: LogBatch, beside: (draft: Draft) => void): Promise<void> {
    this.#isApart = true
    try {
      await this.#init.engine.append(lease, batch)
    } catch (error) {
      if (error instanceof LeaseLostError) throw this.#lost(lease, error)
      if (!(error instanceof OutcomeUnknownError)) throw error
      if (!(await this.#isWritten(batch))) {
        this.#unheard = [...this.#unheard, { head: batch.head, beside }].slice(-maxUnheard)
        throw new UnavailableError(
          'the database of the log did not say whether it has the entries: they may still come; look before you ask again',
          retryMs
        )
      }
    }
  }

  #lost(lease: RootLease, cause: Error): Error {
    this.#init.onLease(lease, undefined)
    return new UnavailableError(`this process is not the root any more (${cause.message}): ask the new one`, retryMs)
  }

  /** Reads back: only a head that is the batch's own says that it was written. */
  async #isWritten({ head, checkpoint }: LogBatch): Promise<boolean> {
    for (let time = 0; time < readBack.times; time++) {
      await sleep(this.#init.pauseMs ?? readBack.pauseMs)
      const state = await this.#init.engine.state().catch(() => undefined)
      if (state !== undefined && isSame(state.head, head) && equals(state.checkpoint, checkpoint)) return true
    }
    return false
  }

  /** Brings the own store and the engine to the same head, whichever holds more. @throws UnavailableError */
  async #meet(lease: RootLease): Promise<void> {
    const { replica, logger, engine } = this.#init
    const state = await engine.state()
    if (state === undefined) throw new UnavailableError('the database of the log does not have it', retryMs)
    const { head } = state
    const order = comparePositions(head, replica.head)
    if (order > 0 && state.firstN > replica.head.n + 1 && head.epoch === replica.head.epoch)
      await this.#giveUp(lease, state)
    if (order > 0) await this.#catchUp(state)
    else if (head.epoch < replica.head.epoch) await this.#beginEpoch(lease)
    else if (order < 0 && this.#isOwn(head)) await this.#bringForward(lease, state)
    if (!isSame(replica.head, (await engine.state())?.head ?? head)) {
      throw new UnavailableError(
        `the database holds another history than this store (entry ${head.n} of epoch ${head.epoch}, here ${replica.head.n} of ${replica.head.epoch}): nothing is appended; see "Another history" in docs/operations.md`,
        retryMs
      )
    }
    if (order !== 0)
      logger.info({ from: head.n, n: replica.head.n }, 'store and database of the log are at one head again')
    await this.#writeUnheard()
    this.#isApart = false
  }

  /** It got the lease long after it had looked: others have what it lacks, and it follows them until it may try again. @throws UnavailableError */
  async #giveUp(lease: RootLease, { firstN }: RootLogState): Promise<never> {
    const { engine, onLease, replica } = this.#init
    onLease(lease, undefined)
    await engine.release(lease)
    throw new UnavailableError(
      `the database has the log from ${firstN} on, and this store ends at ${replica.head.n}: the lease is given back, and the rest is fetched from other registries`,
      retryMs
    )
  }

  /** Writes what callers have beside entries that came although nobody had answered for them. */
  async #writeUnheard(): Promise<void> {
    const came = this.#unheard.filter(({ head }) => this.#isOwn(head))
    this.#unheard = this.#unheard.filter((each) => !came.includes(each))
    for (const { beside } of came) await this.#init.replica.ledger.commit(beside)
  }

  /** The authority has opened an epoch in the own store, which ends that of the engine. */
  async #beginEpoch(lease: RootLease): Promise<void> {
    const { replica, engine, onLease } = this.#init
    const { head, checkpoint } = replica
    if (checkpoint?.value.n !== head.n) return
    const begun = await engine.begin(lease.holder, { head, checkpoint: checkpoint.bytes })
    if (begun !== undefined) onLease(lease, begun)
  }

  /** A head of the history that the own store holds. */
  #isOwn({ epoch, n, hash }: Head): boolean {
    const { replica } = this.#init
    const known = replica.linkHash(n)
    return epoch === replica.head.epoch && known !== undefined && equals(known, hash)
  }

  async #catchUp({ head, checkpoint }: RootLogState): Promise<void> {
    const { replica, engine } = this.#init
    const { ledger } = replica
    while (replica.head.n < head.n) {
      const items = await engine.read(replica.head.n)
      const upTo = items.filter(({ n }) => n <= head.n)
      const isLast = upTo.at(-1)?.n === head.n
      if (upTo.length === 0) return
      const envelopes = upTo.map(({ envelope }) => envelope)
      const opened = await replica.verify(envelopes, isLast ? checkpoint : undefined)
      // One that was broken off while it was brought forward has the checkpoint of a later head.
      const isOver = opened.checkpoint?.value.n === head.n
      await keepingProof(ledger, () => follow(ledger, opened.entries, isOver ? opened.checkpoint : undefined))
    }
  }

  /** The engine was restored from an older copy, or does not know yet what the own store holds. */
  async #bringForward(lease: RootLease, { head }: RootLogState): Promise<void> {
    const { replica, engine } = this.#init
    const { checkpoint } = replica
    if (checkpoint === undefined || checkpoint.value.n !== replica.head.n) return
    let after = head
    while (after.n < replica.head.n) {
      const entries = readPages(after.n, pageBytes, (n, rows) => replica.ledger.table.items(n, rows))
      const { n } = entries.at(-1) ?? replica.head
      // A store that began with a snapshot lacks entries that count no more.
      if (entries.length !== n - after.n) return
      const next = { epoch: replica.head.epoch, n, hash: replica.linkHash(n) ?? replica.head.hash }
      try {
        await engine.append(lease, { after, entries, head: next, checkpoint: checkpoint.bytes })
      } catch (error) {
        if (error instanceof LeaseLostError) throw this.#lost(lease, error)
        if (!(error instanceof OutcomeUnknownError || error instanceof HeadMovedError)) throw error
        throw new UnavailableError(
          `the database of the log is not at the head of this store yet: ${error.message}`,
          retryMs
        )
      }
      after = next
    }
  }
}

interface Rehearsed<T> {
  readonly result: T
  readonly entries: readonly Signed<LogEntry>[]
  readonly checkpoint: Signed<Checkpoint> | undefined
}

/** A batch whose answer was lost. */
interface Unheard {
  readonly head: Head
  /** Writes what its callers have beside it. */
  readonly beside: (draft: Draft) => void
}

/** Ends the transaction of a rehearsal. */
const undone = new Error('a rehearsal is undone')

const isSame = (one: Head, other: Head): boolean =>
  one.epoch === other.epoch && one.n === other.n && equals(one.hash, other.hash)
