import { equals } from 'uint8arrays/equals'
import { keyId } from '../../../identity/key-id.ts'
import { LogMismatchError } from '../../../runtime/errors.ts'
import type { EntryContent, LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { Genesis } from '../../objects/genesis.ts'
import type { Policy } from '../../objects/policy/policy.ts'
import { checkUnderstood } from '../../objects/policy/understood.ts'
import { Effects } from './effects.ts'
import { LiveEntries } from './live-entries.ts'
import { authorityRow, type LogEpoch, LogKeys, logKeyRow } from './log-keys.ts'
import { rootOf } from './member-rules.ts'
import { MerkleTree, type RowWitness, type StateTag } from './merkle-tree.ts'
import { checkOrders, type OrderedContent } from './order-rules.ts'
import type { LogPosition } from './position.ts'
import type { Proofs } from './proofs.ts'
import type {
  DocumentRow,
  DocumentTotals,
  EntrySource,
  GrantRow,
  HeldName,
  Member,
  OperatorRow,
  PolicyRow,
  PublisherRow,
  RegistryRow,
  RevokedRow
} from './rows.ts'
import type { RuleContext } from './rule-context.ts'
import { checkRules, mayPublish } from './rules.ts'
import { Tables } from './tables.ts'
import { Journal } from './undo-log.ts'

export type { Proofs } from './proofs.ts'
/** Keys, as keyId gives them, that count as revoked although the log does not say so. */
export type EnforcedKeys = Pick<ReadonlySet<string>, 'has'> & Iterable<string>

export type {
  DocumentRow,
  EntrySource,
  GrantRow,
  Member,
  OperatorRow,
  PublisherRow,
  RegistryRow,
  RevokedRow
} from './rows.ts'

/** The newest entry. */
export interface Head extends LogPosition {
  readonly hash: Uint8Array
}

/**
 * State that the log leads to at its head: members, names, revoked keys, registries, log keys, documents. Pure: made of entries alone, in memory,
 * with a tree that commits to all of it. Time has no part in it.
 */
export class NetworkState {
  readonly genesis: Signed<Genesis>
  readonly #tree = new MerkleTree()
  readonly #journal = new Journal()
  readonly #tables: Tables
  readonly #effects: Effects
  readonly #live = new LiveEntries(this.#journal)
  /** Shut out although the log does not say so (any more): by revokes of the authority, or that a new epoch made void. */
  readonly #enforced: EnforcedKeys
  #keys: LogKeys
  #head: Head

  /** `source` reads entries back from the store; `enforced` holds keyId of keys that count as revoked. */
  constructor(genesis: Signed<Genesis>, source: EntrySource, enforced: EnforcedKeys = new Set()) {
    this.genesis = genesis
    const first = { policy: genesis.value.policy, n: 0, hash: genesis.hash }
    this.#tables = new Tables(this.#tree, this.#journal, first)
    this.#effects = new Effects(this.#tables, source)
    this.#enforced = enforced
    this.#keys = LogKeys.of(genesis)
    this.#head = { epoch: 0, n: 0, hash: genesis.hash }
    this.#live.add(0, genesis.bytes.length)
    this.#writeKeys()
  }

  get head(): Head {
    return this.#head
  }

  get keys(): LogKeys {
    return this.#keys
  }

  /** Live entries, the genesis among them. */
  get rows(): number {
    return this.#live.size
  }

  /** Bytes of the envelopes of all live entries. */
  get bytes(): number {
    return this.#live.bytes
  }

  root(): Uint8Array {
    return this.#tree.root()
  }

  /** Positions of the live entries: the compacted log. */
  live(): number[] {
    return this.#live.positions()
  }

  member(publicKey: Uint8Array): Member | undefined {
    return this.#tables.members.get(keyId(publicKey))
  }

  memberByName(name: string): Member | undefined {
    return this.#tables.names.get(name)
  }

  /** In no order. */
  members(): IterableIterator<Member> {
    return this.#tables.members.values()
  }

  get memberCount(): number {
    return this.#tables.members.size
  }

  /** By the log, or by a revoke that is enforced until the root has entered it. */
  isRevoked(publicKey: Uint8Array): boolean {
    const key = keyId(publicKey)
    return this.#tables.revoked.has(key) || this.#enforced.has(key)
  }

  /** By the log itself. */
  revoked(publicKey: Uint8Array): RevokedRow | undefined {
    return this.#tables.revoked.get(keyId(publicKey))
  }

  /** True while a key is shut out of which the log says nothing. */
  get hasUnenteredRevokes(): boolean {
    for (const key of this.#enforced) if (!this.#tables.revoked.has(key)) return true
    return false
  }

  revokedKeys(): IterableIterator<RevokedRow> {
    return this.#tables.revoked.values()
  }

  /** Shows what the state root says of one row. */
  witness(tag: StateTag, key: Uint8Array): RowWitness {
    return this.#tree.witness(tag, key)
  }

  registries(): RegistryRow[] {
    return [...this.#tables.registries.values()]
  }

  registry(publicKey: Uint8Array): RegistryRow | undefined {
    return this.#tables.registries.get(keyId(publicKey))
  }

  /** The registry that was entered as root last. */
  rootRegistry(): RegistryRow | undefined {
    return rootOf(this.#tables.registries.values())
  }

  /** The last one: of an entry, or of the genesis. */
  get policy(): Policy {
    return this.#tables.policy.policy
  }

  /** With the place of its entry. */
  get policyRow(): PolicyRow {
    return this.#tables.policy
  }

  /** An open invite. */
  grant(id: Uint8Array): GrantRow | undefined {
    return this.#tables.grants.get(keyId(id))
  }

  /** Open invites, in the order in which they were made. */
  grants(): IterableIterator<GrantRow> {
    return this.#tables.grants.values()
  }

  get grantCount(): number {
    return this.#tables.grants.size
  }

  /** The revoke that a name goes back to which nobody has now. */
  heldName(name: string): HeldName | undefined {
    return this.#tables.names.has(name) ? undefined : this.#tables.heldNames.get(name)
  }

  /** Those whose orders count, in the order in which they were entered. */
  operators(): OperatorRow[] {
    return [...this.#tables.operators.values()]
  }

  operator(publicKey: Uint8Array): OperatorRow | undefined {
    return this.#tables.operators.get(keyId(publicKey))
  }

  publishers(): PublisherRow[] {
    return [...this.#tables.publishers.values()]
  }

  documents(): IterableIterator<DocumentRow> {
    return this.#tables.documents.values()
  }

  /** Totals of the documents that are current. */
  get currentDocuments(): DocumentTotals {
    return this.#tables.currentDocuments
  }

  /** Totals of those that this key has published. */
  documentsOf(publisherKey: Uint8Array): DocumentTotals {
    return this.#tables.documentsOf(publisherKey)
  }

  document(id: string): DocumentRow | undefined {
    return this.#tables.documents.get(id)
  }

  /** Tells whether the key may publish documents now. */
  mayPublish(publicKey: Uint8Array): boolean {
    return mayPublish(publicKey, { tables: this.#tables, keys: this.#keys })
  }

  logKeyOf(epoch: number): Uint8Array | undefined {
    return this.#keys.keyOf(epoch)
  }

  /** The place where an epoch branched off. */
  forkPoint(epoch: number): LogEpoch | undefined {
    return this.#keys.epochs.find((each) => each.epoch === epoch)
  }

  /**
   * Judges the entry that is to follow the head. Its signature is valid: that was checked when it was opened.
   * @throws LogMismatchError, RevokedError, NotMemberError, NameTakenError, NotFoundError
   */
  check(entry: Signed<LogEntry>, proofs: Proofs | undefined): void {
    const { n, prevHash } = entry.value
    if (n !== this.#head.n + 1) throw new LogMismatchError(`entry ${n}, where ${this.#head.n + 1} is due`)
    if (!equals(prevHash, this.#head.hash)) {
      throw new LogMismatchError(`entry ${n} does not follow from entry ${this.#head.n} that is held`)
    }
    this.#checkSigner(entry)
    this.checkContent(entry.value, entry.value.timeMs, proofs)
  }

  /**
   * Checks that a body may follow the head, before it is signed.
   * @throws RevokedError, NotMemberError, NameTakenError, NotFoundError, LogMismatchError
   */
  checkContent(content: OrderedContent, timeMs: number, proofs: Proofs | undefined): void {
    checkOrders(content, this.#context(timeMs, proofs))
    this.checkRules(content, timeMs, proofs)
  }

  /** The same without the question who ordered it. */
  checkRules(content: EntryContent | LogEntry, timeMs: number, proofs: Proofs | undefined): void {
    checkRules(content, this.#context(timeMs, proofs))
  }

  #context(timeMs: number, proofs: Proofs | undefined): RuleContext {
    return { tables: this.#tables, keys: this.#keys, headN: this.#head.n, timeMs, proofs }
  }

  #checkSigner(entry: Signed<LogEntry>): void {
    const { value, signer } = entry
    if (!equals(value.networkId, this.genesis.hash))
      throw new LogMismatchError(`entry ${value.n} is of another network`)
    if (value.kind === 'delegate') {
      this.#keys.afterDelegate(entry)
      return
    }
    if (value.epoch !== this.#head.epoch) {
      throw new LogMismatchError(`entry ${value.n} is of epoch ${value.epoch}, the log is in epoch ${this.#head.epoch}`)
    }
    if (value.kind === 'authority') this.#keys.afterAuthority(entry)
    else if (!this.#keys.isKeyOf(value.epoch, signer)) {
      throw new LogMismatchError(`entry ${value.n} is not signed by the log key of epoch ${value.epoch}`)
    }
  }

  /** Takes an entry in that `check` let pass; gives the positions that it superseded. */
  apply(entry: Signed<LogEntry>): number[] {
    const before = { head: this.#head, keys: this.#keys }
    this.#journal.record(() => {
      this.#head = before.head
      this.#keys = before.keys
    })
    const { n, epoch, kind } = entry.value
    this.#live.add(n, entry.bytes.length)
    if (kind === 'delegate') this.#keys = this.#keys.afterDelegate(entry)
    if (kind === 'authority') this.#keys = this.#keys.afterAuthority(entry)
    if (this.#keys !== before.keys) this.#writeKeys()
    const superseded = this.#effects.apply(entry)
    for (const position of superseded) this.#live.drop(position)
    this.#head = { epoch, n, hash: entry.hash }
    return superseded
  }

  /**
   * Takes in the next entry of a compacted log, of which those that were superseded are missing. Checks order, signer and, where the
   * entry before is there, the chain; what only the missing ones could show is up to the state root.
   * @throws LogMismatchError
   */
  load(entry: Signed<LogEntry>): void {
    const { n, prevHash } = entry.value
    const { head } = this
    if (n <= head.n) throw new LogMismatchError(`entry ${n} comes after entry ${head.n}`)
    if (n === head.n + 1 && !equals(prevHash, head.hash)) {
      throw new LogMismatchError(`entry ${n} does not follow from entry ${head.n} before it`)
    }
    this.#checkSigner(entry)
    if (entry.value.kind === 'policy') checkUnderstood(entry.value.body)
    if (this.apply(entry).length > 0) throw new LogMismatchError(`entry ${n} supersedes one that should be gone`)
  }

  /** Ends the loading of a compacted log: its last entry may be one that is not live. @throws LogMismatchError */
  finishLoad(head: Head): void {
    const isBehind = this.#head.n < head.n
    const isSame = this.#head.n === head.n && equals(this.#head.hash, head.hash)
    if (this.#head.epoch !== head.epoch || !(isBehind || isSame)) {
      throw new LogMismatchError(`the entries end at ${this.#head.n}, not at ${head.n} as the checkpoint says`)
    }
    this.#head = head
  }

  /** From here on every change can be taken back, until `settle`. */
  begin(): void {
    this.#journal.start()
  }

  mark(): number {
    return this.#journal.mark()
  }

  undoTo(mark: number): void {
    this.#journal.undoTo(mark)
  }

  settle(): void {
    this.#journal.settle()
  }

  #writeKeys(): void {
    const authority = authorityRow(this.#keys)
    this.#tables.write('authority', authority.key, authority.value)
    for (const epoch of this.#keys.epochs) {
      const { key, value } = logKeyRow(epoch)
      this.#tables.write('log-keys', key, value)
    }
  }
}
