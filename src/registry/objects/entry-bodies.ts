import { equals } from 'uint8arrays/equals'
import {
  checkBytes,
  checkCount,
  checkHash,
  checkKey,
  checkName,
  checkPosition,
  checkText,
  checkTime,
  grantIdBytes,
  maxReasonChars,
  nameOfNumber,
  orNothing
} from '../../identity/checked-bytes.ts'
import { isRegistryRole, type Role, roleOf, roleOrExternal, roles } from '../../identity/role.ts'
import { InvalidPayloadError, UnsupportedVersionError } from '../../runtime/errors.ts'
import {
  Admit as AdmitMessage,
  Authority as AuthorityMessage,
  Delegate as DelegateMessage,
  Publisher as PublisherMessage,
  Publish as PublishMessage,
  RegistrySet as RegistrySetMessage,
  Renew as RenewMessage,
  Retire as RetireMessage,
  Revoke as RevokeMessage,
  Rotate as RotateMessage
} from '../pb/registry.ts'
import { type BodyKind, bodyKind, checkPresent } from './encoding/body-kind.ts'
import { checkEphemeral, type Grant, type GrantEnd, grantBody, grantEndBody } from './grant.ts'
import { type Change, changeBody, type End, endBody } from './member-entries.ts'
import { type Operator, operatorBody } from './orders/operator.ts'
import { checkGroups } from './policy/groups.ts'
import { type Policy, policyBody } from './policy/policy.ts'

/** By what a member was let in. The numbers are on the wire. */
export const admittedBy = { founder: 0, invite: 1, approved: 2, open: 3 } as const
export type AdmittedBy = keyof typeof admittedBy

export interface Admit {
  publicKey: Uint8Array
  name: string
  role: Role
  notAfterMs: number
  via: AdmittedBy
  /** Id of the grant in the join request; there exactly when `via` is invite. */
  grantId?: Uint8Array
  /** Envelope of the joiner; there unless `via` is founder. */
  join?: Uint8Array
  /** Envelope of the first registry, when that was not the root. */
  receipt?: Uint8Array
  /** Ascending; without them it is in none. */
  groups?: readonly string[]
  /** The membership ends when the member has been offline for so long. Without it, it does not. */
  ephemeralMs?: number
}

export interface Renew {
  publicKey: Uint8Array
  notAfterMs: number
  /** Envelope of the member's RenewRequest. */
  request: Uint8Array
}

export interface Revoke {
  publicKey: Uint8Array
  reason: string
  /** Name of the member, at this place of the log; without it the key is no member. */
  name?: string
}

export interface Rotate {
  oldKey: Uint8Array
  newKey: Uint8Array
  /** Envelopes of the same RotateRequest, by either key. */
  proofOld: Uint8Array
  proofNew: Uint8Array
}

export interface RegistrySet {
  publicKey: Uint8Array
  /** Root or secondary. */
  role: Role
  removed: boolean
}

export interface Delegate {
  logKey: Uint8Array
}

export interface Authority {
  authorityKey: Uint8Array
  nextAuthorityDigest: Uint8Array
}

export interface Publisher {
  publicKey: Uint8Array
  removed: boolean
}

export interface Publish {
  id: string
  documentVersion: number
  mediaType: string
  /** SHA-256 of the document's bytes. */
  digest: Uint8Array
  sizeBytes: number
  publisherKey: Uint8Array
}

export interface Retire {
  id: string
  reason: string
}

/** Body of each kind of entry. */
export interface EntryBodies {
  admit: Admit
  renew: Renew
  revoke: Revoke
  rotate: Rotate
  registrySet: RegistrySet
  delegate: Delegate
  authority: Authority
  publisher: Publisher
  publish: Publish
  retire: Retire
  policy: Policy
  grant: Grant
  grantEnd: GrantEnd
  change: Change
  end: End
  operator: Operator
}

export const maxDocumentBytes = 256 * 1024
const documentId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const maxMediaTypeChars = 127
const mediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*(?:; ?[a-z0-9-]+=[A-Za-z0-9._-]+)*$/

function checkDocumentId(id: string): void {
  if (!documentId.test(id)) {
    throw new InvalidPayloadError('id of a document must be 1 to 128 of letters, digits, dot, _ and -')
  }
}

function viaOf(number: number): AdmittedBy {
  const via = nameOfNumber(admittedBy, number)
  if (via === undefined) throw new UnsupportedVersionError(`an admission of kind ${number}: update this program`)
  return via
}

export const bodyKinds: { [K in keyof EntryBodies]: BodyKind<K, EntryBodies[K]> } = {
  admit: bodyKind<'admit', Admit, AdmitMessage>('admit', AdmitMessage, {
    to: (body) => ({ ...body, role: roles[body.role], via: admittedBy[body.via], groups: [...(body.groups ?? [])] }),
    from: ({ publicKey, name, role, notAfterMs, via, grantId, join, receipt, groups, ephemeralMs }) => ({
      publicKey,
      name,
      role: roleOrExternal(role),
      notAfterMs,
      via: viaOf(via),
      ...(grantId.length > 0 && { grantId }),
      ...(join.length > 0 && { join }),
      ...(receipt.length > 0 && { receipt }),
      ...(groups.length > 0 && { groups }),
      ...(ephemeralMs > 0 && { ephemeralMs })
    }),
    check(body) {
      checkKey(body.publicKey, 'key of the admitted')
      checkName(body.name, 'name of the admitted')
      checkTime(body.notAfterMs, 'end of the membership')
      checkPresent(body.grantId, body.via === 'invite', 'grant id of the admission')
      if (body.grantId !== undefined) checkBytes(body.grantId, grantIdBytes, 'grant id of the admission')
      checkPresent(body.join, body.via !== 'founder', 'join request of the admission')
      if (body.via === 'founder') checkPresent(body.receipt, false, 'receipt of the founder')
      checkGroups(body.groups ?? [], 'the admission')
      checkEphemeral(body.ephemeralMs, 'admission')
    }
  }),
  renew: bodyKind<'renew', Renew, RenewMessage>('renew', RenewMessage, {
    to: (body) => body,
    from: ({ publicKey, notAfterMs, request }) => ({ publicKey, notAfterMs, request }),
    check(body) {
      checkKey(body.publicKey, 'key of the renewed')
      checkTime(body.notAfterMs, 'end of the membership')
      checkPresent(orNothing(body.request), true, 'request of the renewal')
    }
  }),
  revoke: bodyKind<'revoke', Revoke, RevokeMessage>('revoke', RevokeMessage, {
    to: (body) => body,
    from: ({ publicKey, reason, name }) => ({ publicKey, reason, ...(name !== '' && { name }) }),
    check(body) {
      checkKey(body.publicKey, 'key of the revoked')
      if (body.name !== undefined) checkName(body.name, 'name of the revoked')
      checkText(body.reason, 0, maxReasonChars, 'reason of the revocation')
    }
  }),
  rotate: bodyKind<'rotate', Rotate, RotateMessage>('rotate', RotateMessage, {
    to: (body) => body,
    from: ({ oldKey, newKey, proofOld, proofNew }) => ({ oldKey, newKey, proofOld, proofNew }),
    check(body) {
      checkKey(body.oldKey, 'old key')
      checkKey(body.newKey, 'new key')
      if (equals(body.oldKey, body.newKey)) throw new InvalidPayloadError('old and new key are the same')
      checkPresent(orNothing(body.proofOld), true, 'proof by the old key')
      checkPresent(orNothing(body.proofNew), true, 'proof by the new key')
    }
  }),
  registrySet: bodyKind<'registrySet', RegistrySet, RegistrySetMessage>('registrySet', RegistrySetMessage, {
    to(body) {
      if (!isRegistryRole(body.role)) throw new InvalidPayloadError(`${body.role} is no registry's role`)
      return { ...body, role: roles[body.role] }
    },
    from({ publicKey, role, removed }) {
      const known = roleOf(role)
      if (known === undefined || !isRegistryRole(known)) throw new InvalidPayloadError(`${role} is no registry's role`)
      return { publicKey, role: known, removed }
    },
    check: (body) => checkKey(body.publicKey, 'key of the registry')
  }),
  delegate: bodyKind<'delegate', Delegate, DelegateMessage>('delegate', DelegateMessage, {
    to: (body) => body,
    from: ({ logKey }) => ({ logKey }),
    check: (body) => checkKey(body.logKey, 'log key')
  }),
  authority: bodyKind<'authority', Authority, AuthorityMessage>('authority', AuthorityMessage, {
    to: (body) => body,
    from: ({ authorityKey, nextAuthorityDigest }) => ({ authorityKey, nextAuthorityDigest }),
    check(body) {
      checkKey(body.authorityKey, 'authority key')
      checkHash(body.nextAuthorityDigest, 'digest of the next authority key')
    }
  }),
  publisher: bodyKind<'publisher', Publisher, PublisherMessage>('publisher', PublisherMessage, {
    to: (body) => body,
    from: ({ publicKey, removed }) => ({ publicKey, removed }),
    check: (body) => checkKey(body.publicKey, 'key of the publisher')
  }),
  publish: bodyKind<'publish', Publish, PublishMessage>('publish', PublishMessage, {
    to: (body) => body,
    from: ({ id, documentVersion, mediaType: type, digest, sizeBytes, publisherKey }) => ({
      id,
      documentVersion,
      mediaType: type,
      digest,
      sizeBytes,
      publisherKey
    }),
    check(body) {
      checkDocumentId(body.id)
      checkPosition(body.documentVersion, 1, 'version of the document')
      if (body.mediaType.length > maxMediaTypeChars || !mediaType.test(body.mediaType)) {
        throw new InvalidPayloadError('media type of the document must be like text/plain')
      }
      checkHash(body.digest, 'digest of the document')
      checkCount(body.sizeBytes, 0, maxDocumentBytes, 'size of the document')
      checkKey(body.publisherKey, 'key of the publisher')
    }
  }),
  retire: bodyKind<'retire', Retire, RetireMessage>('retire', RetireMessage, {
    to: (body) => body,
    from: ({ id, reason }) => ({ id, reason }),
    check(body) {
      checkDocumentId(body.id)
      checkText(body.reason, 0, maxReasonChars, 'reason of the retirement')
    }
  }),
  policy: policyBody,
  grant: grantBody,
  grantEnd: grantEndBody,
  change: changeBody,
  end: endBody,
  operator: operatorBody
}
