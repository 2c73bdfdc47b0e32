import type { PeerRef, StatusView, StatusWord, Survival, Warning } from '../../node/api/control-api.ts'
import {
  age,
  bareAddress,
  bytes,
  date,
  duration,
  orUnknown,
  type Paint,
  type Painter,
  plural,
  roundTrip,
  sanitise,
  shortPeerId,
  unknown,
  wrapped
} from './text.ts'

/** A process of another version may say another word. */
const paints: Partial<Record<StatusWord, Paint>> = {
  starting: 'warn',
  pending: 'warn',
  healthy: 'good',
  degraded: 'bad',
  isolated: 'bad',
  refused: 'bad',
  stopping: 'dim'
}

/** A peer in one word: its name, else the end of its PeerId. */
export const peerText = (peer: PeerRef | null): string =>
  peer === null ? unknown : peer.name === null ? shortPeerId(sanitise(peer.peerId)) : sanitise(peer.name)

const joined = (...parts: (string | null | false)[]): string => parts.filter((part) => part).join(', ') || unknown

const ago = (label: string, ms: number | null): string | null => (ms === null ? null : `${label}${age(ms)} ago`)

const note = (message: string | null): string | null => (message === null ? null : sanitise(message))

const selfLine = ({ self }: StatusView, now: number): string =>
  joined(
    `${orUnknown(self.name)} ${sanitise(self.peerId)}`,
    self.role,
    `trustnet ${sanitise(self.version)}`,
    `pid ${self.pid}`,
    `up ${age(Math.max(0, now - self.startedMs))}`
  )

const networkLine = ({ network }: StatusView): string =>
  network === null
    ? 'none yet'
    : joined(sanitise(network.domain), network.name === network.domain ? null : sanitise(network.name), network.id)

const phaseLine = ({ phase }: StatusView, now: number): string => {
  const took = Object.entries(phase.reachedAfterMs).filter(([name, ms]) => ms !== null && name !== 'bootstrap')
  const times = took.map(([name, ms]) => `${name} after ${duration(ms)}`).join(', ')
  return joined(`${phase.number} ${phase.name}`, `since ${age(Math.max(0, now - phase.sinceMs))}`, times)
}

const membershipLine = ({ membership }: StatusView, now: number): string => {
  const { state, expiresMs, renewsMs, message } = membership
  const until = expiresMs === null ? null : `until ${date(expiresMs)}`
  const renews = renewsMs === null ? null : `renews in ${age(Math.max(0, renewsMs - now))}`
  return joined(state, until, renews, note(message))
}

const registryLine = ({ registry }: StatusView, now: number): string =>
  joined(
    registry.lease === null ? 'no session' : `session with ${peerText(registry.lease)}`,
    registry.lease !== null && registry.sinceMs !== null && `since ${age(Math.max(0, now - registry.sinceMs))}`,
    ago('heartbeat ', registry.lastHeartbeatAgeMs),
    registry.rttUs === null ? null : roundTrip(registry.rttUs),
    `${registry.connected} of ${plural(registry.known, 'known registry', 'known registries')} connected`,
    note(registry.message)
  )

const syncLine = ({ sync }: StatusView): string =>
  joined(
    sync.head === null ? 'no log yet' : `log ${sync.head} of epoch ${sync.epoch ?? unknown}`,
    sync.ageMs === null ? null : `${age(sync.ageMs)} old`,
    sync.source === null ? null : `from ${peerText(sync.source)}`,
    `${plural(sync.members, 'member')}, ${plural(sync.records, 'record')}`,
    note(sync.message)
  )

const witnessedText = (witnessed: StatusView['sync']['witnessed'] | undefined): string | null => {
  if (witnessed === null || witnessed === undefined) return null
  const { head, by, of, needed, afterMs } = witnessed
  const due = needed > 0 && `${needed} needed`
  return joined(
    `head ${head} witnessed by ${by} of ${of}`,
    due,
    `${(afterMs / 1_000).toFixed(1)} s after it was signed`
  )
}

/** A process of an older version says nothing of them. */
const witnessRow = ({ sync }: { sync: Partial<StatusView['sync']> }, now: number): [string, string][] => {
  const { provisional, head = null } = sync
  const said = witnessedText(sync.witnessed)
  if (provisional === null || provisional === undefined) return said === null ? [] : [['Witnesses', said]]
  const { final, sinceMs, graceMs } = provisional
  const text = joined(
    `head ${head ?? unknown} is provisional since ${age(Math.max(0, now - sinceMs))}`,
    `final up to ${final}`,
    said,
    `admissions count for ${duration(graceMs)} without them`
  )
  return [['Witnesses', text]]
}

const dnsLine = ({ dns }: StatusView, now: number): string =>
  joined(
    sanitise(dns.name),
    dns.state === 'found' ? dns.addresses.map(sanitise).join(' ') : dns.state.replaceAll('-', ' '),
    dns.checkedMs === null ? null : ago('asked ', Math.max(0, now - dns.checkedMs)),
    note(dns.message)
  )

const survivalText = (who: string, { survives, needs }: Survival): string =>
  `${who}: ${survives ? 'yes' : `no${needs === null ? '' : `, needs ${sanitise(needs)}`}`}`

const resilienceLine = ({ resilience }: StatusView): string =>
  [
    survivalText('root may die', resilience.root),
    survivalText('DNS may die', resilience.dns),
    survivalText('both', resilience.both)
  ].join('; ')

const reachLine = ({ reach, announced, connections }: StatusView): string =>
  joined(
    reach === 'outbound' ? 'outbound only: others cannot dial this node' : reach,
    announced.length === 0 ? 'announces nothing' : `announces ${announced.map(bareAddress).join(' ')}`,
    `connected to ${plural(connections.members, 'member')}`,
    connections.strangers > 0 && plural(connections.strangers, 'stranger')
  )

/** Silent routers are most of them, and nothing to be told of. */
const pinholesRow = ({ pinholes = [] }: Partial<StatusView>): [string, string][] => {
  const told = pinholes.filter(({ state }) => state !== 'silent')
  if (told.length === 0) return []
  const texts = told.map(({ address, router, state, message }) => {
    const why = message === null ? '' : `: ${sanitise(message)}`
    return `${sanitise(address)} ${state === 'open' ? 'opened' : 'refused'} by the router ${sanitise(router)}${why}`
  })
  return [['Pinholes', joined(...texts)]]
}

/** A process of an older version says nothing of it. */
const maintenanceRow = ({ maintenance }: Partial<StatusView>, now: number): [string, string][] => {
  if (maintenance === null || maintenance === undefined) return []
  const since = `since ${age(Math.max(0, now - maintenance.sinceMs))}`
  return [['Maintenance', joined(since, note(maintenance.reason), 'until `trustnet maintenance off`')]]
}

const namesRow = ({ names, network }: Partial<StatusView>): [string, string][] =>
  names === null || names === undefined
    ? []
    : [['Names', `NAME.${sanitise(network?.domain ?? unknown)} answered at ${sanitise(names)}`]]

/** A process of an older version says nothing of it. */
const linkRow = ({ link }: Partial<StatusView>): [string, string][] => {
  if (link === null || link === undefined) return []
  const { interfaces, hints, dialled, dropped } = link
  const where = interfaces.length === 0 ? 'not open' : interfaces.map(sanitise).join(', ')
  const counts = [plural(hints, 'address', 'addresses'), plural(dialled, 'dial')]
  return [['Link', joined(where, ...counts, dropped > 0 && `${plural(dropped, 'packet')} dropped`)]]
}

/** A process of an older version says nothing of them. */
const forwardsRow = ({ forwards }: Partial<StatusView>): [string, string][] => {
  if (forwards === undefined) return []
  const { exposed, listeners, most } = forwards
  if (exposed + listeners + forwards.in + forwards.out === 0) return []
  const text = joined(
    `${forwards.in} in, ${forwards.out} out`,
    ...most.map(useText),
    exposed > 0 && `${plural(exposed, 'service')} exposed`,
    listeners > 0 && `${plural(listeners, 'address', 'addresses')} listened on`
  )
  return [['Forwards', text]]
}

const useText = ({ service, direction, count, ...peer }: StatusView['forwards']['most'][number]): string => {
  const times = count === 1 ? '' : ` (${count})`
  return direction === 'in'
    ? `${peerText(peer)} calls ${sanitise(service)}${times}`
    : `calls ${sanitise(service)} of ${peerText(peer)}${times}`
}

/** A process of an older version says nothing of it. */
const relayRow = ({ relay }: Partial<StatusView>): [string, string][] => {
  const { relays = [], trouble, serves } = relay ?? {}
  const isServing = serves !== null && serves !== undefined && serves.reservations + serves.bytes + serves.refused > 0
  if (relays.length === 0 && trouble === null && !isServing) return []
  const text = joined(
    relays.length > 0 && `reached through ${relays.map(peerText).join(', ')}`,
    typeof trouble === 'string' && `nobody relays for this node: ${sanitise(trouble)}`,
    isServing && `relays for ${plural(serves.reservations, 'member')}, ${plural(serves.circuits, 'connection')} now`,
    isServing && `${bytes(serves.bytes)} passed on`,
    isServing && serves.refused > 0 && `${serves.refused} refused, the last: ${sanitise(serves.lastRefusal ?? '')}`
  )
  return [['Relay', text]]
}

/** Services without an error are counted; the others say since when they fail or work again. */
const partsLine = ({ parts = [] }: Partial<StatusView>, now: number): string => {
  const told = parts.filter(({ state, errors }) => state !== 'ok' || errors > 0)
  const rest = parts.length - told.length
  return joined(
    ...told.map(({ name, state, sinceMs, errors, lastError }) => {
      const why = state === 'ok' || lastError === null ? '' : `: ${sanitise(lastError)}`
      return `${sanitise(name)} ${state} since ${age(Math.max(0, now - sinceMs))} after ${plural(errors, 'error')}${why}`
    }),
    rest > 0 && `${rest}${told.length > 0 ? ' others' : ''} without an error`
  )
}

export const warningLines = (warnings: readonly Warning[], paint: Painter, width?: number): string[] =>
  warnings.flatMap(({ code, level, message, fix, acknowledged }) => {
    const head = `${level === 'alarm' ? 'ALARM' : 'warning'} ${sanitise(code)}${acknowledged ? ' (acknowledged)' : ''}`
    const colour = acknowledged ? 'dim' : level === 'alarm' ? 'bad' : 'warn'
    const text = byWords(`${head}: ${sanitise(message)}`, width, '  ')
    // Painted after it was broken into lines: colours have no width.
    return [
      `${paint(colour, head)}${text.slice(head.length)}`,
      // A command to paste is never broken.
      ...(fix === null ? [] : [`  fix: ${sanitise(fix)}`])
    ]
  })

const byWords = (text: string, width: number | undefined, indent: string): string =>
  wrapped(text.split(/(?<=\S) /), ' ', width, indent)

/** One word and its sentence, a block of named lines, the warnings. */
export const statusText = (view: StatusView, paint: Painter, now: number, width?: number): string => {
  const rows: [string, string][] = [
    ['Node', selfLine(view, now)],
    ['Network', networkLine(view)],
    ['Phase', phaseLine(view, now)],
    ['Membership', membershipLine(view, now)],
    ['Registry', registryLine(view, now)],
    ['Sync', syncLine(view)],
    ...witnessRow(view, now),
    ['DNS', dnsLine(view, now)],
    ...namesRow(view),
    ...linkRow(view),
    ['Reach', reachLine(view)],
    ...relayRow(view),
    ...pinholesRow(view),
    ...maintenanceRow(view, now),
    ...forwardsRow(view),
    ['Resilience', resilienceLine(view)],
    ['Services', partsLine(view, now)]
  ]
  if (view.phase.missing.length > 0)
    rows.splice(3, 0, ['Next phase', `needs ${view.phase.missing.map(sanitise).join(', ')}`])
  const indent = ' '.repeat(12)
  const lines = rows.map(([label, text]) => {
    const line = byWords(`${label.padEnd(11)} ${text}`, width, indent)
    return `${paint('dim', label)}${line.slice(label.length)}`
  })
  const warnings = warningLines(view.warnings, paint, width)
  const head = `${paint(paints[view.word] ?? 'dim', view.word)}${byWords(`${view.word}: ${sanitise(view.summary)}`, width, '').slice(view.word.length)}`
  return [head, '', ...lines, ...(warnings.length > 0 ? ['', ...warnings] : [])].join('\n')
}
