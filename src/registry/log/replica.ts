import type { TypedEventTarget } from 'main-event'
import { equals } from 'uint8arrays/equals'
import { plainBytes } from '../../identity/key-id.ts'
import { LimitError, LogMismatchError } from '../../runtime/errors.ts'
import { type Checkpoint, openCheckpointAsync } from '../objects/checkpoint.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { EvidenceRow, LogItem } from '../store/log-rows.ts'
import { follow, NeedsSnapshotError } from './apply-entries.ts'
import { compactLog } from './compact-log.ts'
import { AuthorityRevocations } from './epochs/authority-revocations.ts'
import { delegationKinds } from './epochs/voided-entries.ts'
import { keepingProof } from './forks/fork-evidence.ts'
import { Ledger, type LedgerComponents } from './ledger.ts'
import type { ReplicaEvents } from './log-events.ts'
import { type OpenedEntry, openEntries } from './open-entries.ts'
import { readPages } from './read-pages.ts'
import { SnapshotStage, type StagedPosition, type StageOptions } from './snapshots/snapshot.ts'
import type { LogKeys } from './state/log-keys.ts'
import type { Head, Member, NetworkState } from './state/network-state.ts'
import { comparePositions } from './state/position.ts'
import { readStoredEntry } from './state/stored-entry.ts'
import { genesisOf } from './stored-genesis.ts'
import { verifyMembershipProof } from './verify-membership-proof.ts'

export type { ReplicaEvents } from './log-events.ts'
export type { StagedPosition } from './snapshots/snapshot.ts'

/** Entries that one `apply` or `stage` takes: what fits into some frames, and into one transaction without a pause. */
const maxEntries = 10_000
/** A checkpoint further ahead of the own clock says nothing about the time. */
const maxAheadMs = 600_000
export interface ReplicaInit extends LedgerComponents {
  /** Envelope; without it the store must hold one. */
  genesis?: Uint8Array
}

/** Entries that were verified as far as each can be by itself. */
export interface VerifiedEntries {
  readonly entries: readonly OpenedEntry[]
  readonly checkpoint: Signed<Checkpoint> | undefined
}

/** The place at which a reader goes on. */
export type ResumePoint = { readonly mode: 'delta'; readonly afterN: number } | { readonly mode: 'snapshot' }

/** Judges admissions that are in the log. */
export interface Judge {
  /** False for one that too few witnesses have seen in time. */
  counts(member: Pick<Member, 'admitN' | 'admit'>): boolean
}

/** A verified copy of the network's log, and what it says. Follows whatever carrier brings entries: none of them is trusted. */
export class Replica {
  readonly networkId: Uint8Array
  readonly genesis: Signed<Genesis>
  readonly ledger: Ledger
  /** Revokes that are kept beside the log and in force. */
  readonly authorityRevocations: AuthorityRevocations
  readonly #stage: SnapshotStage
  /** Judge of admissions; undefined: all count. */
  judge: Judge | undefined
  #timeMs = 0
  #needsSnapshot = false
  #delegations: { keys: LogKeys; envelopes: Uint8Array[] } | undefined

  constructor(ledger: Ledger) {
    this.ledger = ledger
    this.genesis = ledger.genesis
    this.networkId = ledger.genesis.hash
    this.authorityRevocations = new AuthorityRevocations(ledger)
    this.#stage = new SnapshotStage(ledger)
  }

  get events(): TypedEventTarget<ReplicaEvents> {
    return this.ledger.events
  }

  /** Ask for it each time: a snapshot or a new epoch replaces it. */
  get state(): NetworkState {
    return this.ledger.state
  }

  /** Head of what is durable. */
  get head(): Head {
    return this.ledger.head
  }

  /** The newest that is verified; undefined: only the genesis is known. */
  get checkpoint(): Signed<Checkpoint> | undefined {
    return this.ledger.checkpoint
  }

  /** Entries at or below it that are not live may be gone: who holds less needs a snapshot. */
  get floor(): number {
    return this.ledger.floor
  }

  /** True while nothing is followed because one epoch has two histories. */
  get isForked(): boolean {
    return this.ledger.forkedEpoch !== undefined
  }

  /** The time by which memberships expire: of the newest checkpoint that is not ahead of the own clock. 0: none yet. */
  get timeMs(): number {
    const timeMs = this.checkpoint?.value.timeMs ?? 0
    const latestMs = this.ledger.clock.now() + maxAheadMs
    // A time from a moment in which the own clock was wrong is not kept.
    if (this.#timeMs > latestMs) this.#timeMs = 0
    if (timeMs > this.#timeMs && timeMs <= latestMs) this.#timeMs = timeMs
    return this.#timeMs
  }

  /** True for a key that is admitted, not revoked and, at that time of the log, not expired; and whose admission counts. */
  isMember(publicKey: Uint8Array, atMs: number = this.timeMs): boolean {
    const member = this.#living(publicKey, atMs)
    return member !== undefined && this.#counts(member)
  }

  /** True for a key that is a member but for the witnesses who have not seen its admission. */
  isHeldBack(publicKey: Uint8Array): boolean {
    const member = this.#living(publicKey, this.timeMs)
    return member !== undefined && !this.#counts(member)
  }

  #living(publicKey: Uint8Array, atMs: number): Member | undefined {
    const member = this.state.member(publicKey)
    return member !== undefined && member.notAfterMs >= atMs && !this.state.isRevoked(publicKey) ? member : undefined
  }

  #counts(member: Member): boolean {
    return this.judge === undefined || this.judge.counts(member)
  }

  /** undefined: an epoch that is not known here. */
  logKeyOf(epoch: number): Uint8Array | undefined {
    return this.state.logKeyOf(epoch)
  }

  /** Lowest position at which a later epoch branched off; undefined: none did. */
  forkPointAfter(epoch: number): number | undefined {
    return this.state.keys.forkPointAfter(epoch)
  }

  /** Hash of entry n; undefined: above the head, or compacted. */
  linkHash(n: number): Uint8Array | undefined {
    return this.ledger.linkHash(n)
  }

  /**
   * Takes in entries (ascending, without a gap; those that are known are skipped) and the checkpoint that stands on the last one or
   * on an older one. All of it is verified, and stored in one transaction or not at all.
   *
   * @throws LogMismatchError when they do not follow from what is held; ForkError when they prove a second history
   * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError, LimitError
   */
  async apply(entries: readonly Uint8Array[], checkpoint?: Uint8Array): Promise<{ applied: number }> {
    return await this.follow(await this.verify(entries, checkpoint))
  }

  /**
   * The first half of `apply`, which needs nothing of what is held: signatures, those of the envelopes inside, and the order. So it can
   * go on while what comes before is stored.
   * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError, LimitError, LogMismatchError
   */
  async verify(entries: readonly Uint8Array[], checkpoint?: Uint8Array): Promise<VerifiedEntries> {
    if (entries.length > maxEntries) throw new LimitError(`${entries.length} entries at once: ${maxEntries} are taken`)
    const opened = await openEntries(entries, this.networkId)
    return {
      entries: opened,
      checkpoint: checkpoint === undefined ? undefined : await openCheckpointAsync(checkpoint, this.networkId)
    }
  }

  /** The second half: chain, rules and state root, and one transaction. @throws LogMismatchError, ForkError */
  async follow({ entries, checkpoint }: VerifiedEntries): Promise<{ applied: number }> {
    try {
      const applied = await this.ledger.exclusive(() =>
        keepingProof(this.ledger, () => follow(this.ledger, entries, checkpoint))
      )
      if (applied > 0) this.#needsSnapshot = false
      return { applied }
    } catch (error) {
      if (error instanceof NeedsSnapshotError) this.#needsSnapshot = true
      throw error
    }
  }

  /**
   * Takes the next entries of a snapshot: live ones of its checkpoint, ascending, the genesis first. Kept over restarts; becomes the
   * replica when it is complete and its state root is right. The checkpoint is needed at the beginning, with the delegations that lead to its
   * key where its epoch is not known; another one begins anew.
   *
   * @throws LogMismatchError, ForkError and what opening throws
   */
  async stage(
    entries: readonly Uint8Array[],
    checkpoint?: Uint8Array,
    options: StageOptions = {}
  ): Promise<StagedPosition> {
    if (entries.length > maxEntries) throw new LimitError(`${entries.length} entries at once: ${maxEntries} are taken`)
    const position = await this.ledger.exclusive(() =>
      keepingProof(this.ledger, () => this.#stage.stage(entries, checkpoint, options))
    )
    if (position.done) this.#needsSnapshot = false
    return position
  }

  /** Once, before anything else. */
  openStage(): Promise<void> {
    return this.#stage.open()
  }

  /** A snapshot that is on its way, to go on with. */
  staged(): StagedPosition | undefined {
    return this.#stage.position
  }

  /** That source sends no more of a snapshot: another one may go on with it at once. */
  leaveStage(from: string): void {
    this.#stage.leave(from)
  }

  /** Gives up what is on its way: whoever sends it has no more and it is not complete. */
  async dropStaged(from?: string): Promise<void> {
    await this.ledger.exclusive(() => this.#stage.drop(from))
  }

  /** The position to ask others from: they send what follows it or, with an empty hash, a snapshot. */
  position(): Head {
    const { epoch, n, hash } = this.head
    return this.#needsSnapshot ? { epoch: 0, n: 0, hash: new Uint8Array() } : { epoch, n, hash }
  }

  /** From where somebody who stands there is served. */
  resumePoint({ epoch, n, hash }: Head): ResumePoint {
    const { head, floor } = this
    if (hash.length === 0) return { mode: 'snapshot' }
    // Somebody who is ahead of us, in a newer epoch or in ours: there is nothing to send.
    if (comparePositions({ epoch, n }, head) > 0) return { mode: 'delta', afterN: head.n }
    const afterN = Math.min(n, this.forkPointAfter(epoch) ?? n)
    const isSame = afterN < n || equals(this.linkHash(n) ?? hash, hash)
    if (afterN < floor) return { mode: 'snapshot' }
    if (isSame) return { mode: 'delta', afterN }
    // Two histories: of one epoch the entry itself proves it, of an older one the authority has decided.
    return epoch === head.epoch && n > floor ? { mode: 'delta', afterN: n - 1 } : { mode: 'snapshot' }
  }

  /** Entries behind n, ascending, as many as fit but at least one when there is one. */
  read(afterN: number, limitBytes: number): LogItem[] {
    return readPages(afterN, limitBytes, (after, rows) => this.ledger.table.items(after, rows))
  }

  /** Entries of the snapshot at a position (of a checkpoint, not below the floor) behind n; from -1 on, the genesis first. */
  readLive(afterN: number, limitBytes: number, atN: number): LogItem[] {
    return readPages(afterN, limitBytes, (after, rows) => this.ledger.table.livePage(after, atN, rows))
  }

  /** True when the snapshot at that position can be read here. */
  hasSnapshotAt(epoch: number, n: number): boolean {
    return n >= this.floor && n <= this.head.n && this.state.keys.isValidAt(epoch, n)
  }

  /** Envelopes of the delegate and authority entries, in log order: they lead from the genesis to today's log key. */
  delegations(): Uint8Array[] {
    const { keys } = this.state
    if (this.#delegations?.keys !== keys) {
      const items = this.ledger.table.ofKinds(...delegationKinds)
      this.#delegations = { keys, envelopes: items.map(({ envelope }) => plainBytes(envelope)) }
    }
    return this.#delegations.envelopes
  }

  /** Envelope of the registry-set entry of a key. */
  registrySetEntry(publicKey: Uint8Array): Uint8Array | undefined {
    const row = this.state.registry(publicKey)
    return row === undefined ? undefined : this.ledger.source(row.n).bytes
  }

  /**
   * The member that entries shown in a hello prove, also when they are not held yet.
   * @throws RevokedError, NotMemberError, LogMismatchError (an epoch that is not known, a wrong signer, a void entry) …
   */
  verifyShown(
    admit: Uint8Array,
    renew: Uint8Array | undefined,
    remoteKey: Uint8Array,
    registrySet?: Uint8Array
  ): Member {
    const { state, networkId, timeMs } = this
    const linkHash = (n: number) => this.linkHash(n)
    const init = { state, keys: state.keys, networkId, timeMs, linkHash }
    return verifyMembershipProof(admit, renew, remoteKey, init, registrySet)
  }

  /**
   * Judges a checkpoint that somebody shows. One for our head is taken in; a higher one is told as `newer`.
   * @throws LogMismatchError when no key that is known here signed it, ForkError when it proves a second history
   */
  async observe(bytes: Uint8Array): Promise<'newer' | 'known'> {
    const checkpoint = await openCheckpointAsync(bytes, this.networkId)
    const { epoch, n } = checkpoint.value
    if (epoch === this.head.epoch && n > this.head.n) {
      if (!this.state.keys.isKeyOf(epoch, checkpoint.signer)) {
        throw new LogMismatchError(`the checkpoint at ${n} is not signed by the log key of epoch ${epoch}`)
      }
      this.ledger.events.safeDispatchEvent('newer', { detail: { checkpoint } })
      return 'newer'
    }
    // Made void by an epoch that is known here: the authority has decided, and nothing of it is missing.
    const { keys } = this.state
    if (keys.isKeyOf(epoch, checkpoint.signer) && !keys.isValidAt(epoch, n)) return 'known'
    await this.ledger.exclusive(() => keepingProof(this.ledger, () => follow(this.ledger, [], checkpoint)))
    return 'known'
  }

  /** Drops entries that were superseded long ago. Gives the number of them. */
  async compact(): Promise<number> {
    return await compactLog(this.ledger, this.timeMs)
  }

  /** Proofs that one epoch has two histories. */
  forks(): EvidenceRow[] {
    return [...this.ledger.evidence('fork')]
  }

  /** Entries that a new epoch cut off, oldest first: the new root enters their revokes again, and admissions on the operator's word. */
  voided(): Signed<LogEntry>[] {
    return [...this.ledger.evidence('void')].map(({ envelope }) => readStoredEntry(envelope))
  }
}

/**
 * Opens the replica in a store, or begins one with a genesis.
 * @throws StoreError when the log in the store is damaged or of another network; LogMismatchError when there is no genesis at all
 */
export async function openReplica(init: ReplicaInit): Promise<Replica> {
  const replica = new Replica(await Ledger.open(init, genesisOf(init)))
  await replica.openStage()
  return replica
}
