import { isIPv4 } from 'node:net'
import { formatIp6, parseIp6 } from '../../address/ipv6.ts'
import { Redactor } from '../../runtime/redactor.ts'
import { safeJson } from '../output/text.ts'

/** PEM and the like: whatever stands between such lines is a key or a certificate. */
const block = /-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g
const secretWord =
  'pass(?:word|phrase)|passwd|secret|token|seed|private-?key|credential|tsig|api[_-]?key|authorization|cookie'
const secretName = new RegExp(secretWord, 'i')
const fileName = /(?:file|path)$/i
/** A value in quotes, also within a quoted text; in brackets; or up to the next blank. */
const settingValue = String.raw`"(?:[^"\\]|\\.)*"|\\+"[\s\S]*?\\+"|\[[^\]]*\]|[^\s"\\,}]+`
/** A secret setting in a text: its name, what stands between, and its value. */
const setting = new RegExp(
  String.raw`(?<![\w.-])(?=[\w.-]{0,100}?(?:${secretWord}))([\w.-]+)(\\*"?(?:\s*[:=]\s*|\s+(?<=--[\w-]+\s+)))((?:(?:bearer|basic)\s+)?(?:${settingValue}))`,
  'gi'
)
/** A key or a seed of 32 bytes, or one of 64 or 68, as base64 writes it; no PeerId is as long as any of these. */
const key32 = /(?<![\w+/-])[\w+/-]{42}[AEIMQUYcgkosw048]=?(?![\w+/=-])/g
const key64 = /(?<![\w+/-])(?:[\w+/-]{86}|[\w+/-]{91})={0,2}(?![\w+/=-])/g
/** An address begins behind a label as `peer:`, too, and ends before a colon. */
const begin = String.raw`(?:(?<![^\W_]|(?<!\w):)|(?<=\\[nrt]))`
const end = String.raw`(?![^\W_]|\.\d)`
const address6 = new RegExp(
  String.raw`${begin}(?=[0-9a-f]{0,4}:)[0-9a-f:]{2,46}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?${end}`,
  'gi'
)
const address4 = new RegExp(String.raw`${begin}(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}${end}`, 'g')
const reverseName = /(?:[0-9a-f]\.){1,32}ip6\.arpa/gi
/** They are those of every machine. */
const known = new Set(['::', '::1'])

const shown = '[secret]'

/** Takes out of the parts of one report what is nobody's business: the same address has the same place holder in all of them. */
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

  /** An answer as JSON. */
  json(value: unknown, indent?: number): string {
    return safeJson(this.#value(value), indent)
  }

  /** Lines of a log: JSON stays JSON. */
  lines(lines: readonly string[]): string {
    return lines.map((line) => this.#line(line)).join('\n')
  }

  clean(text: string): string {
    const clean = this.#patterns
      .clean(text)
      .replaceAll(block, shown)
      .replaceAll(setting, (all, name: string, between: string, value: string) => {
        const [quote = ''] = /^\\*"/.exec(value) ?? []
        const bare = value.slice(quote.length, value.length - quote.length)
        return isSecret(name, bare) ? `${name}${between}${quote}${shown}${quote}` : all
      })
      .replaceAll(key64, shown)
      .replaceAll(key32, (word) => (isMixed(word) ? shown : word))
    if (this.#withAddresses) return clean
    return clean
      .replaceAll(reverseName, (found) => this.#placeOf(found.toLowerCase()))
      .replaceAll(address6, (found) => this.#address6(found))
      .replaceAll(address4, (found) => (isIPv4(found) ? this.#placeOf(found) : found))
  }

  #line(line: string): string {
    try {
      return this.json(JSON.parse(line))
    } catch {
      return this.clean(line)
    }
  }

  #value(value: unknown): unknown {
    if (typeof value === 'string') return this.clean(value)
    if (Array.isArray(value)) return this.#list(value)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, each]: [string, unknown]) => [
        this.clean(name),
        isSecret(name, each) ? shown : this.#value(each)
      ])
    )
  }

  /** May be a command line: its options are named like settings. */
  #list(list: readonly unknown[]): unknown[] {
    return list.map((each, at) => {
      const before = list[at - 1]
      const isNamed = typeof before === 'string' && /^--[\w-]+$/.test(before)
      return isNamed && isSecret(before, each) ? shown : this.#value(each)
    })
  }

  /** The colon behind an address is none of it. */
  #address6(found: string): string {
    const length = parseIp6(found) === undefined && found.endsWith(':') ? found.length - 1 : found.length
    const bytes = parseIp6(found.slice(0, length))
    return bytes === undefined ? found : this.#placeOf(formatIp6(bytes)) + found.slice(length)
  }

  #placeOf(address: string): string {
    if (known.has(address)) return address
    const place = this.#addresses.get(address) ?? `[address-${this.#addresses.size + 1}]`
    this.#addresses.set(address, place)
    return place
  }
}

/** No secret is a number, a word of JSON, or the path of a file where a file is named. */
const isSecret = (name: string, value: unknown): boolean => {
  if (!secretName.test(name) || value === null || typeof value === 'number' || typeof value === 'boolean') return false
  if (typeof value !== 'string') return true
  return !/^(?:true|false|null|)$/.test(value) && !(fileName.test(name) && /^(?:\/|\.{1,2}\/|~)/.test(value))
}

/** Words and names are not written so, nor hashes in hex. */
const isMixed = (word: string): boolean => /[A-Z]/.test(word) && /[a-z]/.test(word) && /\d/.test(word)
