import { randomBytes } from 'node:crypto'
import {
  checkBytes,
  checkCount,
  checkHash,
  checkKey,
  checkPosition,
  checkTime
} from '../../../identity/checked-bytes.ts'
import type { SigningKey } from '../../../identity/keys.ts'
import { Envelope, Order as OrderMessage } from '../../pb/registry.ts'
import { domains, type Signed } from '../envelope.ts'
import { type OpenOptions, openSigned, openSignedAsync, type SignedKind, sealSigned } from '../signed.ts'

/** The word of an operator: an entry of this kind with this body is to be made. */
export interface Order {
  networkId: Uint8Array
  /** Key of the operator. */
  publicKey: Uint8Array
  /** Number of the kind of the entry; 0: no entry, but what the digest is of. */
  kind: number
  /** SHA-256 of the body of the entry; of an admission, of the payload of the join. */
  digest: Uint8Array
  /** A head that the operator knew. */
  epoch: number
  seenN: number
  timeMs: number
  /** 16 random bytes. */
  nonce: Uint8Array
}

const nonceBytes = 16
const maxKind = 0xffff_ffff

/** Orders that an entry holds at most. */
export const maxOrders = 2

const kind: SignedKind<Order, OrderMessage> = {
  what: 'order',
  domain: domains.order,
  codec: OrderMessage,
  toMessage: (value) => value,
  fromMessage: ({ networkId, publicKey, kind: number, digest, epoch, seenN, timeMs, nonce }) => ({
    networkId,
    publicKey,
    kind: number,
    digest,
    epoch,
    seenN,
    timeMs,
    nonce
  }),
  check(value) {
    checkHash(value.networkId, 'network id of the order')
    checkKey(value.publicKey, 'key of the operator')
    checkCount(value.kind, 0, maxKind, 'kind of the order')
    checkHash(value.digest, 'digest of the order')
    checkPosition(value.epoch, 0, 'epoch of the order')
    checkPosition(value.seenN, 0, 'head that the order knows')
    checkTime(value.timeMs, 'time of the order')
    checkBytes(value.nonce, nonceBytes, 'nonce of the order')
  },
  signers: (value) => [value.publicKey]
}

/** Signs an order with a nonce of its own. @throws InvalidPayloadError */
export const sealOrder = (
  order: Omit<Order, 'publicKey' | 'nonce'> & { nonce?: Uint8Array },
  key: SigningKey
): Signed<Order> =>
  sealSigned(kind, { nonce: Uint8Array.from(randomBytes(nonceBytes)), ...order, publicKey: key.publicKey }, key)

/** @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError */
export const openOrder = (bytes: Uint8Array, networkId: Uint8Array, options?: OpenOptions): Signed<Order> =>
  openSigned(kind, bytes, networkId, options)

/** The same with the signature checked in the thread pool. */
export const openOrderAsync = (bytes: Uint8Array, networkId: Uint8Array): Promise<Signed<Order>> =>
  openSignedAsync(kind, bytes, networkId)

/** Reads an order that was verified before. */
export const readStoredOrder = (bytes: Uint8Array): Order =>
  kind.fromMessage(OrderMessage.decode(Envelope.decode(bytes).payload))
