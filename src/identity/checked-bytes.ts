import { InvalidPayloadError } from '../runtime/errors.ts'
import { isPublicKey, keyBytes } from './ed25519.ts'
import { isAssigned } from './unicode.ts'

/** Rules that fields of signed payloads share. Each check throws InvalidPayloadError with the field's name. */

export const hashBytes = 32
export const grantIdBytes = 16
/** End of the year 9999: what a Date can still print, so no signed number can break a table or a log line. */
export const maxTimeMs = 253_402_300_799_999
export const maxTextChars = 64
export const maxReasonChars = 256
/** A name of DNS holds 253 characters, and `_dnsaddr.tnr.` stands before the domain. */
export const maxDomainChars = 240

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/**
 * Characters that no printed text may hold: control characters, line and paragraph separators, marks that turn the direction of
 * writing or have no width, lone surrogates, and the replacement character that broken UTF-8 leaves. A fixed list:
 * character classes grow with each Unicode version, and replicas of different versions must agree.
 */
const unprintable: readonly (readonly [number, number])[] = [
  [0x0000, 0x001f],
  [0x007f, 0x009f],
  [0x061c, 0x061c],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xffff]
]
const printableAscii = /^[ -~]*$/

const isPrintable = (code: number): boolean =>
  isAssigned(code) && unprintable.every(([first, last]) => code < first || code > last)

const refuse = (what: string, rule: string): never => {
  throw new InvalidPayloadError(`${what} ${rule}`)
}

export function checkBytes(value: Uint8Array, length: number, what: string): void {
  if (value.length !== length) refuse(what, `must be ${length} bytes, not ${value.length}`)
}

/** An Ed25519 public key in its one encoding, not of small order. */
export function checkKey(value: Uint8Array, what: string): void {
  checkBytes(value, keyBytes, what)
  if (!isPublicKey(value)) refuse(what, 'is no Ed25519 key')
}

export const checkHash = (value: Uint8Array, what: string): void => checkBytes(value, hashBytes, what)

export function checkCount(value: number, min: number, max: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    refuse(what, `must be a whole number from ${min} to ${max}`)
  }
}

export const checkPosition = (value: number, min: number, what: string): void =>
  checkCount(value, min, Number.MAX_SAFE_INTEGER, what)

export const checkTime = (value: number, what: string): void => checkCount(value, 0, maxTimeMs, what)

/** Text that is printed: normal form C, code points of Unicode 15.0, no control characters, `min` to `max` of them. */
export function checkText(value: string, min: number, max: number, what: string): void {
  if (printableAscii.test(value)) {
    if (value.length < min || value.length > max) refuse(what, `must have ${min} to ${max} characters`)
    return
  }
  // One code point is at most two UTF-16 units: long texts are refused before they are taken apart.
  const codes = value.length > max * 2 ? [] : Array.from(value, (char) => Number(char.codePointAt(0)))
  if (codes.length < Math.max(min, 1) || codes.length > max) refuse(what, `must have ${min} to ${max} characters`)
  if (!codes.every(isPrintable)) refuse(what, 'has characters that cannot be printed')
  if (value !== value.normalize('NFC')) refuse(what, 'is not in normal form C')
}

/** True for a label of DNS in lower case: 1 to 63 of a-z 0-9 and inner hyphens. */
export const isName = (value: string): boolean => label.test(value)

/** A member's name. */
export function checkName(value: string, what: string): void {
  if (!isName(value)) refuse(what, 'must be 1 to 63 of a-z, 0-9 and -, without a hyphen at either end')
}

/** True for a domain in lower case, without a final dot, that is no IP address and leaves room for the names under it. */
export function isDomain(value: string): boolean {
  if (value.length > maxDomainChars) return false
  return value.split('.').every((each) => label.test(each)) && !/(^|\.)\d+$/.test(value)
}

export function checkDomain(value: string, what: string): void {
  if (!isDomain(value)) {
    refuse(what, `must be a domain name in lower case, up to ${maxDomainChars} characters (like example.org)`)
  }
}

/** The optional bytes of a message: absent on the wire is empty in protobuf. */
export const orNothing = (value: Uint8Array): Uint8Array | undefined => (value.length === 0 ? undefined : value)

/** The name that a number on the wire has in a table; undefined: one of a newer version. */
export function nameOfNumber<K extends string>(table: Readonly<Record<K, number>>, number: number): K | undefined {
  for (const name in table) if (table[name] === number) return name
  return undefined
}
