import { randomBytes } from 'node:crypto'
import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { NotMemberError, RevokedError, StaleRecordError } from '../../runtime/errors.ts'
import { bucketOf } from '../log/state/merkle-tree.ts'
import type { Signed } from '../objects/envelope.ts'
import {
  compareRecords,
  type NodeRecord,
  openRecordAsync,
  type RecordOrder,
  readStoredRecord
} from '../objects/record.ts'
import type { RecordRow, RecordTable } from '../store/record-table.ts'
import { FairQueue } from './fair-queue.ts'
import { RecordDigest } from './record-digest.ts'
import { defaultHeldLimits, type HeldLimits, UnadmittedRecords } from './unadmitted-records.ts'

/** Membership as far as it decides whose records are taken. */
export interface Membership {
  isMember(publicKey: Uint8Array): boolean
  isRevoked(publicKey: Uint8Array): boolean
}

export interface RecordCommit {
  write<T>(run: () => T): Promise<T>
  /** Told of the checks that lead to a write, so that writes can share a commit. */
  before?<T>(work: Promise<T>): Promise<T>
}

export interface RecordsInit {
  readonly networkId: Uint8Array
  readonly table: RecordTable
  readonly commit: RecordCommit
  readonly membership: Membership
  readonly limits?: Partial<HeldLimits>
  /** A record was accepted and is durable. */
  readonly onRecord?: (event: RecordEvent) => void
  /** Two different records with one seq: the key is used by two machines, or its seq was lost. */
  readonly onConflict?: (event: RecordConflict) => void
  readonly random?: (bytes: number) => Uint8Array
}

export interface RecordEvent {
  readonly record: Signed<NodeRecord>
  readonly change: number
  /** Source that it came from: session, sync, gossip, dht, … */
  readonly source: string
  /** Peer that sent it; the source where none is known. */
  readonly asker: string
}

export interface RecordConflict {
  readonly publicKey: Uint8Array
  readonly seq: number
  /** Envelopes of both. */
  readonly held: Uint8Array
  readonly offered: Uint8Array
}

export interface PutOptions {
  /** Source that it comes from, for those who listen. */
  readonly source?: string
  /** The peer that asks, and waits for its turn beside others. Default: the source. */
  readonly asker?: string
  /** The only key that may have signed it. Default: any member's. */
  readonly signer?: Uint8Array
  /** False: a record of somebody who is no member yet fails at once instead of waiting for the admit entry. */
  readonly hold?: boolean
  /** Called when it begins to wait for the admit entry. */
  readonly onHeld?: () => void
}

/** `accepted: false`: exactly this record is held already. */
export type PutResult =
  | { readonly accepted: true; readonly record: Signed<NodeRecord>; readonly change: number }
  | { readonly accepted: false }

export interface BucketPosition {
  readonly bucket: number
  readonly publicKey: Uint8Array
}

/** `next` is where the following page begins; without it, that was all. */
export interface RecordPage {
  readonly rows: RecordRow[]
  readonly next?: BucketPosition
}

/** Place of the key in an envelope: it is the first field, behind its tag, its length and the type of the key. */
const keyInEnvelope = { from: 6, to: 38 }
/** Signatures that are checked at once: four for each thread of the pool. Twice as many are 10 % faster, and a quiet peer waits twice as long. */
const verifyAtOnce = 16
const noKey = new Uint8Array(0)

/** Fate of a record, and the one that was held in its place. */
type Replaced =
  | { readonly change: number; readonly held: RecordRow | undefined }
  | { readonly change: undefined; readonly held: RecordRow }

/** Draws per record wanted, so that a sample ends also when few records pass. */
const drawsPerSample = 4

/** Chooses the one of two records of one key that stays: commutative, associative, idempotent, so replicas end at the same in any order. */
export const mergeRecords = <T extends RecordOrder>(a: T, b: T): T => (compareRecords(a, b) < 0 ? b : a)

/** The newest record of each member, from whomever it came. */
export class Records {
  readonly #init: RecordsInit
  readonly #held: UnadmittedRecords
  readonly #digest: RecordDigest
  readonly #turns = new FairQueue(verifyAtOnce)

  constructor(init: RecordsInit) {
    this.#init = init
    this.#held = new UnadmittedRecords({ ...defaultHeldLimits, ...init.limits })
    this.#digest = new RecordDigest(init.table)
  }

  /** Records that wait for the admission of their key. */
  get held(): number {
    return this.#held.size
  }

  /**
   * Verifies a record and keeps it, durably, when it is the newest of its key.
   *
   * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError when it is none of this network
   * @throws RevokedError, NotMemberError when its key is no member
   * @throws StaleRecordError when a newer one is held
   * @throws LimitError, UnavailableError when it cannot wait for the admission of its key
   */
  async put(bytes: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    const { signer, source = '', asker = source } = options
    if (this.#isHeldAlready(bytes, signer)) return { accepted: false }
    const { networkId, commit } = this.#init
    const open = () => openRecordAsync(bytes, networkId, signer === undefined ? {} : { signer })
    const checked = this.#turns.run(asker, open)
    const record = await (commit.before?.(checked) ?? checked)
    const { publicKey } = record.value
    this.#refuseRevoked(publicKey)
    if (!this.#init.membership.isMember(publicKey)) {
      if (options.hold === false) throw new NotMemberError('not a member: its admission is not known here')
      options.onHeld?.()
      await this.#held.wait(record, asker)
    }
    return await this.#store(record, source, asker)
  }

  get(publicKey: Uint8Array): RecordRow | undefined {
    return this.#init.table.get(publicKey)
  }

  /** The envelope alone. */
  envelopeOf(publicKey: Uint8Array): Uint8Array | undefined {
    return this.#init.table.envelopeOf(publicKey)
  }

  /** The same, decoded. */
  read(publicKey: Uint8Array): NodeRecord | undefined {
    const envelope = this.envelopeOf(publicKey)
    return envelope === undefined ? undefined : readStoredRecord(envelope)
  }

  /** True when its record names the service. */
  offers(publicKey: Uint8Array, service: string): boolean {
    return this.#init.table.offers(publicKey, service)
  }

  /** Keys whose record names the service, ascending, from behind `after`. */
  offering(service: string, after: Uint8Array, limit: number): Uint8Array[] {
    return this.#init.table.offering(service, after, limit)
  }

  count(): number {
    return this.#init.table.count()
  }

  /** Everybody whose record is kept. Nothing may be written while it is read. */
  *keys(): Generator<Uint8Array> {
    for (const { publicKey } of this.#init.table.positions()) yield publicKey
  }

  /** Rows behind a position in ascending order of change: who reads on from the last one sees every latest version once. */
  changesAfter(change: number, limit: number): RecordRow[] {
    return this.#init.table.changesAfter(change, limit)
  }

  /** The highest position of this store; it never goes back. */
  lastChange(): number {
    return this.#init.table.lastChange()
  }

  /** Before `digest`, where the event loop must not be held by the records of a large network. */
  prepareDigest(): Promise<void> {
    return this.#digest.prepare()
  }

  /** 4,096 bucket digests of 8 bytes: where two stores differ, so do they. */
  digest(): Uint8Array {
    return this.#digest.bytes()
  }

  /** Rows of these buckets (ascending), a page at a time. */
  inBuckets(buckets: readonly number[], after: BucketPosition | undefined, limit: number): RecordPage {
    const rows: RecordRow[] = []
    for (const bucket of buckets) {
      if (after !== undefined && bucket < after.bucket) continue
      const from = after?.bucket === bucket ? after.publicKey : noKey
      rows.push(...this.#init.table.inBucket(bucket, from, limit - rows.length))
      const last = rows.at(-1)
      if (rows.length >= limit && last !== undefined) return { rows, next: { bucket, publicKey: last.publicKey } }
    }
    return { rows }
  }

  /** At most `count` different records, drawn at random from those that pass. */
  sample(count: number, passes: (row: RecordRow) => boolean = () => true): RecordRow[] {
    const random = this.#init.random ?? randomBytes
    const drawn = new Map<string, RecordRow>()
    const seen = new Set<string>()
    const total = this.count()
    // Behind the last key comes the first.
    const first = this.#init.table.nearest(noKey)
    if (first === undefined) return []
    for (let draw = 0; draw < count * drawsPerSample && drawn.size < count && seen.size < total; draw++) {
      // Keys are uniform, so the next one above a random point is as good as any.
      let row = this.#init.table.nearest(random(32)) ?? first
      // In a small network most points lead to one that was drawn before: take its successor.
      while (seen.has(keyId(row.publicKey))) row = this.#init.table.following(row.publicKey) ?? first
      seen.add(keyId(row.publicKey))
      if (passes(row)) drawn.set(keyId(row.publicKey), row)
    }
    return [...drawn.values()]
  }

  /** The admit entry of a key is known now: its record need not wait any longer. */
  admitted(publicKey: Uint8Array): void {
    this.#held.admitted(publicKey)
  }

  /** The membership ended, and the record with it. */
  async forget(publicKey: Uint8Array): Promise<void> {
    const { table, commit } = this.#init
    const wasThere = await commit.write(() => table.delete(publicKey))
    if (wasThere) this.#digest.delete(publicKey)
  }

  close(): void {
    this.#held.close()
  }

  /** Spares the check of a signature that was checked before: most of what gossip and digests bring is known. */
  #isHeldAlready(bytes: Uint8Array, signer: Uint8Array | undefined): boolean {
    const publicKey = bytes.subarray(keyInEnvelope.from, keyInEnvelope.to)
    if (signer !== undefined && !equals(signer, publicKey)) return false
    return this.#init.membership.isMember(publicKey) && this.#init.table.holds(publicKey, bytes)
  }

  #refuseRevoked(publicKey: Uint8Array): void {
    if (this.#init.membership.isRevoked(publicKey)) throw new RevokedError('the key of this record was revoked')
  }

  async #store(record: Signed<NodeRecord>, source: string, asker: string): Promise<PutResult> {
    const { commit, onRecord, onConflict } = this.#init
    const { publicKey, seq } = record.value
    const { change, held } = await commit.write(() => this.#replace(record))
    if (held?.seq === seq && !equals(held.hash, record.hash)) {
      onConflict?.({ publicKey, seq, held: held.envelope, offered: record.bytes })
    }
    if (change !== undefined) {
      this.#digest.put(publicKey, seq, record.hash)
      onRecord?.({ record, change, source, asker })
      return { accepted: true, record, change }
    }
    if (equals(held.hash, record.hash)) return { accepted: false }
    throw new StaleRecordError(
      `a record with seq ${held.seq} is held, this one has ${seq}: sign one with a higher seq`,
      held.envelope
    )
  }

  /**
   * Inside the transaction, so that of two that race the newer stays. `change` is undefined when the held one does; the held row is
   * there when its seq is not below.
   */
  #replace(record: Signed<NodeRecord>): Replaced {
    const { table, membership } = this.#init
    const { publicKey, seq, services } = record.value
    this.#refuseRevoked(publicKey)
    if (!membership.isMember(publicKey)) throw new NotMemberError('not a member any longer')
    const before = table.held(publicKey)
    const held = before !== undefined && before.seq >= seq ? table.get(publicKey) : undefined
    if (held !== undefined && compareRecords({ seq, hash: record.hash }, held) <= 0) return { change: undefined, held }
    const bucket = bucketOf('records', publicKey)
    const names = services.map(({ name }) => name)
    const row = { publicKey, bucket, seq, hash: record.hash, services: names, envelope: record.bytes }
    return { change: table.put(row, before), held }
  }
}
