import { checkHash, checkKey, checkTime } from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { RenewRequest as RenewRequestMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { type OpenOptions, openSigned, type SignedKind, sealSigned } from './signed.ts'

/** A member's request to stay. */
export interface RenewRequest {
  networkId: Uint8Array
  publicKey: Uint8Array
  /** End of the membership that is renewed: an old request fits no later membership. */
  notAfterMs: number
}

const kind: SignedKind<RenewRequest, RenewRequestMessage> = {
  what: 'renew request',
  domain: domains.renew,
  codec: RenewRequestMessage,
  toMessage: (value) => value,
  fromMessage: ({ networkId, publicKey, notAfterMs }) => ({ networkId, publicKey, notAfterMs }),
  check(value) {
    checkHash(value.networkId, 'network id of the renew request')
    checkKey(value.publicKey, 'key of the renew request')
    checkTime(value.notAfterMs, 'end of the renewed membership')
  },
  signers: (value) => [value.publicKey]
}

/** @throws InvalidPayloadError, InvalidEnvelopeError for another's key */
export const sealRenewRequest = (request: RenewRequest, key: SigningKey): Signed<RenewRequest> =>
  sealSigned(kind, request, key)

/** @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError */
export const openRenewRequest = (
  bytes: Uint8Array,
  networkId: Uint8Array,
  options?: OpenOptions
): Signed<RenewRequest> => openSigned(kind, bytes, networkId, options)
