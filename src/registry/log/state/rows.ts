import { concat } from 'uint8arrays/concat'
import { hashBytes } from '../../../identity/checked-bytes.ts'
import { u64 } from '../../../identity/key-id.ts'
import type { Role } from '../../../identity/role.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { Grant } from '../../objects/grant.ts'
import type { Policy } from '../../objects/policy/policy.ts'

/** Gives stored entries back, so that the state need not hold the envelopes of 100,000 members in memory. */
export type EntrySource = (n: number) => Signed<LogEntry>

/** A key that the log admitted and nobody revoked. Its membership may have ended: `Replica.isMember` judges that. */
export interface Member {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
  /** Ascending. */
  readonly groups: readonly string[]
  /** The membership ends when the member has been offline for so long; undefined: it does not. */
  readonly ephemeralMs?: number | undefined
  readonly notAfterMs: number
  /** Position of the entry that gave the key its membership: admit, or rotate for a key that took another's place. */
  readonly admitN: number
  /** That entry. Read from the store. */
  readonly admit: Signed<LogEntry>
  /** Key of the row of the invite that let it in, where that was open at the time. */
  readonly grant?: string | undefined
  /** The latest renewal since. Read from the store. */
  readonly renew: Signed<LogEntry> | undefined
}

export interface MemberFields {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
  readonly groups: readonly string[]
  readonly ephemeralMs: number | undefined
  /** As the admit entry says, or the newest change. */
  readonly admittedRole: Role
  readonly notAfterMs: number
  /** Number of the entry that gave the key its membership. */
  readonly admitN: number
  readonly admitHash: Uint8Array
  /** The admit entry that the membership goes back to: of an earlier key, after a rotation. */
  readonly firstN: number
  readonly renewN: number | undefined
  /** The newest change since the admission. */
  readonly changeN: number | undefined
  readonly changeHash: Uint8Array | undefined
  /** Key of the row of the invite that let it in, where that was open at the time. */
  readonly grant: string | undefined
}

/** A row of `members`. */
export class MemberRow implements Member, MemberFields {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
  readonly groups: readonly string[]
  readonly ephemeralMs: number | undefined
  readonly admittedRole: Role
  readonly notAfterMs: number
  readonly admitN: number
  readonly admitHash: Uint8Array
  readonly firstN: number
  readonly renewN: number | undefined
  readonly changeN: number | undefined
  readonly changeHash: Uint8Array | undefined
  readonly grant: string | undefined
  readonly #source: EntrySource

  constructor(fields: MemberFields, source: EntrySource) {
    this.publicKey = fields.publicKey
    this.name = fields.name
    this.role = fields.role
    this.groups = fields.groups
    this.ephemeralMs = fields.ephemeralMs
    this.admittedRole = fields.admittedRole
    this.notAfterMs = fields.notAfterMs
    this.admitN = fields.admitN
    this.admitHash = fields.admitHash
    this.firstN = fields.firstN
    this.renewN = fields.renewN
    this.changeN = fields.changeN
    this.changeHash = fields.changeHash
    this.grant = fields.grant
    this.#source = source
  }

  get admit(): Signed<LogEntry> {
    return this.#source(this.admitN)
  }

  get renew(): Signed<LogEntry> | undefined {
    return this.renewN === undefined ? undefined : this.#source(this.renewN)
  }

  with(changes: Partial<MemberFields>): MemberRow {
    return new MemberRow({ ...fieldsOf(this), ...changes }, this.#source)
  }

  /** Value in the tree: hash of the admit or rotate entry, end, and the hash of the newest change where there is one. */
  get value(): Uint8Array {
    const { admitHash, notAfterMs, changeHash } = this
    const value = Buffer.allocUnsafe(hashBytes + 8 + (changeHash?.length ?? 0))
    value.set(admitHash)
    value.writeBigUInt64BE(BigInt(notAfterMs), hashBytes)
    if (changeHash !== undefined) value.set(changeHash, hashBytes + 8)
    return value
  }
}

const fieldsOf = (row: MemberRow): MemberFields => ({
  publicKey: row.publicKey,
  name: row.name,
  role: row.role,
  groups: row.groups,
  ephemeralMs: row.ephemeralMs,
  admittedRole: row.admittedRole,
  notAfterMs: row.notAfterMs,
  admitN: row.admitN,
  admitHash: row.admitHash,
  firstN: row.firstN,
  renewN: row.renewN,
  changeN: row.changeN,
  changeHash: row.changeHash,
  grant: row.grant
})

/** A key that is shut out for ever. */
export interface RevokedRow {
  readonly publicKey: Uint8Array
  /** Number of the revoke, or of the rotate that took the key's place. */
  readonly n: number
  readonly hash: Uint8Array
}

/** A registry that the root has in its set. */
export interface RegistryRow {
  readonly publicKey: Uint8Array
  /** external stands for a role of a newer version. */
  readonly role: Role
  readonly n: number
  readonly hash: Uint8Array
}

export interface PublisherRow {
  readonly publicKey: Uint8Array
  readonly n: number
}

/** A person whose orders count. */
export interface OperatorRow {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly n: number
  readonly hash: Uint8Array
}

/** The newest version of a document. */
export interface DocumentRow {
  readonly id: string
  readonly version: number
  readonly mediaType: string
  readonly digest: Uint8Array
  readonly sizeBytes: number
  readonly publisherKey: Uint8Array
  readonly timeMs: number
  readonly n: number
  readonly hash: Uint8Array
  readonly retired:
    | { readonly n: number; readonly hash: Uint8Array; readonly reason: string; readonly timeMs: number }
    | undefined
}

/** Value in the tree: publish hash, then retire hash or zeros. */
export const documentValue = (row: DocumentRow): Uint8Array =>
  concat([row.hash, row.retired?.hash ?? new Uint8Array(hashBytes)])

/** The number of documents, and the sum of their sizes. */
export interface DocumentTotals {
  readonly count: number
  readonly bytes: number
}

/** Share of one document in the totals of those that are not retired. */
export const shareOf = (row: DocumentRow | undefined): DocumentTotals =>
  row === undefined || row.retired !== undefined ? { count: 0, bytes: 0 } : { count: 1, bytes: row.sizeBytes }

/** The policy that counts, and where it stands: 0 for that of the genesis. */
export interface PolicyRow {
  readonly policy: Policy
  readonly n: number
  readonly hash: Uint8Array
}

/** An open invite. */
export interface GrantRow {
  /** Key of its row. */
  readonly key: string
  readonly grant: Grant
  /** Admissions by it. */
  readonly taken: number
  readonly n: number
  readonly hash: Uint8Array
  /** Admissions by it whose memberships are over, and their ends: these entries are needed to count. Shared by all versions of the row. */
  readonly past: Set<number>
  /** Keys whose membership by it was ended, as keyId gives them: it does not let them in again. Shared, too. */
  readonly ended: Set<string>
}

/** Value in the tree: hash of the grant entry, then uses taken. */
export const grantValue = ({ hash, taken }: GrantRow): Uint8Array => concat([hash, u64(taken)])

/** A name whose member was revoked. */
export interface HeldName {
  readonly publicKey: Uint8Array
  /** Number of the revoke. */
  readonly n: number
  readonly timeMs: number
}
