import type { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatIp6, parseIp6 } from '../address/multiaddr.ts'
import { ask, type DnsFailure, type DnsOptions } from './ask.ts'
import { parents, type RecordEdit, type RecordKey } from './providers/provider.ts'

/** Answer of one name server of the zone. */
export interface ServerAnswer {
  /** Its name, or its address when it was given. */
  readonly server: string
  readonly address: string | undefined
  readonly values: readonly string[]
  readonly ttlSeconds: number | undefined
  /** The reason why it says nothing; undefined: it answered, perhaps that there is no such record. */
  readonly failure: DnsFailure | undefined
}

export interface Published {
  /** undefined: the servers were given, not looked up. */
  readonly zone: string | undefined
  readonly servers: readonly ServerAnswer[]
}

export interface PublishedOptions extends DnsOptions {
  /** Ask these name servers, as `2001:db8::53` or `[::1]:5353`, instead of those that the zone names. */
  readonly authorities?: readonly string[] | undefined
}

/** A zone with more name servers than that is asked at some of them. */
const maxServers = 16
const maxAddresses = 4
const answerMs = 3000

/** The one spelling of a value by which sets are compared. */
export const canonical = (type: RecordKey['type'], value: string): string => {
  const bytes = type === 'AAAA' ? parseIp6(value) : undefined
  return bytes === undefined ? value : formatIp6(bytes)
}

/**
 * Asks every name server of the zone itself, so no cache stands between; where the resolvers that are given know none, these.
 * Throws only what the caller's signal says.
 */
export const lookupPublished = async (
  key: RecordKey,
  options: PublishedOptions = {}
): Promise<Published | DnsFailure> => {
  const { authorities } = options
  if (authorities !== undefined && authorities.length > 0) {
    return { zone: undefined, servers: await askAll(key, authorities, options) }
  }
  const found = await zoneOf(key.name, options)
  if (!('names' in found)) {
    const { servers = [] } = options
    return servers.length === 0 ? found : { zone: undefined, servers: await askAll(key, servers, options) }
  }
  const servers = found.names.slice(0, maxServers).map(async (name) => {
    const addresses = await addressesOf(name, options)
    return Array.isArray(addresses) ? askServer(key, name, addresses, options) : silent(name, addresses)
  })
  return { zone: found.zone, servers: await Promise.all(servers) }
}

const askAll = async (
  key: RecordKey,
  servers: readonly string[],
  options: DnsOptions
): Promise<readonly ServerAnswer[]> =>
  await Promise.all(servers.slice(0, maxServers).map((one) => askServer(key, one, [one], options)))

const isAbsent = ({ kind }: DnsFailure): boolean => kind === 'none' || kind === 'no-domain'

/** The zone that holds a name: the nearest one above it that has name servers. */
const zoneOf = async (name: string, options: DnsOptions): Promise<{ zone: string; names: string[] } | DnsFailure> => {
  let last: DnsFailure = { kind: 'no-domain', message: `${name}: no zone holds it` }
  for (const zone of parents(name)) {
    const result = await ask(zone, (resolver) => resolver.resolveNs(zone), options)
    if ('answer' in result && result.answer.length > 0) return { zone, names: result.answer }
    if ('answer' in result) continue
    last = result
    if (!isAbsent(result)) return result
  }
  return last
}

/** IPv6 first; a name server may well have IPv4 only. */
const addressesOf = async (server: string, options: DnsOptions): Promise<string[] | DnsFailure> => {
  const [six, four] = await Promise.all([
    ask(server, (resolver) => resolver.resolve6(server), options),
    ask(server, (resolver) => resolver.resolve4(server), options)
  ])
  const addresses = [six, four].flatMap((result) => ('answer' in result ? result.answer : []))
  if (addresses.length > 0) return addresses.slice(0, maxAddresses)
  return 'answer' in six ? { kind: 'none', message: `${server}: the name server has no address` } : six
}

const silent = (server: string, failure: DnsFailure): ServerAnswer => ({
  server,
  address: undefined,
  values: [],
  ttlSeconds: undefined,
  failure
})

/** The answer of the first address that gives one. */
const askServer = async (
  key: RecordKey,
  server: string,
  addresses: readonly string[],
  { signal }: DnsOptions
): Promise<ServerAnswer> => {
  let answer = silent(server, { kind: 'none', message: `${server}: the name server has no address` })
  for (const address of addresses) {
    const options = { servers: [address], timeoutMs: answerMs, signal }
    const result = await ask(key.name, (resolver) => question(resolver, key), options)
    if ('answer' in result) return { server, address, failure: undefined, ...result.answer }
    answer = { ...silent(server, result), address, failure: isAbsent(result) ? undefined : result }
    if (isAbsent(result)) return answer
  }
  return answer
}

const question = async (
  resolver: Resolver,
  { name, type }: RecordKey
): Promise<{ values: string[]; ttlSeconds: number | undefined }> => {
  if (type === 'TXT') {
    const texts = await resolver.resolveTxt(name)
    return { values: texts.map((parts) => parts.join('')).toSorted(), ttlSeconds: undefined }
  }
  const records = await resolver.resolve6(name, { ttl: true })
  // Servers turn the order of a set with each answer.
  return { values: records.map(({ address }) => canonical(type, address)).toSorted(), ttlSeconds: records[0]?.ttl }
}

/** Values that all name servers which answered agree on, and those that only some of them say yet. */
export const agreement = ({ servers }: Published): { values: string[]; differing: string[] } => {
  const answers = servers.filter(({ failure }) => failure === undefined)
  const all = [...new Set(answers.flatMap(({ values }) => values))]
  const values = all.filter((value) => answers.every((answer) => answer.values.includes(value)))
  return { values, differing: all.filter((value) => !values.includes(value)) }
}

const fits = ({ type, add, remove }: RecordEdit, { values }: ServerAnswer): boolean =>
  add.every((value) => values.includes(canonical(type, value))) &&
  !remove.some((value) => values.includes(canonical(type, value)) && !add.includes(value))

/** Tells whether every name server that answers has the edit, and one at least does answer. */
export const isPublished = (edit: RecordEdit, { servers }: Published): boolean => {
  const answers = servers.filter(({ failure }) => failure === undefined)
  return answers.length > 0 && answers.every((answer) => fits(edit, answer))
}

export interface WaitOptions extends PublishedOptions {
  /** Time for all together. */
  readonly withinMs: number
  readonly everyMs?: number | undefined
  readonly progress?: ((message: string) => void) | undefined
}

const everyDefaultMs = 2000

/** Asks again until every name server has the edit or the time is over. Throws only what the caller's signal says. */
export const waitUntilPublished = async (
  edit: RecordEdit,
  options: WaitOptions
): Promise<{ published: boolean; last: Published | DnsFailure }> => {
  const { withinMs, everyMs = everyDefaultMs, progress, signal } = options
  const end = performance.now() + withinMs
  let told = ''
  for (;;) {
    const last = await lookupPublished(edit, options)
    if ('servers' in last && isPublished(edit, last)) return { published: true, last }
    const message = waitingFor(edit, last)
    if (message !== told) progress?.(message)
    told = message
    if (performance.now() + everyMs > end) return { published: false, last }
    await sleep(everyMs, undefined, { signal })
  }
}

const waitingFor = (edit: RecordEdit, last: Published | DnsFailure): string => {
  if (!('servers' in last)) return last.message
  const done = last.servers.filter((answer) => answer.failure === undefined && fits(edit, answer))
  const missing = last.servers.filter((answer) => !done.includes(answer))
  const who = missing.map(({ server, failure }) => (failure === undefined ? server : `${server} (${failure.kind})`))
  return `${done.length} of ${last.servers.length} name servers have ${edit.name}; waiting for ${who.join(', ')}`
}
