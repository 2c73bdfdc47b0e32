import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import {
  checkBytes,
  checkHash,
  checkKey,
  checkName,
  checkTime,
  grantIdBytes,
  orNothing
} from '../../identity/checked-bytes.ts'
import { type SigningKey, verifySignature, verifySignatureAsync } from '../../identity/keys.ts'
import { type Role, roleOrExternal, roles } from '../../identity/role.ts'
import { InvalidPayloadError, InviteInvalidError } from '../../runtime/errors.ts'
import { Envelope, JoinRequest as JoinMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import type { Grant } from './grant.ts'
import { type OpenOptions, openSigned, openSignedAsync, type SignedKind, sealSigned } from './signed.ts'

/** A request to be let in, signed by the joiner's own key. Nothing in it is secret, nothing in it serves another key. */
export interface Join {
  networkId: Uint8Array
  publicKey: Uint8Array
  name: string
  role: Role
  /** All three or none: with an invite. */
  grantId?: Uint8Array
  inviteKey?: Uint8Array
  inviteSignature?: Uint8Array
  timeMs: number
}

const signatureBytes = 64
const invitePrefix = fromString('trustnet/invite/v1')

/** The bytes that the invite key signs: it binds the invite to one joiner. */
const inviteProof = (networkId: Uint8Array, publicKey: Uint8Array, grantId: Uint8Array): Uint8Array =>
  concat([invitePrefix, networkId, publicKey, grantId])

const kind: SignedKind<Join, JoinMessage> = {
  what: 'join request',
  domain: domains.join,
  codec: JoinMessage,
  toMessage: (value) => ({ ...value, role: roles[value.role] }),
  fromMessage(message) {
    const grantId = orNothing(message.grantId)
    const inviteKey = orNothing(message.inviteKey)
    const inviteSignature = orNothing(message.inviteSignature)
    return {
      networkId: message.networkId,
      publicKey: message.publicKey,
      name: message.name,
      role: roleOrExternal(message.role),
      ...(grantId !== undefined && { grantId }),
      ...(inviteKey !== undefined && { inviteKey }),
      ...(inviteSignature !== undefined && { inviteSignature }),
      timeMs: message.timeMs
    }
  },
  check(value) {
    checkHash(value.networkId, 'network id of the join request')
    checkKey(value.publicKey, 'key of the joiner')
    checkName(value.name, 'name of the joiner')
    checkTime(value.timeMs, 'time of the join request')
    const { grantId, inviteKey, inviteSignature } = value
    if (
      (grantId === undefined) !== (inviteSignature === undefined) ||
      (grantId === undefined) !== (inviteKey === undefined)
    ) {
      throw new InvalidPayloadError('a join request has grant id, invite key and proof of an invite, or none of them')
    }
    if (inviteKey !== undefined) checkKey(inviteKey, 'invite key of the join request')
    if (grantId !== undefined) checkBytes(grantId, grantIdBytes, 'grant id of the join request')
    if (inviteSignature !== undefined) checkBytes(inviteSignature, signatureBytes, 'proof of the invite')
  },
  signers: (value) => [value.publicKey]
}

export interface JoinInit {
  networkId: Uint8Array
  key: SigningKey
  name: string
  role: Role
  /** Both or neither: from the invite. */
  grant?: Pick<Grant, 'id'>
  inviteKey?: SigningKey
  timeMs: number
}

/** The envelope of a join request. @throws InvalidPayloadError */
export function makeJoin(init: JoinInit): Uint8Array {
  const { networkId, key, name, role, grant, inviteKey, timeMs } = init
  const join: Join = { networkId, publicKey: key.publicKey, name, role, timeMs }
  if (grant !== undefined) join.grantId = grant.id
  if (inviteKey !== undefined && grant !== undefined) {
    join.inviteKey = inviteKey.publicKey
    join.inviteSignature = inviteKey.sign(inviteProof(networkId, key.publicKey, grant.id))
  }
  return sealSigned(kind, join, key).bytes
}

/** @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError */
export const openJoin = (bytes: Uint8Array, networkId: Uint8Array, options?: OpenOptions): Signed<Join> =>
  openSigned(kind, bytes, networkId, options)

/** The same with the signature checked in the thread pool. */
export const openJoinAsync = (bytes: Uint8Array, networkId: Uint8Array, options?: OpenOptions): Promise<Signed<Join>> =>
  openSignedAsync(kind, bytes, networkId, options)

/** Reads a stored join, which was verified before it was stored. */
export const readStoredJoin = (bytes: Uint8Array): Join =>
  kind.fromMessage(JoinMessage.decode(Envelope.decode(bytes).payload))

/** The invite that a request names which nobody verified yet; undefined: none, or no such request. */
export function grantIdShown(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length > domains.join.maxBytes) return undefined
  try {
    return orNothing(JoinMessage.decode(Envelope.decode(bytes).payload).grantId)
  } catch {
    return undefined
  }
}

/**
 * Checks that the key of the invite vouches for this joiner. Whether it is the key of a grant is another question.
 * @throws InviteInvalidError
 */
export function checkInviteProof({ networkId, publicKey, grantId, inviteKey, inviteSignature }: Join): void {
  if (grantId === undefined || inviteKey === undefined || inviteSignature === undefined) return
  requireProof(verifySignature(inviteKey, inviteProof(networkId, publicKey, grantId), inviteSignature))
}

/** The same with the signature checked in the thread pool. */
export async function checkInviteProofAsync(join: Join): Promise<void> {
  const { networkId, publicKey, grantId, inviteKey, inviteSignature } = join
  if (grantId === undefined || inviteKey === undefined || inviteSignature === undefined) return
  requireProof(await verifySignatureAsync(inviteKey, inviteProof(networkId, publicKey, grantId), inviteSignature))
}

function requireProof(valid: boolean): void {
  if (!valid) throw new InviteInvalidError('the proof of the invite is wrong')
}

/**
 * Checks that the join request uses this grant and asks for no more than it gives. The proof of the invite, and time and uses of the
 * grant are the caller's questions.
 * @throws InviteInvalidError
 */
export function checkJoinAgainstGrant({ name, role, grantId, inviteKey }: Join, grant: Grant): void {
  if (grantId === undefined || inviteKey === undefined || !equals(grantId, grant.id)) {
    throw new InviteInvalidError('the join request does not use this grant')
  }
  if (!equals(inviteKey, grant.inviteKey)) throw new InviteInvalidError('the proof of the invite is by another key')
  if (role !== grant.role) throw new InviteInvalidError(`the grant is for the role ${grant.role}, not ${role}`)
  if (grant.name !== undefined && grant.name !== name) {
    throw new InviteInvalidError(`the grant is for the name ${grant.name}, not ${name}`)
  }
}
