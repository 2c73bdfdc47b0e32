import type { Output, PeerRow } from '../../node/api/control-api.ts'
import { offers, offersHealthy } from '../../node/services/healthy.ts'
import { UsageError } from './exit.ts'
import { age, orUnknown, plural, sanitise, shortPeerId, wrapped } from './text.ts'

export const sortKeys = ['name', 'state', 'role', 'rtt', 'seen', 'uptime'] as const
type SortKey = (typeof sortKeys)[number]

export interface PeerFilter {
  state?: string
  role?: string
  source?: string
  service?: string
  /** Tag of that service. */
  tag?: string
  healthy?: boolean
  name?: string
  sort?: SortKey
  limit?: number
  all?: boolean
}

/** Members that nobody heard for so long are listed with --all only. */
const forgottenMs = 7 * 86_400_000

const roleOrder = ['root', 'secondary', 'integrated', 'external']
const stateOrder = ['offline', 'suspect', 'late', 'unknown', 'left', 'online']

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const rank = (order: readonly string[], value: string | null): number => {
  const at = value === null ? -1 : order.indexOf(value)
  return at < 0 ? order.length : at
}
/** Unknown last. */
const byNumber = (a: number | null, b: number | null): number =>
  (a ?? Number.POSITIVE_INFINITY) === (b ?? Number.POSITIVE_INFINITY)
    ? 0
    : (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY)

const byName = (a: PeerRow, b: PeerRow): number =>
  byText(a.name ?? '\uFFFF', b.name ?? '\uFFFF') || byText(a.peerId, b.peerId)

/** Self first, then the registries, then by name. */
const byRank = (a: PeerRow, b: PeerRow): number =>
  Number(b.self) - Number(a.self) ||
  Math.min(2, rank(roleOrder, a.role)) - Math.min(2, rank(roleOrder, b.role)) ||
  byName(a, b)

const orders: Record<SortKey, (a: PeerRow, b: PeerRow) => number> = {
  name: byName,
  state: (a, b) => rank(stateOrder, a.state) - rank(stateOrder, b.state) || byName(a, b),
  role: (a, b) => rank(roleOrder, a.role) - rank(roleOrder, b.role) || byName(a, b),
  rtt: (a, b) => byNumber(a.rttUs, b.rttUs) || byName(a, b),
  seen: (a, b) => byNumber(a.seenAgeMs, b.seenAgeMs) || byName(a, b),
  uptime: (a, b) => byNumber(a.uptimePercent, b.uptimePercent) || byName(a, b)
}

const among = (list: string | undefined, value: string | null): boolean =>
  list === undefined || (value !== null && list.split(',').includes(value))

const serves = (row: PeerRow, { service, tag, healthy }: PeerFilter): boolean => {
  if (service === undefined) return true
  return healthy === true ? offersHealthy(row, service, tag) : offers(row, service, tag)
}

const matches = (row: PeerRow, filter: PeerFilter): boolean =>
  among(filter.state, row.state) &&
  among(filter.role, row.role) &&
  among(filter.source, row.source) &&
  serves(row, filter) &&
  (filter.name === undefined || (row.name ?? '').includes(filter.name))

const forgotten = (row: PeerRow): boolean => row.state !== 'online' && (row.seenAgeMs ?? 0) > forgottenMs

/** The rows to show, in order, and how many are kept back as long unseen. */
export const selectPeers = (rows: readonly PeerRow[], filter: PeerFilter): { rows: PeerRow[]; kept: number } => {
  const fitting = rows.filter((row) => matches(row, filter))
  const recent = filter.all === true ? fitting : fitting.filter((row) => row.self || !forgotten(row))
  const sorted = recent.toSorted(filter.sort === undefined ? byRank : orders[filter.sort])
  return {
    rows: filter.limit === undefined ? sorted : sorted.slice(0, filter.limit),
    kept: fitting.length - recent.length
  }
}

/** "hal …xKpa in example.org · 5 members: 4 online, 1 suspect · hal's view of log 0:12, 2s old · trustnet 0.1.0" */
export const peersSummary = (view: Output<'peers'>, kept: number, width?: number): string => {
  const counts = Object.entries(view.counts).filter(([, count]) => count > 0)
  const states = counts.map(([state, count]) => `${count} ${state}`).join(', ') || 'none seen yet'
  const where = view.network === null ? 'no network yet' : `in ${sanitise(view.network.domain)}`
  const old = view.view.ageMs === null ? 'never synced' : `${age(view.view.ageMs)} old`
  const parts = [
    `${orUnknown(view.self.name)} ${shortPeerId(sanitise(view.self.peerId))} ${where}`,
    `${plural(view.total, 'member')}: ${states}`,
    `view of ${orUnknown(view.view.name)}, log ${view.view.epoch}:${view.view.head}, ${old}`,
    `trustnet ${sanitise(view.self.version)}`
  ]
  if (kept > 0) parts.push(`${kept} not seen for 7 days (--all)`)
  return wrapped(parts, ' · ', width)
}

/** A whole number of at least min from an option. */
export const wholeNumber =
  (option: string, min = 1, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text)
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
    if (!/^(0|[1-9]\d*)$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max)
      throw new UsageError(`${option} needs a whole number ${range}; '${sanitise(text)}' is none.`)
    return value
  }
