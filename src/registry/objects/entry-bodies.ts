import { equals } from 'uint8arrays/equals'
import {
  checkCount,
  checkHash,
  checkKey,
  checkName,
  checkPosition,
  checkText,
  checkTime,
  maxReasonChars,
  nameOfNumber,
  orNothing
} from '../../identity/checked-bytes.ts'
import { isRegistryRole, type Role, roleOf, roles } from '../../identity/role.ts'
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
import { decodeStrictly, type PayloadCodec } from './signed.ts'

/** By what a member was let in. The numbers are on the wire. */
export const admittedBy = { founder: 0, invite: 1, approved: 2, open: 3 } as const
export type AdmittedBy = keyof typeof admittedBy

export interface Admit {
  publicKey: Uint8Array
  name: string
  role: Role
  notAfterMs: number
  via: AdmittedBy
  /** Envelope; there exactly when `via` is invite. */
  grant?: Uint8Array
  /** Envelope of the joiner; there unless `via` is founder. */
  join?: Uint8Array
  /** Envelope of the first registry, when that was not the root. */
  receipt?: Uint8Array
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
  /** Envelope of the ForgetRequest, when the member asked for it itself. */
  request?: Uint8Array
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

/** What the log says of each kind. */
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

function checkPresent(bytes: Uint8Array | undefined, present: boolean, what: string): void {
  if ((bytes !== undefined) !== present) throw new InvalidPayloadError(`${what} must ${present ? '' : 'not '}be there`)
}

/** A role of a newer version counts as the one that serves nobody. @throws InvalidPayloadError for 0, which is none */
export function roleOrExternal(number: number): Role {
  if (number === 0) throw new InvalidPayloadError('there is no role')
  return roleOf(number) ?? 'external'
}

interface BodyKind<K extends keyof EntryBodies> {
  encode(body: EntryBodies[K]): Uint8Array
  decode(bytes: Uint8Array): { kind: K; body: EntryBodies[K] }
  /** The same for bytes that `decode` let pass before: their encoding is not checked again. */
  read(bytes: Uint8Array): { kind: K; body: EntryBodies[K] }
  check(body: EntryBodies[K]): void
}

function bodyKind<K extends keyof EntryBodies, M>(
  kind: K,
  codec: PayloadCodec<M>,
  rules: { to(body: EntryBodies[K]): Partial<M>; from(message: M): EntryBodies[K]; check(body: EntryBodies[K]): void }
): BodyKind<K> {
  return {
    encode: (body) => codec.encode(rules.to(body)),
    decode: (bytes) => ({ kind, body: rules.from(decodeStrictly<M>(codec, bytes, `body of the ${kind} entry`)) }),
    read: (bytes) => ({ kind, body: rules.from(codec.decode(bytes)) }),
    check: (body) => rules.check(body)
  }
}

function viaOf(number: number): AdmittedBy {
  const via = nameOfNumber(admittedBy, number)
  if (via === undefined) throw new UnsupportedVersionError(`an admission of kind ${number}: update this program`)
  return via
}

export const bodyKinds: { [K in keyof EntryBodies]: BodyKind<K> } = {
  admit: bodyKind<'admit', AdmitMessage>('admit', AdmitMessage, {
    to: (body) => ({ ...body, role: roles[body.role], via: admittedBy[body.via] }),
    from: ({ publicKey, name, role, notAfterMs, via, grant, join, receipt }) => ({
      publicKey,
      name,
      role: roleOrExternal(role),
      notAfterMs,
      via: viaOf(via),
      ...(grant.length > 0 && { grant }),
      ...(join.length > 0 && { join }),
      ...(receipt.length > 0 && { receipt })
    }),
    check(body) {
      checkKey(body.publicKey, 'key of the admitted')
      checkName(body.name, 'name of the admitted')
      checkTime(body.notAfterMs, 'end of the membership')
      checkPresent(body.grant, body.via === 'invite', 'grant of the admission')
      checkPresent(body.join, body.via !== 'founder', 'join request of the admission')
      if (body.via === 'founder') checkPresent(body.receipt, false, 'receipt of the founder')
    }
  }),
  renew: bodyKind<'renew', RenewMessage>('renew', RenewMessage, {
    to: (body) => body,
    from: ({ publicKey, notAfterMs, request }) => ({ publicKey, notAfterMs, request }),
    check(body) {
      checkKey(body.publicKey, 'key of the renewed')
      checkTime(body.notAfterMs, 'end of the membership')
      checkPresent(orNothing(body.request), true, 'request of the renewal')
    }
  }),
  revoke: bodyKind<'revoke', RevokeMessage>('revoke', RevokeMessage, {
    to: (body) => body,
    from: ({ publicKey, reason, request }) => ({ publicKey, reason, ...(request.length > 0 && { request }) }),
    check(body) {
      checkKey(body.publicKey, 'key of the revoked')
      checkText(body.reason, 0, maxReasonChars, 'reason of the revocation')
    }
  }),
  rotate: bodyKind<'rotate', RotateMessage>('rotate', RotateMessage, {
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
  registrySet: bodyKind<'registrySet', RegistrySetMessage>('registrySet', RegistrySetMessage, {
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
  delegate: bodyKind<'delegate', DelegateMessage>('delegate', DelegateMessage, {
    to: (body) => body,
    from: ({ logKey }) => ({ logKey }),
    check: (body) => checkKey(body.logKey, 'log key')
  }),
  authority: bodyKind<'authority', AuthorityMessage>('authority', AuthorityMessage, {
    to: (body) => body,
    from: ({ authorityKey, nextAuthorityDigest }) => ({ authorityKey, nextAuthorityDigest }),
    check(body) {
      checkKey(body.authorityKey, 'authority key')
      checkHash(body.nextAuthorityDigest, 'digest of the next authority key')
    }
  }),
  publisher: bodyKind<'publisher', PublisherMessage>('publisher', PublisherMessage, {
    to: (body) => body,
    from: ({ publicKey, removed }) => ({ publicKey, removed }),
    check: (body) => checkKey(body.publicKey, 'key of the publisher')
  }),
  publish: bodyKind<'publish', PublishMessage>('publish', PublishMessage, {
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
  retire: bodyKind<'retire', RetireMessage>('retire', RetireMessage, {
    to: (body) => body,
    from: ({ id, reason }) => ({ id, reason }),
    check(body) {
      checkDocumentId(body.id)
      checkText(body.reason, 0, maxReasonChars, 'reason of the retirement')
    }
  })
}
