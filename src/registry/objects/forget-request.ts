import { checkHash, checkKey } from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { ForgetRequest as ForgetRequestMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { type OpenOptions, openSigned, type SignedKind, sealSigned } from './signed.ts'

/** A member's request to end its own membership. */
export interface ForgetRequest {
  networkId: Uint8Array
  publicKey: Uint8Array
  /** Hash of the entry that gave the membership: admit, or rotate. A later membership of the key is not meant. */
  membership: Uint8Array
}

const kind: SignedKind<ForgetRequest, ForgetRequestMessage> = {
  what: 'forget request',
  domain: domains.forget,
  codec: ForgetRequestMessage,
  toMessage: (value) => value,
  fromMessage: ({ networkId, publicKey, membership }) => ({ networkId, publicKey, membership }),
  check(value) {
    checkHash(value.networkId, 'network id of the forget request')
    checkKey(value.publicKey, 'key of the forget request')
    checkHash(value.membership, 'membership of the forget request')
  },
  signers: (value) => [value.publicKey]
}

/** @throws InvalidPayloadError, InvalidEnvelopeError for another's key */
export const sealForgetRequest = (request: ForgetRequest, key: SigningKey): Signed<ForgetRequest> =>
  sealSigned(kind, request, key)

/** @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError */
export const openForgetRequest = (
  bytes: Uint8Array,
  networkId: Uint8Array,
  options?: OpenOptions
): Signed<ForgetRequest> => openSigned(kind, bytes, networkId, options)
