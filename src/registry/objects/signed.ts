import { equals } from 'uint8arrays/equals'
import { checkHash } from '../../identity/checked-bytes.ts'
import { sha256 } from '../../identity/hash.ts'
import type { SigningKey } from '../../identity/keys.ts'
import {
  InvalidEnvelopeError,
  InvalidPayloadError,
  UnsupportedVersionError,
  WrongNetworkError
} from '../../runtime/errors.ts'
import { shapes } from '../pb/registry.ts'
import { requireCanonical } from './encoding/canonical.ts'
import {
  type Domain,
  envelopeBytes,
  type Opened,
  openEnvelope,
  openEnvelopeAsync,
  type Signed,
  seal
} from './envelope.ts'

/** The major version of every payload. A reader refuses a newer one and ignores fields that it does not know. */
export const payloadVersion = 1

/** Codec that protons makes of a message. */
export interface PayloadCodec<M> {
  encode(message: Partial<M>): Uint8Array
  decode(bytes: Uint8Array): M
}

/** One kind of signed object, as data: how it is encoded, what must hold, and who may sign it. */
export interface SignedKind<T, M extends { version: number }> {
  /** For messages: `node record`. */
  what: string
  domain: Domain
  codec: PayloadCodec<M>
  /** Everything but the version. */
  toMessage(value: T): Partial<M>
  fromMessage(message: M): T
  /** Fields that came after the first version of the kind: they stand behind its message, which does not know them. */
  later?: { append(payload: Uint8Array, value: T): Uint8Array; read(payload: Uint8Array): Partial<T> }
  /** Runs before signing and after opening. @throws InvalidPayloadError */
  check(value: T): void
  /** Keys of which one must have signed; undefined: only the log can tell. */
  signers(value: T): Uint8Array[] | undefined
}

export interface OpenOptions {
  /** The only key that may have signed, when the caller knows: the remote key of a connection. */
  signer?: Uint8Array
}

/** A kind whose payload names its network: all but the genesis. */
type Bound = { networkId: Uint8Array }

/** @throws InvalidPayloadError when the value breaks a rule, InvalidEnvelopeError when the key may not sign it */
export function sealSigned<T, M extends { version: number }>(
  kind: SignedKind<T, M>,
  value: T,
  key: SigningKey
): Signed<T> {
  kind.check(value)
  requireSigner(kind, value, key.publicKey, undefined)
  const payload = payloadOf(kind, value)
  return { value, signer: key.publicKey, bytes: seal(kind.domain, payload, key), hash: sha256(payload) }
}

/** Bytes that an object has when it is signed. */
export const sealedBytes = <T, M extends { version: number }>(kind: SignedKind<T, M>, value: T): number =>
  envelopeBytes(kind.domain, payloadOf(kind, value).length)

function payloadOf<T, M extends { version: number }>(kind: SignedKind<T, M>, value: T): Uint8Array {
  const message = kind.codec.encode({ ...kind.toMessage(value), version: payloadVersion })
  return kind.later?.append(message, value) ?? message
}

export function openSigned<T extends Bound, M extends Bound & { version: number }>(
  kind: SignedKind<T, M>,
  bytes: Uint8Array,
  networkId: Uint8Array,
  options: OpenOptions = {}
): Signed<T> {
  return judge(kind, openEnvelope(kind.domain, bytes), networkId, options)
}

/** The same with the signature checked in the thread pool. */
export async function openSignedAsync<T extends Bound, M extends Bound & { version: number }>(
  kind: SignedKind<T, M>,
  bytes: Uint8Array,
  networkId: Uint8Array,
  options: OpenOptions = {}
): Promise<Signed<T>> {
  return judge(kind, await openEnvelopeAsync(kind.domain, bytes), networkId, options)
}

function judge<T extends Bound, M extends Bound & { version: number }>(
  kind: SignedKind<T, M>,
  opened: Opened,
  networkId: Uint8Array,
  options: OpenOptions
): Signed<T> {
  const message = decodePayload(kind, opened.payload)
  checkHash(message.networkId, `network id of the ${kind.what}`)
  if (!equals(message.networkId, networkId)) throw new WrongNetworkError(`the ${kind.what} is of another network`)
  return judgeMessage(kind, message, opened, options)
}

/** For the genesis, which makes its network's id and so cannot name it. */
export function openUnbound<T, M extends { version: number }>(kind: SignedKind<T, M>, bytes: Uint8Array): Signed<T> {
  const opened = openEnvelope(kind.domain, bytes)
  return judgeMessage(kind, decodePayload(kind, opened.payload), opened, {})
}

function judgeMessage<T, M extends { version: number }>(
  kind: SignedKind<T, M>,
  message: M,
  opened: Opened,
  options: OpenOptions
): Signed<T> {
  const known = kind.fromMessage(message)
  const value = kind.later === undefined ? known : { ...known, ...kind.later.read(opened.payload) }
  kind.check(value)
  requireSigner(kind, value, opened.signer, options.signer)
  return { value, signer: opened.signer, bytes: opened.bytes, hash: opened.hash }
}

/** A valid signature says who signed, not that they may: the one place where that is asked. */
function requireSigner<T, M extends { version: number }>(
  kind: SignedKind<T, M>,
  value: T,
  signer: Uint8Array,
  expected: Uint8Array | undefined
): void {
  const allowed = kind.signers(value)
  const isAllowed = allowed === undefined || allowed.some((key) => equals(key, signer))
  if (!isAllowed || (expected !== undefined && !equals(expected, signer))) {
    throw new InvalidEnvelopeError(`the ${kind.what} is signed by a key that may not sign it`)
  }
}

/** @throws UnsupportedVersionError for a newer version, InvalidPayloadError for bytes that are no such payload */
function decodePayload<T, M extends { version: number }>(kind: SignedKind<T, M>, payload: Uint8Array): M {
  const message = decodeStrictly<M>(kind.codec, payload, kind.what)
  if (message.version > payloadVersion) {
    throw new UnsupportedVersionError(`the ${kind.what} has version ${message.version}: update this program`)
  }
  if (message.version !== payloadVersion) throw new InvalidPayloadError(`the ${kind.what} has no version`)
  return message
}

/**
 * Decodes a message and insists that its bytes are the one encoding of it, so every implementation reads the same from the same bytes.
 * @throws InvalidPayloadError
 */
export function decodeStrictly<M>(codec: PayloadCodec<M>, bytes: Uint8Array, what: string): M {
  const shape = shapes.get(codec)
  if (shape === undefined) throw new TypeError(`the fields of the ${what} are not known`)
  requireCanonical(bytes, shape, shapes, what)
  return codec.decode(bytes)
}
