import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { keyBytes } from '../../identity/ed25519.ts'
import { sha256 } from '../../identity/hash.ts'
import { publicKeyPrefix, type SigningKey, verifySignature, verifySignatureAsync } from '../../identity/keys.ts'
import { InvalidEnvelopeError } from '../../runtime/errors.ts'
import { Envelope } from '../pb/registry.ts'

/** libp2p signed envelopes: https://github.com/libp2p/specs/blob/master/RFC/0002-signed-envelopes.md */

const signatureBytes = 64

/** Domain of signatures that separates one kind of signed object from all others. */
export interface Domain {
  /** Domain separation string; never on the wire. */
  domain: string
  payloadType: Uint8Array
  /** Greatest size of the whole envelope; checked before anything is decoded. */
  maxBytes: number
}

function domainOf(name: string, maxBytes: number): Domain {
  return { domain: `trustnet/${name}/v1`, payloadType: fromString(`/trustnet/${name}`), maxBytes }
}

/** Every kind of signed object, with the most bytes that one may have. */
export const domains = {
  genesis: domainOf('genesis', 4096),
  // An admit entry carries two envelopes, a rotate entry too.
  logEntry: domainOf('log-entry', 4096),
  checkpoint: domainOf('checkpoint', 512),
  nodeRecord: domainOf('node-record', 1024),
  join: domainOf('join', 512),
  receipt: domainOf('receipt', 512),
  renew: domainOf('renew', 512),
  forget: domainOf('forget', 512),
  rotate: domainOf('rotate', 512),
  order: domainOf('order', 512),
  storeManifest: domainOf('store', 512)
} as const satisfies Record<string, Domain>

/** An envelope whose signature, domain and shape are right. Whether the signer may sign that is not judged yet. */
export interface Opened {
  /** Raw Ed25519 key. */
  signer: Uint8Array
  payload: Uint8Array
  /** The envelope as it came: what is stored and forwarded. */
  bytes: Uint8Array
  /** SHA-256 of the payload: the identity of what is signed. */
  hash: Uint8Array
}

/** A signed object whose rules were checked. */
export interface Signed<T> {
  value: T
  signer: Uint8Array
  bytes: Uint8Array
  hash: Uint8Array
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

const prefixes = new WeakMap<Domain, Uint8Array>()

/** The bytes that are signed: domain, payload type and payload, each after its length. */
function signedBytes(domain: Domain, payload: Uint8Array): Uint8Array {
  let prefix = prefixes.get(domain)
  if (prefix === undefined) {
    const name = fromString(domain.domain)
    prefix = concat([varint(name.length), name, varint(domain.payloadType.length), domain.payloadType])
    prefixes.set(domain, prefix)
  }
  return concat([prefix, varint(payload.length), payload])
}

/** @throws InvalidEnvelopeError when the envelope would be larger than its domain allows */
export function seal(domain: Domain, payload: Uint8Array, key: SigningKey): Uint8Array {
  const bytes = Envelope.encode({
    publicKey: concat([publicKeyPrefix, key.publicKey]),
    payloadType: domain.payloadType,
    payload,
    signature: key.sign(signedBytes(domain, payload))
  })
  checkSize(domain, bytes, domain.maxBytes)
  return bytes
}

/** Bytes of an envelope around a payload that is so long. */
export const envelopeBytes = ({ payloadType }: Domain, payloadBytes: number): number =>
  [publicKeyPrefix.length + keyBytes, payloadType.length, payloadBytes, signatureBytes].reduce(
    (sum, length) => sum + 1 + varint(length).length + length,
    0
  )

function checkSize(domain: Domain, bytes: Uint8Array, maxBytes: number): void {
  if (bytes.length > maxBytes) {
    throw new InvalidEnvelopeError(`${nameOf(domain)} of ${bytes.length} bytes: at most ${maxBytes} are allowed`)
  }
}

/** For messages: `log-entry`. */
const nameOf = (domain: Domain): string => domain.domain.replace(/^trustnet\/(.*)\/v1$/, '$1')

interface Parsed {
  opened: Opened
  signature: Uint8Array
  signed: Uint8Array
}

function parse(domain: Domain, given: Uint8Array, maxBytes: number): Parsed {
  checkSize(domain, given, maxBytes)
  // A copy: the bytes may be a view of a frame or of a database page, which would change or stay in memory as a whole.
  const bytes = new Uint8Array(given)
  const { publicKey, payloadType, payload, signature } = fieldsOf(domain, bytes)
  if (!equals(payloadType, domain.payloadType)) {
    throw new InvalidEnvelopeError(`signed for another purpose than ${nameOf(domain)}`)
  }
  const length = publicKeyPrefix.length + keyBytes
  if (publicKey.length !== length || !equals(publicKey.subarray(0, publicKeyPrefix.length), publicKeyPrefix)) {
    throw new InvalidEnvelopeError(`${nameOf(domain)} is not signed with an Ed25519 key`)
  }
  if (signature.length !== signatureBytes) throw new InvalidEnvelopeError(`${nameOf(domain)} has no Ed25519 signature`)
  const signer = publicKey.subarray(publicKeyPrefix.length)
  return { opened: { signer, payload, bytes, hash: sha256(payload) }, signature, signed: signedBytes(domain, payload) }
}

/** Field numbers 1, 2, 3 and 5, length-delimited. */
const tags = { publicKey: 0x0a, payloadType: 0x12, payload: 0x1a, signature: 0x2a } as const

/**
 * Reads an envelope in the one way in which it is written: four fields in order, each length in as few bytes as it needs, and nothing else.
 * Otherwise whoever carries it could blow it up, and no two replicas would count the same bytes. By hand, since the generated decoder
 * takes all ways and would have to be asked for the bytes again.
 */
function fieldsOf(domain: Domain, bytes: Uint8Array): Record<keyof typeof tags, Uint8Array> {
  let at = 0
  const next = (tag: number): Uint8Array => {
    // An empty field is not written.
    if (bytes[at] !== tag) return bytes.subarray(at, at)
    const low = bytes[at + 1] ?? 0
    const high = low < 0x80 ? 0 : (bytes[at + 2] ?? 0)
    const from = at + (low < 0x80 ? 2 : 3)
    const to = from + (low & 0x7f) + (high << 7)
    // No domain allows an envelope that needs a third byte.
    const isShortest = low < 0x80 ? low > 0 : high > 0 && high < 0x80
    if (!isShortest || to > bytes.length) {
      throw new InvalidEnvelopeError(`${nameOf(domain)} is no signed envelope as it should be encoded`)
    }
    at = to
    return bytes.subarray(from, to)
  }
  const fields = {
    publicKey: next(tags.publicKey),
    payloadType: next(tags.payloadType),
    payload: next(tags.payload),
    signature: next(tags.signature)
  }
  if (at === bytes.length) return fields
  throw new InvalidEnvelopeError(`${nameOf(domain)} has bytes that do not belong to its envelope`)
}

function requireValid(valid: boolean, domain: Domain, opened: Opened): Opened {
  if (!valid) throw new InvalidEnvelopeError(`the signature of the ${nameOf(domain)} is wrong`)
  return opened
}

/**
 * Checks size, shape, purpose, key type and signature, in this order.
 * @throws InvalidEnvelopeError
 */
export function openEnvelope(domain: Domain, bytes: Uint8Array, maxBytes: number = domain.maxBytes): Opened {
  const { opened, signature, signed } = parse(domain, bytes, maxBytes)
  return requireValid(verifySignature(opened.signer, signed, signature), domain, opened)
}

/** The same with the signature checked in the thread pool. The bytes are copied first. */
export async function openEnvelopeAsync(
  domain: Domain,
  bytes: Uint8Array,
  maxBytes: number = domain.maxBytes
): Promise<Opened> {
  const { opened, signature, signed } = parse(domain, bytes, maxBytes)
  return requireValid(await verifySignatureAsync(opened.signer, signed, signature), domain, opened)
}

/** Hash of what an envelope holds that was verified before, or will be. */
export const payloadHash = (bytes: Uint8Array): Uint8Array => sha256(Envelope.decode(bytes).payload)
