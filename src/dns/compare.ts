import { parseAddr, scopeOf } from '../address/multiaddr.ts'
import type { RecordEdit } from './providers/provider.ts'
import { agreement, canonical, type Published } from './published.ts'
import { recordTtlSeconds } from './records.ts'
import { tnrName } from './tnr.ts'

/** A registry as the running process knows it. */
export interface KnownRegistry {
  readonly peerId: string
  readonly name: string | null
  readonly state: string
  readonly connected: boolean
  /** Multiaddrs, best first. */
  readonly addresses: readonly string[]
}

export interface ComparedValue {
  readonly value: string
  /** At how many of the zone's name servers that answered. */
  readonly published: 'all' | 'some' | 'none'
  /** The registry whose address it is; undefined: no registry of this network has it. */
  readonly registry: KnownRegistry | undefined
  readonly verdict: 'keep' | 'add' | 'remove' | 'stray'
  readonly why: string
}

export interface Comparison {
  readonly rows: readonly ComparedValue[]
  /** Edit that brings DNS to what is alive. Values that belong to nobody are rows (`stray`) and not in it. */
  readonly edit: RecordEdit
  /** Notes that deserve a line and no edit. */
  readonly notes: readonly string[]
}

export interface ComparisonInit {
  readonly domain: string
  readonly published: Published
  readonly registries: readonly KnownRegistry[]
  /** Port that is dialled after an AAAA answer: a registry that listens elsewhere cannot be found by DNS. */
  readonly port: number
}

/** One address of each registry that is alive and can be found by DNS. */
export const liveAddresses = (registries: readonly KnownRegistry[], port: number): string[] => [
  ...new Set(registries.filter(isAlive).flatMap((registry) => dialable(registry, port).slice(0, 1)))
]

/** Only these two are sure enough to take an address away, and only a state that is sure adds one. */
const gone = new Set(['offline', 'left'])
const alive = new Set(['online', 'late'])

const isAlive = ({ state, connected }: KnownRegistry): boolean => alive.has(state) || (connected && !gone.has(state))

/** Compares the zone with the registries that live. */
export const compare = (init: ComparisonInit): Comparison => {
  const known = init.registries.map((registry) => ({ registry, ips: dialable(registry, init.port) }))
  const { values, differing } = agreement(init.published)
  const published = [...values, ...differing]
  const survivors = known.some(({ registry, ips }) => isAlive(registry) && ips.length > 0)
  const rows = published.map((value): ComparedValue => {
    const holder = known.find(({ ips }) => ips.includes(value))?.registry
    const at = { value, published: values.includes(value) ? ('all' as const) : ('some' as const), registry: holder }
    if (holder === undefined) return { ...at, verdict: 'stray', why: 'no registry of this network has this address' }
    if (!gone.has(holder.state))
      return { ...at, verdict: isAlive(holder) && at.published === 'some' ? 'add' : 'keep', why: holder.state }
    if (!survivors) return { ...at, verdict: 'keep', why: `${holder.state}, but no other registry is alive` }
    return { ...at, verdict: 'remove', why: holder.state }
  })
  const missing = known.filter(({ registry, ips }) => isAlive(registry) && !ips.some((ip) => published.includes(ip)))
  const added = new Map(missing.flatMap(({ registry, ips }) => ips.slice(0, 1).map((ip) => [ip, registry] as const)))
  for (const [value, registry] of added) {
    rows.push({ value, published: 'none', registry, verdict: 'add', why: `${registry.state}, not published` })
  }
  const of = (verdict: ComparedValue['verdict']): string[] =>
    rows.filter((row) => row.verdict === verdict).map(({ value }) => value)
  const edit = {
    name: tnrName(init.domain),
    type: 'AAAA' as const,
    ttlSeconds: recordTtlSeconds,
    add: of('add'),
    remove: of('remove')
  }
  return {
    rows,
    edit,
    notes: notesOn(
      init,
      missing.filter(({ ips }) => ips.length === 0).map(({ registry }) => registry)
    )
  }
}

/** Addresses whose verdict is on somebody's word alone, and one to compare with: this machine has to try them itself. */
export const addressesToTry = ({ rows }: Comparison): string[] => {
  const changed = rows.filter(isHearsay)
  return changed.length === 0 ? [] : rows.filter((row) => isHearsay(row) || isKept(row)).map(({ value }) => value)
}

const isHearsay = ({ verdict, registry }: ComparedValue): boolean =>
  verdict === 'remove' || (verdict === 'add' && registry?.connected === false)

const isKept = ({ verdict, registry }: ComparedValue): boolean =>
  registry !== undefined && isAlive(registry) && (verdict === 'keep' || verdict === 'add')

/**
 * The comparison once this machine has tried the addresses: what one registry says of another changes nothing outside by itself. An
 * address goes only when it does not answer and another one does, and comes only when it answers or this process is connected to it.
 */
export const confirmed = (comparison: Comparison, answers: ReadonlySet<string>): Comparison => {
  const hasUplink = comparison.rows.some(
    (row) => isKept(row) && (answers.has(row.value) || row.registry?.connected === true)
  )
  const notes = [...comparison.notes]
  const rows = comparison.rows.flatMap((row): ComparedValue[] => {
    const { verdict, value, why, published } = row
    if (!isHearsay(row)) return [row]
    if (verdict === 'remove') {
      if (answers.has(value)) return [{ ...row, verdict: 'keep', why: `${why}, but it answers this machine` }]
      if (hasUplink) return [{ ...row, why: `${why}, and does not answer this machine` }]
      return [
        { ...row, verdict: 'keep', why: `${why}, but no other registry answers this machine, which may be cut off` }
      ]
    }
    if (answers.has(value)) return [row]
    notes.push(
      `${value} is not to be added: ${row.registry?.name ?? value} is said to be up, but does not answer this machine`
    )
    return published === 'none' ? [] : [{ ...row, verdict: 'keep' }]
  })
  const of = (verdict: ComparedValue['verdict']): string[] =>
    rows.filter((row) => row.verdict === verdict).map(({ value }) => value)
  return { rows, notes, edit: { ...comparison.edit, add: of('add'), remove: of('remove') } }
}

const scopes = ['global', 'ula', 'loopback']

/** IPv6 addresses at the port that is dialled, the most widely reachable first. */
const dialable = ({ addresses }: KnownRegistry, port: number): string[] => {
  const ips = addresses.map(parseAddr).flatMap((addr) => (addr?.port === port ? [canonical('AAAA', addr.ip)] : []))
  return [...new Set(ips)].toSorted((a, b) => scopes.indexOf(scopeOf(a)) - scopes.indexOf(scopeOf(b)))
}

const notesOn = ({ published, port }: ComparisonInit, unreachable: readonly KnownRegistry[]): string[] => [
  ...published.servers.flatMap(({ server, failure }) =>
    failure === undefined ? [] : [`${server} does not answer: ${failure.message}`]
  ),
  ...unreachable.map(({ name, peerId, addresses }) =>
    addresses.length === 0
      ? `${name ?? peerId} has announced no address yet`
      : `${name ?? peerId} listens at ${addresses.join(', ')}: after an AAAA answer port ${port} is dialled, so DNS cannot lead to it`
  )
]
