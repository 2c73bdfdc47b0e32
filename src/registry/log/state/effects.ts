import { keyId, ownBytes } from '../../../identity/key-id.ts'
import { isRegistryRole, type Role } from '../../../identity/role.ts'
import { LogMismatchError } from '../../../runtime/errors.ts'
import type { EntryBodies, LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import { type DocumentRow, type EntrySource, type GrantRow, type MemberFields, MemberRow } from './rows.ts'
import type { Tables } from './tables.ts'

/** Positions of entries that lost their last effect: they are no longer live. */
type Superseded = number[]

/** Place of the entry, with its hash. */
interface Place {
  readonly n: number
  readonly hash: Uint8Array
  readonly timeMs: number
}

/**
 * Applies an entry of each kind to the tables; gives the positions whose place it takes. Also for a compacted log, where the entries
 * that were superseded are missing: the rules were checked before, and the state root shows whether the rest is complete.
 */
export class Effects {
  readonly #tables: Tables
  readonly #source: EntrySource

  constructor(tables: Tables, source: EntrySource) {
    this.#tables = tables
    this.#source = source
  }

  apply({ value, hash }: Signed<LogEntry>): Superseded {
    const place = { n: value.n, hash, timeMs: value.timeMs }
    switch (value.kind) {
      case 'admit':
        return this.#admit(value.body, place)
      case 'renew':
        return this.#renew(value.body, place)
      case 'revoke':
        return this.#revoke(value.body, place)
      case 'rotate':
        return this.#rotate(value.body, place)
      case 'registrySet':
        return this.#registrySet(value.body, place)
      case 'publisher':
        return this.#publisher(value.body, place)
      case 'publish':
        return this.#publish(value.body, place)
      case 'retire':
        return this.#retire(value.body, place)
      case 'policy':
        return this.#policy(value.body, place)
      case 'grant':
        return this.#grant(value.body, place)
      case 'grantEnd':
        return this.#grantEnd(value.body, place)
      case 'change':
        return this.#change(value.body, place)
      case 'end':
        return this.#end(value.body, place)
      case 'operator':
        return this.#operator(value.body, place)
      default:
        return []
    }
  }

  #admit(body: EntryBodies['admit'], { n, hash }: Place): Superseded {
    const { publicKey, name, role, notAfterMs } = body
    const before = this.#tables.members.get(keyId(publicKey))
    const grant = body.grantId === undefined ? undefined : this.#tables.grants.get(keyId(body.grantId))
    // In this order: the use counts from here on, and an earlier membership by the same invite goes on counting.
    const superseded = [...(before === undefined ? [] : this.#entriesOf(before)), ...this.#use(grant)]
    const fields: MemberFields = {
      publicKey: ownBytes(publicKey),
      name,
      role: this.#roleOf(publicKey, role),
      groups: body.groups ?? [],
      ephemeralMs: body.ephemeralMs,
      admittedRole: role,
      notAfterMs,
      admitN: n,
      admitHash: hash,
      firstN: n,
      renewN: undefined,
      changeN: undefined,
      changeHash: undefined,
      grant: grant?.key
    }
    this.#tables.nameMember(new MemberRow(fields, this.#source), before)
    return superseded
  }

  #change(body: EntryBodies['change'], { n, hash }: Place): Superseded {
    const { publicKey, name, role, groups } = body
    const before = this.#tables.members.get(keyId(publicKey))
    if (before === undefined) throw new LogMismatchError(`entry ${n} changes a membership that is not there`)
    const roles = { role: this.#roleOf(publicKey, role), admittedRole: role }
    this.#tables.nameMember(before.with({ name, groups, ...roles, changeN: n, changeHash: hash }), before)
    return before.changeN === undefined ? [] : [before.changeN]
  }

  /** Lives on as long as the admission, which may count as a use of an open invite: without it the key would be a member again. */
  #end(body: EntryBodies['end'], { n }: Place): Superseded {
    const { publicKey } = body
    const member = this.#tables.members.get(keyId(publicKey))
    if (member === undefined) throw new LogMismatchError(`entry ${n} ends a membership that is not there`)
    const open = this.#openGrantOf(member)
    const superseded = this.#dropMember(member)
    if (open === undefined) return [...superseded, n]
    this.#tables.keepUse(open, n)
    this.#tables.shutOut(open, member)
    return superseded
  }

  /** With its place in the set of registries. */
  #dropMember(member: MemberRow): Superseded {
    const registry = this.#tables.registries.get(keyId(member.publicKey))
    this.#tables.dropMember(member)
    if (registry !== undefined) this.#tables.dropRegistry(registry.publicKey)
    return [...this.#entriesOf(member), ...(registry === undefined ? [] : [registry.n])]
  }

  #use(grant: GrantRow | undefined): Superseded {
    if (grant === undefined) return []
    const taken = grant.taken + 1
    if (taken >= grant.grant.uses) return this.#endGrant(grant)
    this.#tables.putGrant({ ...grant, taken })
    return []
  }

  #endGrant(row: GrantRow): Superseded {
    this.#tables.dropGrant(row)
    return [row.n, ...row.past]
  }

  #grant(body: EntryBodies['grant'], { n, hash }: Place): Superseded {
    const grant = { ...body, id: ownBytes(body.id), inviteKey: ownBytes(body.inviteKey) }
    this.#tables.putGrant({ key: keyId(grant.id), grant, taken: 0, n, hash, past: new Set(), ended: new Set() })
    return []
  }

  #grantEnd(body: EntryBodies['grantEnd'], { n }: Place): Superseded {
    const row = this.#tables.grants.get(keyId(body.id))
    return [...(row === undefined ? [] : this.#endGrant(row)), n]
  }

  #policy(policy: EntryBodies['policy'], { n, hash }: Place): Superseded {
    const before = this.#tables.policy
    this.#tables.putPolicy({ policy, n, hash })
    return before.n === 0 ? [] : [before.n]
  }

  /** Entries that only this row needs: a rotate goes on shutting the old key out, and each use of an open invite counts. */
  #entriesOf(member: MemberRow): Superseded {
    const { firstN, renewN, changeN } = member
    const open = this.#openGrantOf(member)
    if (open !== undefined) this.#tables.keepUse(open, firstN)
    return [open === undefined ? firstN : undefined, renewN, changeN].filter((n) => n !== undefined)
  }

  #openGrantOf({ grant }: MemberRow): GrantRow | undefined {
    return grant === undefined ? undefined : this.#tables.grants.get(grant)
  }

  #renew(body: EntryBodies['renew'], { n }: Place): Superseded {
    const { publicKey, notAfterMs } = body
    const before = this.#tables.members.get(keyId(publicKey))
    if (before === undefined) throw new LogMismatchError(`entry ${n} renews a membership that is not there`)
    this.#tables.putMember(before.with({ notAfterMs, renewN: n }), before)
    return before.renewN === undefined ? [] : [before.renewN]
  }

  #revoke(body: EntryBodies['revoke'], { n, hash, timeMs }: Place): Superseded {
    const publicKey = ownBytes(body.publicKey)
    this.#tables.putRevoked({ publicKey, n, hash })
    if (body.name !== undefined) this.#tables.heldNames.set(body.name, { publicKey, n, timeMs })
    const member = this.#tables.members.get(keyId(publicKey))
    return member === undefined ? [] : this.#dropMember(member)
  }

  /** The rotate itself stays for ever: it is what shuts the old key out. */
  #rotate(body: EntryBodies['rotate'], { n, hash }: Place): Superseded {
    const oldKey = ownBytes(body.oldKey)
    const newKey = ownBytes(body.newKey)
    this.#tables.putRevoked({ publicKey: oldKey, n, hash })
    const before = this.#tables.members.get(keyId(oldKey))
    // Not there in a compacted log, when the new key was admitted or revoked itself later on.
    if (before !== undefined) {
      this.#tables.putMember(before.with({ publicKey: newKey, admitN: n, admitHash: hash }), before)
    }
    const registry = this.#tables.registries.get(keyId(oldKey))
    if (registry !== undefined) {
      this.#tables.dropRegistry(oldKey)
      this.#tables.putRegistry({ ...registry, publicKey: newKey })
    }
    return []
  }

  #registrySet(body: EntryBodies['registrySet'], { n, hash }: Place): Superseded {
    const { role, removed } = body
    const publicKey = ownBytes(body.publicKey)
    const before = this.#tables.registries.get(keyId(publicKey))
    const superseded = before === undefined ? [] : [before.n]
    if (!removed) {
      this.#tables.putRegistry({ publicKey, role, n, hash })
      this.#giveRole(publicKey)
      return superseded
    }
    this.#tables.dropRegistry(publicKey)
    this.#giveRole(publicKey)
    return [...superseded, n]
  }

  /** The role of a member. Root or secondary it is by the set of registries: a promotion changes it, and no admission. */
  #roleOf(publicKey: Uint8Array, admitted: Role): Role {
    const entered = this.#tables.registries.get(keyId(publicKey))?.role
    return entered !== undefined && isRegistryRole(entered) && isRegistryRole(admitted) ? entered : admitted
  }

  #giveRole(publicKey: Uint8Array): void {
    const member = this.#tables.members.get(keyId(publicKey))
    if (member === undefined) return
    const role = this.#roleOf(publicKey, member.admittedRole)
    if (role !== member.role) this.#tables.putMember(member.with({ role }), member)
  }

  #publisher(body: EntryBodies['publisher'], { n, hash }: Place): Superseded {
    const publicKey = ownBytes(body.publicKey)
    const before = this.#tables.publishers.get(keyId(publicKey))
    if (!body.removed) {
      this.#tables.putPublisher({ publicKey, n }, hash)
      return []
    }
    this.#tables.dropPublisher(publicKey)
    return [...(before === undefined ? [] : [before.n]), n]
  }

  #operator({ publicKey, name, removed }: EntryBodies['operator'], { n, hash }: Place): Superseded {
    const before = this.#tables.operators.get(keyId(publicKey))
    if (!removed) {
      this.#tables.putOperator({ publicKey: ownBytes(publicKey), name, n, hash })
      return []
    }
    this.#tables.dropOperator(publicKey)
    return [...(before === undefined ? [] : [before.n]), n]
  }

  #publish(body: EntryBodies['publish'], { n, hash, timeMs }: Place): Superseded {
    const { id, documentVersion, mediaType, digest, sizeBytes, publisherKey } = body
    const before = this.#tables.documents.get(id)
    this.#tables.putDocument({
      id,
      version: documentVersion,
      mediaType,
      digest: ownBytes(digest),
      sizeBytes,
      publisherKey: ownBytes(publisherKey),
      timeMs,
      n,
      hash,
      retired: undefined
    })
    return before === undefined ? [] : documentEntriesOf(before)
  }

  #retire(body: EntryBodies['retire'], { n, hash, timeMs }: Place): Superseded {
    const before = this.#tables.documents.get(body.id)
    if (before === undefined) throw new LogMismatchError(`entry ${n} retires a document that is not there`)
    const retired = { n, hash, reason: body.reason, timeMs }
    this.#tables.putDocument({ ...before, retired })
    return []
  }
}

const documentEntriesOf = (row: DocumentRow): Superseded =>
  row.retired === undefined ? [row.n] : [row.n, row.retired.n]
