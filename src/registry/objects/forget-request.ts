import { checkHash, checkKey } from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { ForgetRequest as ForgetRequestMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { type OpenOptions, openSigned, type SignedKind, sealSigned } from './signed.ts'

/** A member's request to have its own key revoked. It holds for ever, as the revocation does. */
export interface ForgetRequest {
  networkId: Uint8Array
  publicKey: Uint8Array
}

const kind: SignedKind<ForgetRequest, ForgetRequestMessage> = {
  what: 'forget request',
  domain: domains.forget,
  codec: ForgetRequestMessage,
  toMessage: (value) => value,
  fromMessage: ({ networkId, publicKey }) => ({ networkId, publicKey }),
  check(value) {
    checkHash(value.networkId, 'network id of the forget request')
    checkKey(value.publicKey, 'key of the forget request')
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
