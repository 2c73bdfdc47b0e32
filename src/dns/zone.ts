import type { Answer, Packet, Question } from 'dns-packet'

export interface ZoneRecord {
  readonly type: 'AAAA' | 'TXT' | 'CNAME'
  readonly value: string
}

const rcode = { noError: 0, nxDomain: 3, notImplemented: 4, refused: 5 }
const authoritative = 0x0400
const recursionDesired = 0x0100
/** Opcode and the bits that a query may have and an answer repeats. */
const opcodeMask = 0x7800

/** The records of one domain. Names and their case as DNS has them: `TNR.Example.test` is `tnr.example.test`. */
export class Zone {
  readonly domain: string
  readonly ttlSeconds: number
  readonly #records = new Map<string, readonly ZoneRecord[]>()
  #serial = 1

  constructor(domain: string, ttlSeconds = 30) {
    this.domain = domain.toLowerCase()
    this.ttlSeconds = ttlSeconds
  }

  /** Replaces all records of a name; none removes it. */
  set(name: string, records: readonly ZoneRecord[]): void {
    this.#serial++
    if (records.length === 0) this.#records.delete(name.toLowerCase())
    else this.#records.set(name.toLowerCase(), [...records])
  }

  /** undefined: there is no such name, nor one below it. */
  at(name: string): readonly ZoneRecord[] | undefined {
    const key = name.toLowerCase()
    const found = this.#records.get(key)
    if (found !== undefined) return found
    return key === this.domain || [...this.#records.keys()].some((other) => other.endsWith(`.${key}`)) ? [] : undefined
  }

  contains(name: string): boolean {
    const key = name.toLowerCase()
    return key === this.domain || key.endsWith(`.${this.domain}`)
  }

  get soa(): Answer {
    return {
      type: 'SOA',
      name: this.domain,
      ttl: this.ttlSeconds,
      data: {
        mname: `ns.${this.domain}`,
        rname: `hostmaster.${this.domain}`,
        serial: this.#serial,
        refresh: 3600,
        retry: 600,
        expire: 86_400,
        minimum: this.ttlSeconds
      }
    }
  }
}

/** The reply to a query: pure, without transport. */
export const answerTo = (zone: Zone, query: Packet): Packet => {
  const flags = (query.flags ?? 0) & recursionDesired
  const base = { type: 'response' as const, id: query.id ?? 0, questions: query.questions ?? [] }
  const [question, ...more] = base.questions
  if (((query.flags ?? 0) & opcodeMask) !== 0 || question === undefined || more.length > 0) {
    return { ...base, flags: flags | rcode.notImplemented }
  }
  if (!zone.contains(question.name)) return { ...base, flags: flags | rcode.refused }
  const records = zone.at(question.name)
  if (records === undefined) return { ...base, flags: flags | authoritative | rcode.nxDomain, authorities: [zone.soa] }
  const answers = answersOf(zone, question, records)
  const authorities = answers.length === 0 ? [zone.soa] : []
  return { ...base, flags: flags | authoritative | rcode.noError, answers, authorities }
}

const answersOf = (zone: Zone, { name, type }: Question, records: readonly ZoneRecord[]): Answer[] => {
  if (type === 'SOA' && name.toLowerCase() === zone.domain) return [zone.soa]
  const alias = records.find((record) => record.type === 'CNAME')
  if (alias !== undefined && type !== 'CNAME') {
    const target = zone.contains(alias.value) ? (zone.at(alias.value) ?? []) : []
    return [
      wire(zone, name, alias),
      ...target.filter((record) => record.type === type).map((one) => wire(zone, alias.value, one))
    ]
  }
  return records.filter((record) => record.type === type).map((record) => wire(zone, name, record))
}

/** A TXT record is made of strings of at most 255 bytes (RFC 1035). */
const txtBytes = 255

const wire = (zone: Zone, name: string, { type, value }: ZoneRecord): Answer => {
  if (type !== 'TXT') return { type, name, ttl: zone.ttlSeconds, data: value }
  const bytes = Buffer.from(value)
  const parts = Array.from({ length: Math.ceil(bytes.length / txtBytes) }, (_, i) =>
    bytes.subarray(i * txtBytes, (i + 1) * txtBytes)
  )
  return { type, name, ttl: zone.ttlSeconds, data: parts }
}
