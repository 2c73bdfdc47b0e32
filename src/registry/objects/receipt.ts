import { checkHash, checkTime } from '../../identity/checked-bytes.ts'
import { keyBytes } from '../../identity/ed25519.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { Envelope, JoinReceipt as JoinReceiptMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { type OpenOptions, openSigned, openSignedAsync, type SignedKind, sealSigned } from './signed.ts'

/** When a registry first saw a join request. Signed by that registry, so its queue does not make an invite too late. */
export interface JoinReceipt {
  networkId: Uint8Array
  /** SHA-256 of the join request's payload. */
  joinHash: Uint8Array
  timeMs: number
}

const kind: SignedKind<JoinReceipt, JoinReceiptMessage> = {
  what: 'join receipt',
  domain: domains.receipt,
  codec: JoinReceiptMessage,
  toMessage: (value) => value,
  fromMessage: ({ networkId, joinHash, timeMs }) => ({ networkId, joinHash, timeMs }),
  check(value) {
    checkHash(value.networkId, 'network id of the receipt')
    checkHash(value.joinHash, 'hash of the join request')
    checkTime(value.timeMs, 'time of the receipt')
  },
  // A registry's key: the log tells which keys are.
  signers: () => undefined
}

/** @throws InvalidPayloadError */
export const sealReceipt = (receipt: JoinReceipt, key: SigningKey): Signed<JoinReceipt> =>
  sealSigned(kind, receipt, key)

/**
 * Opens a receipt. The caller checks that the signer is a registry.
 * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError
 */
export const openReceipt = (bytes: Uint8Array, networkId: Uint8Array, options?: OpenOptions): Signed<JoinReceipt> =>
  openSigned(kind, bytes, networkId, options)

/** The same with the signature checked in the thread pool. */
export const openReceiptAsync = (bytes: Uint8Array, networkId: Uint8Array): Promise<Signed<JoinReceipt>> =>
  openSignedAsync(kind, bytes, networkId)

/** Signer and content of bytes that were verified before. */
export function readStoredReceipt(bytes: Uint8Array): { signer: Uint8Array; value: JoinReceipt } {
  const { publicKey, payload } = Envelope.decode(bytes)
  return { signer: publicKey.subarray(-keyBytes), value: kind.fromMessage(JoinReceiptMessage.decode(payload)) }
}
