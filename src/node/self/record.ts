import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { keyId } from '../../identity/key-id.ts'
import type { SigningKey } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import { compareRecords, type NodeRecord, openRecord, sealRecord } from '../../registry/objects/record.ts'
import type { RecordStore } from '../../registry/objects/record-additions.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { fitting, withStores } from './fitting-record.ts'

/** Store in which the own record survives a restart. */
export interface SelfRecordStore {
  load(): Uint8Array | undefined
  save(envelope: Uint8Array): Promise<void>
  /** Tells whether it was restored from a backup, and does not know yet what was signed after that. */
  isRestored?(): boolean
}

export interface SelfRecordInit {
  networkId: Uint8Array
  key: SigningKey
  role: Role
  software: string
  store: SelfRecordStore
  /** Addresses of this node now; every record says so. */
  addrs: () => readonly string[]
  clock: Clock
  /** Its services now, whether it takes work, its relays, and the stores to name, the most important first. */
  offers?: () => Offers
}

/** The part of the record that a node decides; the rest follows from who it is. */
export type SelfChange = Partial<Pick<NodeRecord, 'registryKey' | 'reach' | 'left' | 'services' | 'tags'>>

type Offers = Pick<NodeRecord, 'services' | 'maintenance' | 'relayKeys'> & { stores?: readonly RecordStore[] }

const nothing: Offers = { services: [] }

/**
 * This node's own signed record. seq is one more than the highest that this key is known to have signed: the stored one, or
 * one that a registry shows with our signature under it. Never a clock, never a bare number from outside.
 */
export class SelfRecord {
  /** Random, of this run: tells it apart from another process with the same key. */
  readonly instance = Uint8Array.from(randomBytes(16))
  #current: Signed<NodeRecord> | undefined
  #highest = 0
  #issuing: Promise<unknown> = Promise.resolve()
  readonly #init: SelfRecordInit

  constructor(init: SelfRecordInit) {
    this.#init = init
    const stored = init.store.load()
    if (stored !== undefined) this.#adopt(stored)
  }

  /** True when this key may have signed newer ones than are known here. */
  get isRestored(): boolean {
    return this.#init.store.isRestored?.() === true
  }

  get current(): Signed<NodeRecord> | undefined {
    return this.#current
  }

  /** True when the newest record says what is so: a node that was away may have other addresses and another version now. */
  get isRight(): boolean {
    const current = this.#current?.value
    if (current === undefined || current.left || current.software !== this.#init.software) return false
    return isDeepStrictEqual(saidOf(this.#fitting(current, {})), saidOf(current))
  }

  /** A record that a registry holds for this key. false: it is not ours, or not newer. */
  learn(envelope: Uint8Array): boolean {
    try {
      return this.#adopt(envelope)
    } catch {
      return false
    }
  }

  #adopt(envelope: Uint8Array): boolean {
    const record = openRecord(envelope, this.#init.networkId)
    if (Buffer.compare(record.value.publicKey, this.#init.key.publicKey) !== 0) return false
    this.#highest = Math.max(this.#highest, record.value.seq)
    if (this.#current !== undefined && compareRecords(position(record), position(this.#current)) <= 0) return false
    this.#current = record
    return true
  }

  /** Signs, stores and gives the next record. One at a time, so two changes never get one seq. */
  async issue(change: SelfChange = {}): Promise<Signed<NodeRecord>> {
    const issued = this.#issuing.then(() => this.#issue(change))
    this.#issuing = issued.catch(() => undefined)
    return await issued
  }

  async #issue(change: SelfChange): Promise<Signed<NodeRecord>> {
    const { key, store } = this.#init
    const record = this.#fitting(this.#current?.value, change)
    const signed = sealRecord(record, key)
    await store.save(signed.bytes)
    this.#highest = record.seq
    this.#current = signed
    return signed
  }

  /** The record that says what is so now. */
  #fitting(before: NodeRecord | undefined, change: SelfChange): NodeRecord {
    const { networkId, key, role, software, clock, offers } = this.#init
    const { stores = [], ...offered } = offers?.() ?? nothing
    const record = fitting({
      networkId,
      publicKey: key.publicKey,
      addrs: [...this.#init.addrs()],
      reach: before?.reach ?? 'unknown',
      tags: [],
      left: false,
      ...offered,
      ...(before?.registryKey === undefined ? {} : { registryKey: before.registryKey }),
      ...change,
      seq: this.#highest + 1,
      roles: [role],
      software,
      issuedMs: clock.now()
    })
    return record.left ? record : withStores(record, stores)
  }
}

/** The part of a record that says how the node is now. */
const saidOf = ({ addrs, services, maintenance, relayKeys = [], stores = [] }: NodeRecord) => [
  addrs,
  services,
  maintenance,
  relayKeys.map(keyId),
  stores.map(({ name, digest }) => [name, keyId(digest)])
]

const position = (record: Signed<NodeRecord>) => ({ seq: record.value.seq, hash: record.hash })
