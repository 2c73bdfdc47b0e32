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
import { type Role, roles } from '../../identity/role.ts'
import { InvalidPayloadError, InviteInvalidError } from '../../runtime/errors.ts'
import { Envelope, JoinRequest as JoinMessage } from '../pb/registry.ts'
import { roleOrExternal } from './entry-bodies.ts'
import { domains, type Signed } from './envelope.ts'
import type { Grant } from './grant.ts'
import { type OpenOptions, openSigned, openSignedAsync, type SignedKind, sealSigned } from './signed.ts'

/** A request to be let in, signed by the joiner's own key. Nothing in it is secret, nothing in it serves another key. */
export interface Join {
  networkId: Uint8Array
  publicKey: Uint8Array
  name: string
  role: Role
  /** Both or neither: with an invite. */
  grantId?: Uint8Array
  inviteSignature?: Uint8Array
  timeMs: number
}

const signatureBytes = 64
const invitePrefix = fromString('trustnet/invite/v1')

/** What the invite key signs: it binds the invite to one joiner. */
const inviteProof = (networkId: Uint8Array, publicKey: Uint8Array, grantId: Uint8Array): Uint8Array =>
  concat([invitePrefix, networkId, publicKey, grantId])

const kind: SignedKind<Join, JoinMessage> = {
  what: 'join request',
  domain: domains.join,
  codec: JoinMessage,
  toMessage: (value) => ({ ...value, role: roles[value.role] }),
  fromMessage(message) {
    const grantId = orNothing(message.grantId)
    const inviteSignature = orNothing(message.inviteSignature)
    return {
      networkId: message.networkId,
      publicKey: message.publicKey,
      name: message.name,
      role: roleOrExternal(message.role),
      ...(grantId !== undefined && { grantId }),
      ...(inviteSignature !== undefined && { inviteSignature }),
      timeMs: message.timeMs
    }
  },
  check(value) {
    checkHash(value.networkId, 'network id of the join request')
    checkKey(value.publicKey, 'key of the joiner')
    checkName(value.name, 'name of the joiner')
    checkTime(value.timeMs, 'time of the join request')
    const { grantId, inviteSignature } = value
    if ((grantId === undefined) !== (inviteSignature === undefined)) {
      throw new InvalidPayloadError('a join request has a grant id and a proof of the invite, or neither')
    }
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
  grant?: Signed<Grant>
  inviteKey?: SigningKey
  timeMs: number
}

/** The envelope of a join request. @throws InvalidPayloadError */
export function makeJoin(init: JoinInit): Uint8Array {
  const { networkId, key, name, role, grant, inviteKey, timeMs } = init
  const join: Join = { networkId, publicKey: key.publicKey, name, role, timeMs }
  if (grant !== undefined) join.grantId = grant.value.id
  if (inviteKey !== undefined && grant !== undefined) {
    join.inviteSignature = inviteKey.sign(inviteProof(networkId, key.publicKey, grant.value.id))
  }
  return sealSigned(kind, join, key).bytes
}

/** @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError */
export const openJoin = (bytes: Uint8Array, networkId: Uint8Array, options?: OpenOptions): Signed<Join> =>
  openSigned(kind, bytes, networkId, options)

/** The same with the signature checked in the thread pool. */
export const openJoinAsync = (bytes: Uint8Array, networkId: Uint8Array, options?: OpenOptions): Promise<Signed<Join>> =>
  openSignedAsync(kind, bytes, networkId, options)

/** What stored bytes say, which were verified before they were stored. */
export const readStoredJoin = (bytes: Uint8Array): Join =>
  kind.fromMessage(JoinMessage.decode(Envelope.decode(bytes).payload))

/**
 * Checks that the join request uses this grant and asks for no more than it gives. Who signed the grant, its time and its
 * uses are the caller's questions.
 * @throws InviteInvalidError
 */
export function checkJoinAgainstGrant(join: Signed<Join>, grant: Signed<Grant>): void {
  const { bytes, signature } = proofFor(join, grant)
  requireProof(verifySignature(grant.value.inviteKey, bytes, signature))
}

/** The same with the proof of the invite checked in the thread pool. */
export async function checkJoinAgainstGrantAsync(join: Signed<Join>, grant: Signed<Grant>): Promise<void> {
  const { bytes, signature } = proofFor(join, grant)
  requireProof(await verifySignatureAsync(grant.value.inviteKey, bytes, signature))
}

function requireProof(valid: boolean): void {
  if (!valid) throw new InviteInvalidError('the proof of the invite is wrong')
}

/** What the invite key must have signed, once all else of the request fits the grant. */
function proofFor(join: Signed<Join>, grant: Signed<Grant>): { bytes: Uint8Array; signature: Uint8Array } {
  const { networkId, publicKey, name, role, grantId, inviteSignature } = join.value
  const allowed = grant.value
  if (!equals(networkId, allowed.networkId)) throw new InviteInvalidError('the grant is of another network')
  if (grantId === undefined || inviteSignature === undefined || !equals(grantId, allowed.id)) {
    throw new InviteInvalidError('the join request does not use this grant')
  }
  if (role !== allowed.role) throw new InviteInvalidError(`the grant is for the role ${allowed.role}, not ${role}`)
  if (allowed.name !== undefined && allowed.name !== name) {
    throw new InviteInvalidError(`the grant is for the name ${allowed.name}, not ${name}`)
  }
  return { bytes: inviteProof(networkId, publicKey, grantId), signature: inviteSignature }
}
