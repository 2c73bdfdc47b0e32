import type { Answer, Packet, Question } from 'dns-packet'
import { formatIp6 } from '../../address/ipv6.ts'
import { failed, rcodes } from '../../dns/name-server.ts'
import { isLabel } from '../config/domain.ts'

/** A member that offers a service. */
export interface Offer {
  readonly name: string
  readonly port: number
  /** Lower ones are asked first. */
  readonly priority: number
  readonly addresses: readonly string[]
}

/** Knowledge of a network that names are answered from. */
export interface NameSource {
  /** Domain of the network, in lower case. */
  readonly domain: string
  /** Serial number of the zone: it grows with the log. */
  readonly serial: number
  /** Seconds for which an answer may be kept. */
  readonly ttlSeconds: number
  /** IPv6 addresses of a member; none: it has shown no record yet. undefined: there is no such member. @throws where nobody can be asked */
  addresses(name: string): Promise<readonly string[] | undefined>
  /** Members that offer it, the best first. @throws as `addresses` does */
  offers(service: string, protocol: 'tcp' | 'udp'): Promise<readonly Offer[]>
  /** Names of the members that have this address. undefined: it is none of this network. */
  namesAt(address: string): Promise<readonly string[] | undefined>
  /** True where addresses of this network begin so. */
  isPrefix(nibbles: string): boolean
}

const authoritative = 0x0400
/** TTL of "no such name": it may be there in a moment. */
const negativeTtlSeconds = 5
const arpa = '.ip6.arpa'
/** `tnr` is published in the real zone, and programs that look for registries ask for it there. */
const published = 'tnr'
const transfers: ReadonlySet<string> = new Set(['AXFR', 'IXFR'])

/** Records of an answer: `undefined` is "no such name", `refused` "not from here". */
type Found = { answers: Answer[]; additionals?: Answer[] } | 'refused' | undefined

/** The answer to a query. Only what the network itself says is answered; everything else is refused, and nothing is asked elsewhere. */
export const answerNames = async (source: NameSource, query: Packet): Promise<Packet> => {
  const [question, ...more] = query.questions ?? []
  if (question === undefined || more.length > 0) return failed(query, rcodes.notImplemented)
  const { type, class: kind = 'IN' } = question
  const found = kind !== 'IN' || transfers.has(type) ? 'refused' : await recordsOf(source, question)
  if (found === 'refused') return failed(query, rcodes.refused)
  const whole = failed(query, found === undefined ? rcodes.nxDomain : rcodes.noError)
  const { answers = [], additionals = [] } = found ?? {}
  const authorities = answers.length === 0 ? [soaOf(source, question.name)] : []
  return { ...whole, flags: (whole.flags ?? 0) | authoritative, answers, authorities, additionals }
}

const recordsOf = async (source: NameSource, question: Question): Promise<Found> => {
  const { domain } = source
  const name = question.name.toLowerCase()
  if (name.endsWith(arpa)) return await reverse(source, question, name.slice(0, -arpa.length))
  if (name === domain) return question.type === 'SOA' ? { answers: [soaOf(source, domain)] } : 'refused'
  if (!name.endsWith(`.${domain}`)) return 'refused'
  const labels = name.slice(0, -domain.length - 1).split('.')
  const [first = '', second = ''] = labels
  if (labels.at(-1) === published && (await source.addresses(published)) === undefined) return 'refused'
  if (labels.length === 1) return await memberRecords(source, question, first)
  if (labels.length > 2 || !first.startsWith('_') || !isLabel(first.slice(1))) return undefined
  return await serviceRecords(source, question, first.slice(1), second)
}

const memberRecords = async (source: NameSource, question: Question, label: string): Promise<Found> => {
  if (protocolOf(label) !== undefined) return { answers: [] }
  const addresses = await source.addresses(label)
  if (addresses === undefined) return undefined
  return { answers: wants(question, 'AAAA') ? addressRecords(source, question.name, addresses) : [] }
}

const serviceRecords = async (
  source: NameSource,
  question: Question,
  service: string,
  label: string
): Promise<Found> => {
  const protocol = protocolOf(label)
  const offers = protocol === undefined ? [] : await source.offers(service, protocol)
  if (offers.length === 0) return undefined
  if (!wants(question, 'SRV')) return { answers: [] }
  const targetOf = ({ name }: Offer): string => `${name}.${source.domain}`
  return {
    answers: offers.map((offer) => ({
      type: 'SRV',
      name: question.name,
      ttl: source.ttlSeconds,
      data: { priority: offer.priority, weight: 1, port: offer.port, target: targetOf(offer) }
    })),
    additionals: offers.flatMap((offer) => addressRecords(source, targetOf(offer), offer.addresses))
  }
}

const protocolOf = (label: string): 'tcp' | 'udp' | undefined =>
  label === '_tcp' ? 'tcp' : label === '_udp' ? 'udp' : undefined

const nibbleCount = 32

const reverse = async (source: NameSource, question: Question, text: string): Promise<Found> => {
  const labels = text.split('.')
  if (labels.length > nibbleCount || !labels.every((label) => /^[0-9a-f]$/.test(label))) return 'refused'
  const nibbles = labels.toReversed().join('')
  if (nibbles.length < nibbleCount) return source.isPrefix(nibbles) ? { answers: [] } : 'refused'
  const names = await source.namesAt(formatIp6(Buffer.from(nibbles, 'hex')))
  if (names === undefined) return source.isPrefix(nibbles) ? undefined : 'refused'
  if (!wants(question, 'PTR')) return { answers: [] }
  const { ttlSeconds: ttl, domain } = source
  return { answers: names.map((name) => ({ type: 'PTR', name: question.name, ttl, data: `${name}.${domain}` })) }
}

/** A question for ANY is answered with the one kind that there is. */
const wants = ({ type }: Question, kind: 'AAAA' | 'SRV' | 'PTR'): boolean => ([kind, 'ANY'] as string[]).includes(type)

const addressRecords = ({ ttlSeconds: ttl }: NameSource, name: string, addresses: readonly string[]): Answer[] =>
  addresses.map((data) => ({ type: 'AAAA', name, ttl, data }))

/** Zone of the answer: a name below ip6.arpa has its own. */
const soaOf = ({ domain, serial }: NameSource, asked: string): Answer => ({
  type: 'SOA',
  name: asked.toLowerCase().endsWith(arpa) ? arpa.slice(1) : domain,
  ttl: negativeTtlSeconds,
  data: {
    mname: domain,
    rname: `hostmaster.${domain}`,
    serial,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: negativeTtlSeconds
  }
})
