import { equals } from 'uint8arrays/equals'
import { checkHash, checkKey } from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { RotateRequest as RotateRequestMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { type OpenOptions, openSigned, type SignedKind, sealSigned } from './signed.ts'

/** A member's request to go on with another key. Both keys sign the same. */
export interface RotateRequest {
  networkId: Uint8Array
  oldKey: Uint8Array
  newKey: Uint8Array
}

/** The request as it travels: two envelopes over one payload. */
export interface RotateProofs {
  /** By the old key. */
  proofOld: Uint8Array
  /** By the new one. */
  proofNew: Uint8Array
}

const kind: SignedKind<RotateRequest, RotateRequestMessage> = {
  what: 'rotate request',
  domain: domains.rotate,
  codec: RotateRequestMessage,
  toMessage: (value) => value,
  fromMessage: ({ networkId, oldKey, newKey }) => ({ networkId, oldKey, newKey }),
  check(value) {
    checkHash(value.networkId, 'network id of the rotate request')
    checkKey(value.oldKey, 'old key')
    checkKey(value.newKey, 'new key')
    if (equals(value.oldKey, value.newKey)) throw new InvalidPayloadError('old and new key are the same')
  },
  signers: (value) => [value.oldKey, value.newKey]
}

/** @throws InvalidPayloadError, InvalidEnvelopeError for a third key */
export const sealRotateRequest = (request: RotateRequest, key: SigningKey): Signed<RotateRequest> =>
  sealSigned(kind, request, key)

/** The request to go on with the new key, signed by both. */
export function sealRotation(networkId: Uint8Array, oldKey: SigningKey, newKey: SigningKey): RotateProofs {
  const request = { networkId, oldKey: oldKey.publicKey, newKey: newKey.publicKey }
  return { proofOld: sealRotateRequest(request, oldKey).bytes, proofNew: sealRotateRequest(request, newKey).bytes }
}

/**
 * Signed by either key: `options.signer` says by which it must be.
 * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError
 */
export const openRotateRequest = (
  bytes: Uint8Array,
  networkId: Uint8Array,
  options?: OpenOptions
): Signed<RotateRequest> => openSigned(kind, bytes, networkId, options)

/**
 * The request of a rotate entry: `proofOld` by the old key and `proofNew` by the new one, over the same payload.
 * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError
 */
export function openRotation(
  proofs: RotateProofs & { oldKey: Uint8Array; newKey: Uint8Array },
  networkId: Uint8Array
): RotateRequest {
  const byOld = openRotateRequest(proofs.proofOld, networkId, { signer: proofs.oldKey })
  const byNew = openRotateRequest(proofs.proofNew, networkId, { signer: proofs.newKey })
  const isSame = equals(byOld.value.oldKey, proofs.oldKey) && equals(byOld.value.newKey, proofs.newKey)
  if (!isSame || !equals(byOld.hash, byNew.hash)) {
    throw new InvalidPayloadError('the proofs of the rotation are of other keys than the entry')
  }
  return byOld.value
}
