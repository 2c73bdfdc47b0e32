import { isIPv4, isIPv6 } from 'node:net'
import { Redactor } from '../../runtime/redactor.ts'

/** PEM and the like: whatever stands between such lines is a key or a certificate. */
const block = /-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g
/** Values of fields and settings that are named like a secret. */
const named =
  /("?[\w.-]*(?:pass(?:word|phrase)|secret|token|seed|privateKey|credential|tsig)[\w.-]*"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^\s",}]+)/gi
/** 32 or 64 bytes in one word, as a key or seed is written; hashes and public keys of answers are shorter in words or named. */
const longBase64 = /\b[A-Za-z0-9+/_-]{86}(?:==)?(?![A-Za-z0-9+/_-])/g
const address6 = /(?<![\w:.])[0-9a-f:]*:[0-9a-f:]*(?::\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])/gi
const address4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/g
/** They are those of every machine. */
const known = new Set(['::', '::1', '0.0.0.0', '127.0.0.1'])

const shown = '[secret]'

/** Takes out of the texts of one report what is nobody's business: the same address has the same place holder in all of them. */
export class ReportRedactor {
  readonly #withAddresses: boolean
  readonly #patterns: Redactor
  readonly #addresses = new Map<string, string>()

  constructor(withAddresses: boolean, init: ConstructorParameters<typeof Redactor>[0]) {
    this.#withAddresses = withAddresses
    this.#patterns = new Redactor(init)
  }

  /** Addresses that were taken out so far. */
  get addresses(): number {
    return this.#addresses.size
  }

  clean(text: string): string {
    const clean = this.#patterns
      .clean(text)
      .replaceAll(block, shown)
      .replaceAll(named, (all, name: string, value: string) => (isPlain(value) ? all : `${name}"${shown}"`))
      .replaceAll(longBase64, shown)
    if (this.#withAddresses) return clean
    return clean
      .replaceAll(address6, (found) => (isIPv6(found) ? this.#placeOf(found) : found))
      .replaceAll(address4, (found) => (isIPv4(found) ? this.#placeOf(found) : found))
  }

  #placeOf(address: string): string {
    if (known.has(address)) return address
    const key = address.toLowerCase()
    const place = this.#addresses.get(key) ?? `[address-${this.#addresses.size + 1}]`
    this.#addresses.set(key, place)
    return place
  }
}

/** No secret is a number, a word of JSON, or the path of a file. */
const isPlain = (value: string): boolean => /^"?(?:true|false|null|\d+|(?:\/|\.{1,2}\/|~)[^"]*)?"?$/.test(value)
