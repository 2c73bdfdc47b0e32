import { concat } from 'uint8arrays/concat'
import { hashBytes } from '../../../identity/checked-bytes.ts'
import { u64 } from '../../../identity/key-id.ts'
import type { Role } from '../../../identity/role.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { Grant } from '../../objects/grant.ts'
import type { Policy } from '../../objects/policy.ts'

/** Gives stored entries back, so that the state need not hold the envelopes of 100,000 members in memory. */
export type EntrySource = (n: number) => Signed<LogEntry>

/** A key that the log admitted and nobody revoked. Its membership may have ended: `Replica.isMember` judges that. */
export interface Member {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
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
  /** As the admit entry says. */
  readonly admittedRole: Role
  readonly notAfterMs: number
  /** Number of the entry that gave the key its membership. */
  readonly admitN: number
  readonly admitHash: Uint8Array
  /** The admit entry that the membership goes back to: of an earlier key, after a rotation. */
  readonly firstN: number
  readonly renewN: number | undefined
  /** Key of the row of the invite that let it in, where that was open at the time. */
  readonly grant: string | undefined
}

/** A row of `members`. */
export class MemberRow implements Member, MemberFields {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
  readonly admittedRole: Role
  readonly notAfterMs: number
  readonly admitN: number
  readonly admitHash: Uint8Array
  readonly firstN: number
  readonly renewN: number | undefined
  readonly grant: string | undefined
  readonly #source: EntrySource

  constructor(fields: MemberFields, source: EntrySource) {
    this.publicKey = fields.publicKey
    this.name = fields.name
    this.role = fields.role
    this.admittedRole = fields.admittedRole
    this.notAfterMs = fields.notAfterMs
    this.admitN = fields.admitN
    this.admitHash = fields.admitHash
    this.firstN = fields.firstN
    this.renewN = fields.renewN
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

  /** Value in the tree. */
  get value(): Uint8Array {
    const value = Buffer.allocUnsafe(hashBytes + 8)
    value.set(this.admitHash)
    value.writeBigUInt64BE(BigInt(this.notAfterMs), hashBytes)
    return value
  }
}

const fieldsOf = (row: MemberRow): MemberFields => {
  const { publicKey, name, role, admittedRole, notAfterMs, admitN, admitHash, firstN, renewN, grant } = row
  return { publicKey, name, role, admittedRole, notAfterMs, admitN, admitHash, firstN, renewN, grant }
}

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
  /** Admissions by it whose memberships are over: their entries are needed to count. Shared by all versions of the row. */
  readonly past: Set<number>
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
