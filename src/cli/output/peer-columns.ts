import type { PeerRow } from '../../node/api/control-api.ts'
import type { Column } from './table.ts'
import {
  age,
  bareAddress,
  bytes,
  orUnknown,
  type Paint,
  type Painter,
  percent,
  roundTrip,
  sanitise,
  shortPeerId,
  unknown
} from './text.ts'

const paints: Partial<Record<PeerRow['state'], Paint>> = {
  online: 'good',
  late: 'warn',
  suspect: 'warn',
  offline: 'bad',
  left: 'dim',
  unknown: 'dim'
}

type StateRow = Pick<PeerRow, 'state' | 'confirmed' | 'stateSinceMs' | 'reason'> & Partial<Pick<PeerRow, 'maintenance'>>

const down = new Set<PeerRow['state']>(['suspect', 'offline', 'left', 'unknown'])

/** "left: left", "left: stopped by the operator": the state says the first word already. */
const repeated = /^(left: )*(left$)?/

/** A reason as it is read behind the state that it is of. */
export const besideTheState = (reason: string): string => reason.replace(repeated, '')

/** ", maintenance 3m: new disk" of one that takes no work. A process of an older version says nothing of it. */
const maintenanceText = ({ maintenance }: StateRow, now: number): string => {
  if (maintenance === null || maintenance === undefined) return ''
  const { sinceMs, reason } = maintenance
  return `, maintenance ${age(Math.max(0, now - sinceMs))}${reason === '' ? '' : `: ${sanitise(reason)}`}`
}

/** "offline (unconfirmed) 3m: lease lapsed": a peer that is not there says since when and why. */
const stateText = (row: StateRow, now: number): string => {
  const word = row.confirmed ? row.state : `${row.state} (unconfirmed)`
  if (!down.has(row.state)) return `${word}${maintenanceText(row, now)}`
  const since = row.stateSinceMs === null ? '' : ` ${age(Math.max(0, now - row.stateSinceMs))}`
  const reason = besideTheState(row.reason ?? '')
  return reason === '' ? `${word}${since}` : `${word}${since}: ${sanitise(reason)}`
}

const cut = (text: string, most: number | undefined): string =>
  most === undefined || text.length <= most ? text : `${text.slice(0, most - 1)}…`

export const stateCell = (row: StateRow, now: number, paint: Painter, most?: number): string => {
  const text = cut(stateText(row, now), most)
  const colour = paints[row.state]
  return colour === undefined ? text : paint(colour, text)
}

const name = (row: PeerRow): string => `${orUnknown(row.name)}${row.self ? ' (self)' : ''}`

const lastError = ({ lastError: error }: PeerRow): string =>
  error === null ? unknown : `${sanitise(error.message)} (${age(error.ageMs)} ago)`

const address = (row: PeerRow): string => {
  // A process of an older version says nothing of it.
  if (row.relay !== null && row.relay !== undefined) return `relayed by ${orUnknown(row.relay.name)}`
  const shown = row.address === null ? unknown : bareAddress(row.address)
  return row.reach === 'outbound' ? `${shown} (outbound only)` : shown
}

const serviceText = ({ name: service, port, protocol, tags, state }: PeerRow['services'][number]): string => {
  const marks = [...tags.map(sanitise), ...(state === 'unknown' ? [] : [state])]
  return `${sanitise(service)} ${port === 0 ? '' : `${port}/`}${protocol}${marks.length === 0 ? '' : ` (${marks.join(' ')})`}`
}

/** With the time over which it was observed: `99.9% of 3d4h`. */
const uptime = ({ uptimePercent, uptimeWindowMs }: PeerRow): string =>
  uptimePercent === null || uptimeWindowMs === null ? unknown : `${percent(uptimePercent)} of ${age(uptimeWindowMs)}`

const bars = '▁▂▃▄▅▆▇█'
/** A slot that nobody saw. */
const gap = '·'

/** Percents as bars, the lowest for none of the time and the highest for all of it. */
export const sparkLine = (percents: readonly (number | null)[] | undefined): string => {
  if (percents === undefined || percents.every((up) => up === null)) return unknown
  return percents.map((up) => (up === null ? gap : barOf(up))).join('')
}

/** Only what never was away has the highest bar, and only what never was there the lowest. */
const barOf = (up: number): string => {
  if (up >= 100) return bars.slice(-1)
  const at = up <= 0 ? 0 : 1 + Math.floor((up * (bars.length - 2)) / 100)
  return bars.charAt(at)
}

/** A name, a shortened PeerId, a role and the gaps between them. */
const besideState = 42

/** None where all services are shown, or none was asked for. */
const serviceColumn = ({ service, long }: { service?: string | undefined; long: boolean }): Column<PeerRow>[] => {
  const textOf = ({ services }: PeerRow): string =>
    services
      .filter(({ name: each }) => each === service)
      .map(serviceText)
      .join(', ')
  return service === undefined || long ? [] : [{ title: 'SERVICE', cell: (row) => orUnknown(textOf(row) || null) }]
}

/** The columns of `peers` and `lookup`; long adds streams and bytes and never shortens a PeerId. */
export const peerColumns = (options: {
  now: number
  paint: Painter
  long: boolean
  /** Width of the terminal. */
  width?: number | undefined
  /** Service that was asked for: its port, tags and state have a column. */
  service?: string | undefined
  /** Percent of each slot of the last day that a peer was up, by PeerId. */
  day?: ReadonlyMap<string, readonly (number | null)[]> | undefined
}): Column<PeerRow>[] => {
  // A long reason must not push name and role off a narrow terminal; `why` tells it whole.
  const most = options.long || options.width === undefined ? undefined : Math.max(16, options.width - besideState)
  const columns: Column<PeerRow>[] = [
    { title: 'NAME', cell: name },
    { title: 'PEER ID', cell: ({ peerId }) => (options.long ? sanitise(peerId) : shortPeerId(sanitise(peerId))) },
    { title: 'STATE', cell: (row) => stateCell(row, options.now, options.paint, most) },
    ...serviceColumn(options),
    { title: 'ROLE', cell: ({ role }) => orUnknown(role) },
    { title: 'DIR', cell: ({ direction }) => orUnknown(direction), drop: 3 },
    { title: 'RTT', cell: ({ rttUs }) => roundTrip(rttUs), right: true, drop: 1 },
    { title: 'SEEN', cell: ({ seenAgeMs }) => age(seenAgeMs), right: true, drop: 2 },
    { title: 'UPTIME', cell: uptime, right: true, drop: 5 },
    ...(options.day === undefined
      ? []
      : [{ title: 'LAST DAY', cell: ({ peerId }: PeerRow) => sparkLine(options.day?.get(peerId)) }]),
    { title: 'SOURCE', cell: ({ source }) => orUnknown(source), drop: 6 },
    { title: 'VERSION', cell: ({ version }) => orUnknown(version), drop: 7 },
    { title: 'ADDRESS', cell: address, drop: 4 }
  ]
  if (options.long) {
    columns.push(
      { title: 'STREAMS', cell: ({ streams }) => orUnknown(streams?.toString()), right: true },
      { title: 'IN', cell: ({ bytesIn }) => bytes(bytesIn), right: true },
      { title: 'OUT', cell: ({ bytesOut }) => bytes(bytesOut), right: true },
      { title: 'SERVICES', cell: ({ services }) => orUnknown(services.map(serviceText).join(', ')) }
    )
  }
  columns.push({ title: 'LAST ERROR', cell: lastError, drop: 8 })
  return columns
}
