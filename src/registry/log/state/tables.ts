import { fromString } from 'uint8arrays/from-string'
import { keyId } from '../../../identity/key-id.ts'
import type { MerkleTree, StateTag } from './merkle-tree.ts'
import {
  type DocumentRow,
  type DocumentTotals,
  documentValue,
  type GrantRow,
  grantValue,
  type HeldName,
  type MemberRow,
  type OperatorRow,
  type PolicyRow,
  type PublisherRow,
  type RegistryRow,
  type RevokedRow,
  shareOf
} from './rows.ts'
import { type Journal, JournaledMap } from './undo-log.ts'

/** The rows that the log's entries make, each in its map and in the tree. */
export class Tables {
  readonly members: JournaledMap<string, MemberRow>
  /** By name. */
  readonly names: JournaledMap<string, MemberRow>
  readonly revoked: JournaledMap<string, RevokedRow>
  readonly registries: JournaledMap<string, RegistryRow>
  readonly publishers: JournaledMap<string, PublisherRow>
  readonly operators: JournaledMap<string, OperatorRow>
  /** By id. */
  readonly documents: JournaledMap<string, DocumentRow>
  /** Open invites by id. */
  readonly grants: JournaledMap<string, GrantRow>
  /** By name. Follows from the revokes, which stay in the log, so it needs no place in the tree. */
  readonly heldNames: JournaledMap<string, HeldName>
  readonly #tree: MerkleTree
  readonly #journal: Journal
  #policy: PolicyRow
  #current: DocumentTotals = noDocuments
  /** The same of each publisher. */
  readonly #ofPublishers: JournaledMap<string, DocumentTotals>

  constructor(tree: MerkleTree, journal: Journal, first: PolicyRow) {
    this.#tree = tree
    this.#journal = journal
    this.members = new JournaledMap(journal)
    this.names = new JournaledMap(journal)
    this.revoked = new JournaledMap(journal)
    this.registries = new JournaledMap(journal)
    this.publishers = new JournaledMap(journal)
    this.operators = new JournaledMap(journal)
    this.documents = new JournaledMap(journal)
    this.#ofPublishers = new JournaledMap(journal)
    this.grants = new JournaledMap(journal)
    this.heldNames = new JournaledMap(journal)
    this.#policy = first
    this.putPolicy(first)
  }

  get policy(): PolicyRow {
    return this.#policy
  }

  putPolicy(row: PolicyRow): void {
    const before = this.#policy
    this.#journal.record(() => {
      this.#policy = before
    })
    this.#policy = row
    this.write('policy', new Uint8Array(), row.hash)
  }

  putGrant(row: GrantRow): void {
    this.grants.set(row.key, row)
    this.write('grants', row.grant.id, grantValue(row))
  }

  dropGrant(row: GrantRow): void {
    this.grants.delete(row.key)
    this.write('grants', row.grant.id, undefined)
  }

  /** Keeps the entry of a membership that is over: this entry, its admission or its end, is needed as long as the invite is open. */
  keepUse(row: GrantRow, n: number): void {
    row.past.add(n)
    this.#journal.record(() => row.past.delete(n))
  }

  /** Keeps the invite from letting that member in again. One that is to go when it is offline comes back when it is online. */
  shutOut(row: GrantRow, { publicKey, ephemeralMs }: MemberRow): void {
    const key = keyId(publicKey)
    if (ephemeralMs !== undefined || row.ended.has(key)) return
    row.ended.add(key)
    this.#journal.record(() => row.ended.delete(key))
  }

  /** Puts a row of the tree, or takes it away without a value. */
  write(tag: StateTag, key: Uint8Array, value: Uint8Array | undefined): void {
    const before = value === undefined ? this.#tree.delete(tag, key) : this.#tree.put(tag, key, value)
    if (this.#journal.isRecording) this.#journal.record(() => this.#tree.restore(tag, key, before))
  }

  /** Puts the row in place of `before`, the member's row until now, maybe under another key. The name goes with it. */
  putMember(row: MemberRow, before: MemberRow): void {
    this.#putRow(row, before)
    if (this.#hasName(before)) this.#putName(row)
  }

  /** The same, and gives the member its name. */
  nameMember(row: MemberRow, before: MemberRow | undefined): void {
    this.#putRow(row, before)
    if (before !== undefined && before.name !== row.name) this.#dropName(before)
    this.#putName(row)
  }

  #putRow(row: MemberRow, before: MemberRow | undefined): void {
    const key = keyId(row.publicKey)
    if (before !== undefined && keyId(before.publicKey) !== key) this.#dropKey(before)
    this.members.set(key, row)
    this.write('members', row.publicKey, row.value)
  }

  #putName(row: MemberRow): void {
    const holder = this.names.get(row.name)
    this.names.set(row.name, row)
    const isNew = holder === undefined || keyId(holder.publicKey) !== keyId(row.publicKey)
    if (isNew) this.write('names', fromString(row.name), row.publicKey)
  }

  /** False in a compacted log, without the change by which it gave the name away, when another one has got it since. */
  #hasName({ name, publicKey }: MemberRow): boolean {
    const holder = this.names.get(name)
    return holder !== undefined && keyId(holder.publicKey) === keyId(publicKey)
  }

  dropMember(row: MemberRow): void {
    this.#dropKey(row)
    this.#dropName(row)
  }

  #dropKey(row: MemberRow): void {
    this.members.delete(keyId(row.publicKey))
    this.write('members', row.publicKey, undefined)
  }

  #dropName(row: MemberRow): void {
    if (!this.#hasName(row)) return
    this.names.delete(row.name)
    this.write('names', fromString(row.name), undefined)
  }

  putRevoked(row: RevokedRow): void {
    this.revoked.set(keyId(row.publicKey), row)
    this.write('revoked', row.publicKey, row.hash)
  }

  putRegistry(row: RegistryRow): void {
    this.registries.set(keyId(row.publicKey), row)
    this.write('registries', row.publicKey, row.hash)
  }

  dropRegistry(publicKey: Uint8Array): void {
    this.registries.delete(keyId(publicKey))
    this.write('registries', publicKey, undefined)
  }

  putPublisher(row: PublisherRow, hash: Uint8Array): void {
    this.publishers.set(keyId(row.publicKey), row)
    this.write('publishers', row.publicKey, hash)
  }

  dropPublisher(publicKey: Uint8Array): void {
    this.publishers.delete(keyId(publicKey))
    this.write('publishers', publicKey, undefined)
  }

  putOperator(row: OperatorRow): void {
    this.operators.set(keyId(row.publicKey), row)
    this.write('operators', row.publicKey, row.hash)
  }

  dropOperator(publicKey: Uint8Array): void {
    this.operators.delete(keyId(publicKey))
    this.write('operators', publicKey, undefined)
  }

  /** Totals of the documents that are not retired: a publish is judged by them, without a look at each. */
  get currentDocuments(): DocumentTotals {
    return this.#current
  }

  /** Totals of those that this key has published. */
  documentsOf(publisherKey: Uint8Array): DocumentTotals {
    return this.#ofPublishers.get(keyId(publisherKey)) ?? noDocuments
  }

  #putTotals(publisherKey: Uint8Array, change: (before: DocumentTotals) => DocumentTotals): void {
    const totals = change(this.documentsOf(publisherKey))
    if (totals.count > 0) this.#ofPublishers.set(keyId(publisherKey), totals)
    else this.#ofPublishers.delete(keyId(publisherKey))
  }

  putDocument(row: DocumentRow): void {
    const before = this.#current
    this.#journal.record(() => {
      this.#current = before
    })
    const old = this.documents.get(row.id)
    this.#current = plus(minus(before, shareOf(old)), shareOf(row))
    if (old !== undefined) this.#putTotals(old.publisherKey, (totals) => minus(totals, shareOf(old)))
    this.#putTotals(row.publisherKey, (totals) => plus(totals, shareOf(row)))
    this.documents.set(row.id, row)
    this.write('documents', fromString(row.id), documentValue(row))
  }
}

const noDocuments: DocumentTotals = { count: 0, bytes: 0 }

const plus = (a: DocumentTotals, b: DocumentTotals): DocumentTotals => ({
  count: a.count + b.count,
  bytes: a.bytes + b.bytes
})

const minus = (a: DocumentTotals, b: DocumentTotals): DocumentTotals => ({
  count: a.count - b.count,
  bytes: a.bytes - b.bytes
})
