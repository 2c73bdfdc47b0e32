import { base32 } from 'multiformats/bases/base32'
import { equals } from 'uint8arrays/equals'
import { InvalidPayloadError } from '../runtime/errors.ts'
import { checkHash, hashBytes } from './checked-bytes.ts'

const prefix = 'tn'
/** 32 bytes in base32 without padding. */
const idChars = 52
/** 160 bits: enough that nobody finds a second network with the same ones, short enough to type. */
const fingerprintChars = 32

const wrong = (text: string): InvalidPayloadError =>
  new InvalidPayloadError(`'${text.slice(0, 80)}' is no network id (${prefix} and ${idChars} of a-z and 2-7)`)

/** `tn` and the id in base32, lower case: safe in a protocol id, a topic and a file name. */
export function networkIdText(networkId: Uint8Array): string {
  checkHash(networkId, 'network id')
  return prefix + base32.baseEncode(networkId)
}

/** @throws InvalidPayloadError */
export function parseNetworkId(text: string): Uint8Array {
  if (text.length !== prefix.length + idChars || !text.startsWith(prefix)) throw wrong(text)
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.from(base32.baseDecode(text.slice(prefix.length)))
  } catch {
    throw wrong(text)
  }
  // The last character holds spare bits: only one spelling of an id is right.
  if (bytes.length !== hashBytes || networkIdText(bytes) !== text) throw wrong(text)
  return bytes
}

/** The fingerprint that people compare and type: the first 160 bits of the id in groups of four. */
export function networkFingerprint(networkId: Uint8Array): string {
  const groups = base32.baseEncode(networkId).slice(0, fingerprintChars).match(/.{4}/g) ?? []
  return `${prefix} ${groups.join(' ')}`
}

/** True when a typed fingerprint, or a whole network id, is the one of this network. Case, spaces and dashes do not count. */
export function matchesFingerprint(networkId: Uint8Array, typed: string): boolean {
  const plain = typed.toLowerCase().replaceAll(/[\s-]/g, '')
  if (plain.length === prefix.length + idChars) {
    try {
      return equals(parseNetworkId(plain), networkId)
    } catch {
      return false
    }
  }
  return plain === networkFingerprint(networkId).replaceAll(' ', '')
}
