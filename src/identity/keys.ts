import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { base58btc } from 'multiformats/bases/base58'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { InvalidPayloadError } from '../runtime/errors.ts'
import { checkBytes, checkKey } from './checked-bytes.ts'
import { isPublicKey, keyBytes } from './ed25519.ts'
import { keyId } from './key-id.ts'
import { Recent } from './recent.ts'

/** DER of an Ed25519 public key up to its 32 bytes, and of a private key up to its seed (RFC 8410). */
const spkiPrefix = fromString('302a300506032b6570032100', 'hex')
const pkcs8Prefix = fromString('302e020100300506032b657004220420', 'hex')
/** libp2p PublicKey protobuf {type: Ed25519, data: 32 bytes}, and the identity multihash of it that a PeerId is. */
export const publicKeyPrefix = fromString('08011220', 'hex')
const peerIdPrefix = concat([Uint8Array.of(0x00, 0x24), publicKeyPrefix])
const peerIdChars = 52

/** A KeyObject and the text of a PeerId take about 1 KiB; 10,000 hold the peers that one process talks with. */
const maxCachedKeys = 10_000

/** Objects made of a key so far; a null object is a key that cannot verify anything. */
interface CachedKey {
  object?: KeyObject | null
  text?: string
}

const keys = new Recent<CachedKey>(maxCachedKeys)

const cachedOf = (publicKey: Uint8Array): CachedKey => keys.get(keyId(publicKey), () => ({}))

function keyObjectOf(publicKey: Uint8Array): KeyObject | null {
  const cached = cachedOf(publicKey)
  if (cached.object === undefined) cached.object = importPublicKey(publicKey)
  return cached.object
}

/** As PEM: for any other form Node throws and catches up to four errors inside, which take three times as long as the import. */
function importPublicKey(publicKey: Uint8Array): KeyObject | null {
  if (!isPublicKey(publicKey)) return null
  const der = Buffer.concat([spkiPrefix, publicKey]).toString('base64')
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`)
}

/** An Ed25519 key pair. The seed never shows when the object is printed or turned into JSON. */
export class SigningKey {
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly #seed: Uint8Array
  readonly #object: KeyObject

  private constructor(seed: Uint8Array) {
    checkBytes(seed, keyBytes, 'seed of a key')
    this.#seed = Uint8Array.from(seed)
    this.#object = createPrivateKey({ key: Buffer.from(concat([pkcs8Prefix, seed])), format: 'der', type: 'pkcs8' })
    const spki = createPublicKey(this.#object).export({ format: 'der', type: 'spki' })
    this.publicKey = Uint8Array.from(spki.subarray(spkiPrefix.length))
  }

  static generate(): SigningKey {
    return new SigningKey(randomBytes(keyBytes))
  }

  /** @throws InvalidPayloadError unless the seed is 32 bytes */
  static fromSeed(seed: Uint8Array): SigningKey {
    return new SigningKey(seed)
  }

  get seed(): Uint8Array {
    return this.#seed.slice()
  }

  sign(bytes: Uint8Array): Uint8Array {
    return Uint8Array.from(sign(null, bytes, this.#object))
  }

  toLibp2p(): PrivateKey {
    return privateKeyFromRaw(concat([this.#seed, this.publicKey]))
  }
}

/** False too for a key that is none. */
export function verifySignature(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  const object = keyObjectOf(publicKey)
  return object !== null && verify(null, bytes, object, signature)
}

/** The same in the thread pool. `bytes` and `signature` must not change until it is done. */
export function verifySignatureAsync(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array
): Promise<boolean> {
  const object = keyObjectOf(publicKey)
  if (object === null) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    verify(null, bytes, object, signature, (error, valid) => (error === null ? resolve(valid) : reject(error)))
  })
}

/** The PeerId of a key as text (12D3KooW…): the same as libp2p's, and the Map key of a peer everywhere. */
export function peerIdText(publicKey: Uint8Array): string {
  checkBytes(publicKey, keyBytes, 'public key')
  const cached = cachedOf(publicKey)
  cached.text ??= base58btc.baseEncode(concat([peerIdPrefix, publicKey]))
  return cached.text
}

/** @throws InvalidPayloadError for anything but the PeerId of an Ed25519 key that `checkKey` takes, in its usual form */
export function publicKeyOf(text: string): Uint8Array {
  const bytes = text.length === peerIdChars ? decodeBase58(text) : undefined
  const isPeerId = bytes?.length === peerIdPrefix.length + keyBytes && equals(bytes.subarray(0, 6), peerIdPrefix)
  if (bytes === undefined || !isPeerId) {
    throw new InvalidPayloadError(`'${text.slice(0, 64)}' is no PeerId of an Ed25519 key (12D3KooW…, 52 characters)`)
  }
  const publicKey = Uint8Array.from(bytes.subarray(peerIdPrefix.length))
  checkKey(publicKey, `the key of ${text}`)
  return publicKey
}

/** True for what `publicKeyOf` takes. */
export function isPeerIdText(text: string): boolean {
  try {
    publicKeyOf(text)
    return true
  } catch {
    return false
  }
}

function decodeBase58(text: string): Uint8Array | undefined {
  try {
    return base58btc.baseDecode(text)
  } catch {
    return undefined
  }
}

/** @throws InvalidPayloadError for a PeerId of another key type, or of a key that `checkKey` refuses */
export function publicKeyOfPeerId(peerId: PeerId): Uint8Array {
  if (peerId.type !== 'Ed25519') {
    throw new InvalidPayloadError(`PeerId ${peerId.toString()} has a key that is not Ed25519`)
  }
  const { raw } = peerId.publicKey
  checkKey(raw, `the key of ${peerId.toString()}`)
  return Uint8Array.from(raw)
}
