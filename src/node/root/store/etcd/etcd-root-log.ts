import { plainBytes } from '../../../../identity/key-id.ts'
import {
  HeadMovedError,
  isMoved,
  LeaseLostError,
  type LogBatch,
  movedTo,
  OutcomeUnknownError,
  type RootLease,
  type RootLogStart,
  type RootLogState
} from '../../../../registry/log/root-log/root-log.ts'
import type { Head } from '../../../../registry/log/state/network-state.ts'
import type { LogItem } from '../../../../registry/store/log-rows.ts'
import { UnavailableError } from '../../../../runtime/errors.ts'
import type { EtcdTarget } from '../../../config/field-types/etcd-url.ts'
import { keptEntries, type SharedRootLog } from '../shared-root-log.ts'
import * as etcd from './etcd-calls.ts'
import { EtcdCandidates } from './etcd-candidates.ts'
import { EtcdFailure } from './etcd-failure.ts'
import {
  type BatchKey,
  batchesFrom,
  batchKey,
  decodeBatch,
  type EtcdKeys,
  encodeBatch,
  endOf,
  headText,
  keysOf,
  readBatchKey,
  readHead,
  readTerm,
  termText
} from './etcd-layout.ts'
import { type Answer, EtcdLink, type Patience } from './etcd-link.ts'

const retryMs = 1000
/** Batches of one page at most. */
const pageBatches = 500
/** Bytes of one page, but at least one batch; and of one batch: etcd takes requests of 1.5 MiB. */
const pageBytes = 1024 * 1024
/** The older ones are dropped in steps of so many. */
const trimEntries = 10_000

export interface EtcdRootLogInit {
  readonly target: EtcdTarget
  readonly networkId: Uint8Array
  readonly leaseMs: number
  /** Times of tests on machines that have others to do. */
  readonly patience?: { readonly ask: Patience; readonly append: Patience }
}

/** Shorter than a lease; an append also waits for disks, and for the election of a leader. */
const usual = { ask: { attemptMs: 1000, totalMs: 2500 }, append: { attemptMs: 3000, totalMs: 10_000 } }

/** Voting members of which one may be lost. */
const safeVoters = 3

/** Values that stand in etcd at one moment. */
interface Seen {
  readonly term: RootLease | undefined
  readonly head: Head | undefined
  readonly checkpoint: Uint8Array | undefined
  /** Lease of etcd that the lease belongs to; undefined: nobody holds it. */
  readonly leaseId: string | undefined
  readonly oldest: BatchKey | undefined
  /** Wall clock of the member that answered, ms since 1970. */
  readonly clockMs: number | undefined
}

/**
 * The log of a root in etcd 3.4 or newer, by its JSON gateway. Each change is one transaction that compares the values it was made for, so
 * that it may be sent to one member after the other: only the first that arrives is made.
 */
export class EtcdRootLog implements SharedRootLog {
  readonly #link: EtcdLink
  readonly #keys: EtcdKeys
  readonly #patience: { readonly ask: Patience; readonly append: Patience }
  /** Seconds, as etcd counts them. */
  readonly #leaseSeconds: number
  readonly #candidates: EtcdCandidates
  #trimmedN = 0

  constructor({ target, networkId, leaseMs, patience = usual }: EtcdRootLogInit) {
    this.#link = new EtcdLink(target)
    this.#keys = keysOf(networkId)
    this.#patience = patience
    this.#leaseSeconds = Math.ceil(leaseMs / 1000)
    this.#candidates = new EtcdCandidates(this.#keys.candidate, (...asked) => this.#ask(...asked))
  }

  async begin(holder: string, { head, checkpoint }: RootLogStart): Promise<RootLease | undefined> {
    const { keys, seen } = await this.#look()
    if (seen.head !== undefined && !mayBegin(seen.head, head, seen.term)) return undefined
    const known = etcd.isValue(keys.head, seen.head && headText(seen.head))
    return await this.#give(holder, seen, {
      compare: [known],
      success: [
        etcd.put(keys.head, headText(head)),
        etcd.put(keys.checkpoint, checkpoint),
        etcd.drop(keys.log, endOf(keys.log))
      ]
    })
  }

  async acquire(holder: string): Promise<RootLease | undefined> {
    const { keys, seen } = await this.#look()
    const isOwn = seen.term?.holder === holder
    if (seen.head === undefined || (seen.leaseId !== undefined && !isOwn)) return undefined
    return await this.#give(holder, seen, { compare: isOwn ? [] : [etcd.isValue(keys.lease, undefined)], success: [] })
  }

  async renew(lease: RootLease): Promise<void> {
    const { lease: key, term } = this.#keys
    const held = etcd.isValue(term, termText(lease))
    const { succeeded, found } = await this.#txn({ compare: [held], success: [etcd.read({ key })] })
    if (!succeeded) throw new LeaseLostError(`term ${lease.term} is over`)
    const [pair] = found[0] ?? []
    if (pair !== undefined && (await this.#keepAlive(pair.lease))) return
    // Its time was over, and nobody has taken it.
    const again = etcd.put(key, String(lease.term), await this.#grant())
    if (!(await this.#txn({ compare: [held], success: [again] })).succeeded)
      throw new LeaseLostError(`term ${lease.term} is over`)
  }

  async release(lease: RootLease): Promise<void> {
    const { lease: key, term } = this.#keys
    await this.#txn({ compare: [etcd.isValue(term, termText(lease))], success: [etcd.drop(key)] })
  }

  async moveTo(place: string, lease: RootLease): Promise<void> {
    const { lease: key, term } = this.#keys
    const next = { holder: movedTo(place), term: lease.term + 1 }
    const { succeeded } = await this.#txn({
      compare: [etcd.isValue(term, termText(lease))],
      // Of no lease of etcd: it stays.
      success: [etcd.put(term, termText(next)), etcd.put(key, String(next.term))]
    })
    if (!succeeded) throw new LeaseLostError(`term ${lease.term} is over`)
  }

  async state(): Promise<RootLogState | undefined> {
    const { term, head, checkpoint, leaseId, oldest, clockMs } = (await this.#look()).seen
    if (term === undefined || head === undefined || checkpoint === undefined) return undefined
    const seconds = leaseId === undefined ? 0 : await this.#ask(etcd.path.timeToLive, { ID: leaseId }, etcd.secondsIn)
    const lease = { ...term, leftMs: seconds * 1000 }
    return { head, checkpoint, firstN: oldest?.first ?? head.n + 1, lease, ...(clockMs !== undefined && { clockMs }) }
  }

  async read(afterN: number): Promise<LogItem[]> {
    const keys = this.#keys
    const from = { key: batchesFrom(keys, afterN + 1), end: endOf(keys.log) }
    const there = await this.#range({ ...from, limit: pageBatches, keysOnly: true })
    const page = pageOf(there.map(({ key }) => readBatchKey(keys, key)))
    const last = page.at(-1)
    if (last === undefined) return []
    const range = { key: from.key, end: `${last.key}\0`, limit: page.length }
    const found = await this.#range(range)
    const items = found.flatMap(({ key, value }) => decodeBatch(readBatchKey(keys, key), value))
    return items.filter(({ n }) => n > afterN)
  }

  async append(lease: RootLease, batch: LogBatch): Promise<void> {
    const request = this.#appendOf(lease, batch)
    try {
      const { value, isRepeated } = await this.#link.call(etcd.path.txn, request, this.#patience.append)
      this.#requireDone(lease, batch, { value, isRepeated })
    } catch (error) {
      if (!(error instanceof EtcdFailure)) throw error
      if (error.isFull && (await this.#isHead(batch.head))) return
      if (error.outcome === 'unknown') throw new OutcomeUnknownError(error.message, { cause: error })
      throw new UnavailableError(error.message, retryMs)
    }
    await this.#trim(batch.head.n)
  }

  async backfill(lease: RootLease, entries: readonly LogItem[]): Promise<void> {
    const keys = this.#keys
    const value = encodeBatch(entries)
    const compare = [etcd.isValue(keys.term, termText(lease))]
    const { succeeded } = await this.#txn({
      compare,
      success: [etcd.put(batchKey(keys, entries, value.length), value)]
    })
    if (!succeeded) throw new LeaseLostError(`term ${lease.term} is over`)
  }

  #appendOf(lease: RootLease, { after, entries, head, checkpoint }: LogBatch): object {
    const keys = this.#keys
    const value = encodeBatch(entries)
    if (value.length > pageBytes) {
      throw new UnavailableError(
        `${entries.length} entries have ${value.length} bytes, and one transaction of etcd takes ${pageBytes}: ask again with fewer`,
        retryMs
      )
    }
    return {
      compare: [etcd.isValue(keys.term, termText(lease)), etcd.isValue(keys.head, headText(after))],
      success: [
        ...(entries.length > 0 ? [etcd.put(batchKey(keys, entries, value.length), value)] : []),
        etcd.put(keys.head, headText(head)),
        etcd.put(keys.checkpoint, checkpoint)
      ],
      failure: [etcd.read({ key: keys.term }), etcd.read({ key: keys.head })]
    }
  }

  /** Values that do not compare: an attempt before was taken and its answer lost, or somebody else was faster. @throws when it is not done */
  #requireDone(lease: RootLease, batch: LogBatch, { value, isRepeated }: Omit<Answer, 'clockMs'>): void {
    const { succeeded, found } = etcd.txnAnswer(value)
    if (succeeded) return
    const [term, head] = found.map(([pair]) => pair?.value.toString('utf8'))
    if (isRepeated) {
      if (term === termText(lease) && head === headText(batch.head)) return
      throw new OutcomeUnknownError('a member of etcd gave no answer and may have appended: read back')
    }
    if (term !== termText(lease))
      throw new LeaseLostError(`term ${lease.term} is over: ${term ?? 'nobody'} has the lease`)
    throw new HeadMovedError(`the log in etcd ends at ${head ?? 'nothing'}, not at ${headText(batch.after)}`)
  }

  /** True when the log ends there: a change that etcd has answered is done, and who reads afterwards sees it. */
  async #isHead(head: Head): Promise<boolean> {
    const now = (await this.#look()).seen.head
    return now !== undefined && headText(now) === headText(head)
  }

  /** Drops entries that every candidate has long since: the store of each holds the whole log. A failure is tried again later. */
  async #trim(n: number): Promise<void> {
    if (n - this.#trimmedN < trimEntries) return
    this.#trimmedN = n
    const { log } = this.#keys
    await this.#txn({ compare: [], success: [etcd.drop(log, batchesFrom(this.#keys, n - keptEntries))] }).catch(
      () => {}
    )
  }

  async #look(): Promise<{ keys: EtcdKeys; seen: Seen }> {
    const keys = this.#keys
    const oldest = { key: keys.log, end: endOf(keys.log), limit: 1, keysOnly: true }
    const ranges = [...[keys.term, keys.head, keys.checkpoint, keys.lease].map((key) => ({ key })), oldest]
    const body = { compare: [], success: ranges.map(etcd.read) }
    const { found, clockMs } = await this.#ask(etcd.path.txn, body, (value, atMs) => ({
      ...etcd.txnAnswer(value),
      clockMs: atMs
    }))
    const [term, head, checkpoint, lease, batch] = found.map(([pair]) => pair)
    const seen = {
      term: term && readTerm(keys, term.value),
      head: head && readHead(keys, head.value),
      checkpoint: checkpoint && plainBytes(checkpoint.value),
      leaseId: lease?.lease,
      oldest: batch && readBatchKey(keys, batch.key),
      clockMs
    }
    return { keys, seen }
  }

  /** Gives the lease with the next term, in one transaction with what else it is for. undefined: it was not as seen any more. */
  async #give(holder: string, { term }: Seen, also: Txn): Promise<RootLease | undefined> {
    const keys = this.#keys
    const next = { holder, term: (term?.term ?? 0) + 1 }
    const id = await this.#grant()
    const { succeeded } = await this.#txn({
      compare: [etcd.isValue(keys.term, term && termText(term)), ...also.compare],
      success: [...also.success, etcd.put(keys.term, termText(next)), etcd.put(keys.lease, String(next.term), id)]
    })
    return succeeded ? next : undefined
  }

  async #grant(): Promise<string> {
    return await this.#ask(etcd.path.grant, { TTL: String(this.#leaseSeconds) }, etcd.leaseIn)
  }

  async #keepAlive(id: string): Promise<boolean> {
    return (await this.#ask(etcd.path.keepAlive, { ID: id }, etcd.keptAliveIn)) > 0
  }

  async #range(range: etcd.Range): Promise<readonly etcd.Pair[]> {
    return await this.#ask(etcd.path.range, etcd.rangeOf(range), etcd.pairsIn)
  }

  async #txn(txn: Txn): Promise<etcd.TxnAnswer> {
    return await this.#ask(etcd.path.txn, txn, etcd.txnAnswer)
  }

  /** @throws UnavailableError */
  async #ask<T>(path: string, body: object, take: (value: unknown, clockMs?: number) => T): Promise<T> {
    try {
      const { value, clockMs } = await this.#link.call(path, body, this.#patience.ask)
      return take(value, clockMs)
    } catch (error) {
      if (error instanceof EtcdFailure) throw new UnavailableError(error.message, retryMs)
      throw error
    }
  }

  async attend(holder: string): Promise<string[]> {
    return await this.#candidates.attend(holder)
  }

  async weaknesses(): Promise<string[]> {
    const voters = await this.#ask(etcd.path.members, {}, etcd.votersIn)
    const alarms = await this.#ask(etcd.path.alarms, {}, etcd.alarmsIn)
    return [...(voters < safeVoters ? [`members: ${voters}`] : []), ...new Set(alarms.map((each) => `alarm: ${each}`))]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link[Symbol.dispose]()
  }
}

interface Txn {
  readonly compare: readonly object[]
  readonly success: readonly object[]
}

/** A newer epoch begins anew, and the same one where the log had moved away and comes back. */
const mayBegin = (before: Head, now: Head, last: RootLease | undefined): boolean =>
  before.epoch < now.epoch || (last !== undefined && isMoved(last) && before.epoch === now.epoch && before.n <= now.n)

/** The first batches that fit into a page. */
function pageOf(batches: readonly BatchKey[]): BatchKey[] {
  let bytes = 0
  const end = batches.findIndex((batch, i) => {
    bytes += batch.bytes
    return i > 0 && bytes > pageBytes
  })
  return batches.slice(0, end < 0 ? batches.length : end)
}
