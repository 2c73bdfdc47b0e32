import { setImmediate } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { isRelayed } from '../../address/circuit.ts'
import { compareBytes } from '../../identity/hash.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { MemberView } from '../../registry/liveness/liveness.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import type { Registry } from '../../registry/registry.ts'
import type { PeerRow, PeerSource, PeerState } from '../api/views.ts'
import { peerSources } from '../api/words.ts'
import { refOf, relayOf, rttUs, wholeMs, withPeer } from './refs.ts'

/** Sources that the rows of members are made of. */
export interface RowSource {
  readonly registry: Registry
  readonly trust: Pick<ConnectionTrust, 'members' | 'openForMs'>
  readonly traffic: { of(peerId: string): { bytesIn: number; bytesOut: number } | undefined }
  /** Own measurement of a connected member, ms. */
  readonly rttMs: (peerId: string) => number | undefined
  /** Since a connected member answered our own ping, ms. */
  readonly answeredAgeMs: (peerId: string) => number | undefined
  readonly self: Uint8Array
  /** Addresses told to others now. */
  readonly announced: readonly string[]
  readonly software: string
  /** Key of the registry that holds our own lease. */
  readonly leaseHolder: Uint8Array | undefined
  /** Wall clock, ms. */
  readonly now: number
}

/** A member as the log has it. */
export interface RowMember {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
  readonly notAfterMs: number
}

/** Live connections of members, by PeerId. */
export type Connections = ReadonlyMap<string, readonly Connection[]>

export const connectionsOf = (trust: RowSource['trust']): Connections => {
  const connections = new Map<string, Connection[]>()
  for (const { connection, member } of trust.members()) {
    if (connection.status !== 'open') continue
    const id = peerIdText(member.publicKey)
    const held = connections.get(id)
    if (held === undefined) connections.set(id, [connection])
    else held.push(connection)
  }
  return connections
}

const orNull = <T>(value: T | undefined): T | null => value ?? null

/** A connection that is so young tells as much as an answered ping: the hello on it was answered. */
const youngMs = 20_000

type StateFields = Pick<PeerRow, 'state' | 'reason' | 'stateSinceMs' | 'confirmed' | 'seenAgeMs'>

const isDown = ({ state }: MemberView): boolean => state === 'unknown' || state === 'offline'

/** State of a member: what we see ourselves counts where no registry says otherwise, or one that is behind does. */
const stateOf = (source: RowSource, view: MemberView, live: readonly Connection[], peerId: string): StateFields => {
  const seen = isDown(view) && live.length > 0 ? seenHere(source, view, live, peerId) : undefined
  if (seen !== undefined) {
    const { sinceMs, ageMs } = seen
    return { state: 'online', reason: null, stateSinceMs: sinceMs, confirmed: true, seenAgeMs: wholeMs(ageMs) }
  }
  return {
    state: view.state,
    reason: view.state === 'online' || view.reason === '' ? null : view.reason,
    stateSinceMs: wholeMs(view.sinceMs),
    confirmed: view.confirmed,
    seenAgeMs: wholeMs(newest(ageOf(view), live.length > 0 ? source.answeredAgeMs(peerId) : undefined))
  }
}

/** Chooses the newer time: a registry tells what it heard only when something changes, while a connected member answers our own pings. */
const newest = (told: number | null, answered: number | undefined): number | null =>
  answered === undefined ? told : Math.min(answered, told ?? answered)

const seenHere = (
  { answeredAgeMs, trust, now }: RowSource,
  { state, sinceAgeMs }: MemberView,
  live: readonly Connection[],
  peerId: string
) => {
  const ages = live.map((connection) => trust.openForMs(connection))
  const sinceMs = Math.round(now - Math.max(...ages))
  const youngestMs = Math.min(...ages)
  const answered = answeredAgeMs(peerId)
  const ageMs = Math.min(answered ?? Number.POSITIVE_INFINITY, youngestMs)
  if (answered === undefined && youngestMs >= youngMs) return undefined
  // Since the registry is gone that spoke for it: what was seen before may have gone the same way.
  if (state === 'unknown' && sinceAgeMs !== undefined && ageMs > sinceAgeMs) return undefined
  return { sinceMs, ageMs }
}

/** A time that was told in whole ms may lie a little ahead of the own clock. */
export const ageOf = ({ heardAgeMs }: MemberView): number | null =>
  heardAgeMs === undefined ? null : Math.max(0, heardAgeMs)

const directionOf = (connections: readonly Connection[]): PeerRow['direction'] => {
  const inbound = connections.some(({ direction }) => direction === 'inbound')
  const outbound = connections.some(({ direction }) => direction === 'outbound')
  if (inbound && outbound) return 'both'
  if (inbound) return 'in'
  return outbound ? 'out' : null
}

/** It first came to us: the registry calls that a session. */
const sourceOf = (learnedFrom: string): PeerSource | null =>
  learnedFrom === 'session' ? 'inbound' : orNull(peerSources.find((source) => source === learnedFrom))

/** Fields that a member's own record has. */
export const recordFields = (record: NodeRecord | undefined) => ({
  reach: record?.reach ?? 'unknown',
  services: (record?.services ?? []).map((service) => ({ ...service, tags: [...service.tags] })),
  maintenance: record?.maintenance ?? null,
  tags: [...(record?.tags ?? [])],
  seq: orNull(record?.seq),
  version: record?.software === '' ? null : orNull(record?.software)
})

const connectionFields = (
  source: RowSource,
  peerId: string,
  live: readonly Connection[]
): Pick<PeerRow, 'direction' | 'relay' | 'streams' | 'bytesIn' | 'bytesOut'> => {
  if (live.length === 0) return { direction: null, relay: null, streams: null, bytesIn: null, bytesOut: null }
  const last = live.at(-1)
  const traffic = source.traffic.of(peerId)
  return {
    direction: directionOf(live),
    relay: last !== undefined && live.every(isRelayed) ? relayOf(source.registry, last) : null,
    streams: live.reduce((sum, { streams }) => sum + streams.length, 0),
    bytesIn: orNull(traffic?.bytesIn),
    bytesOut: orNull(traffic?.bytesOut)
  }
}

/** Everything that is known here of one member. */
export function memberRow(source: RowSource, member: RowMember, connections: Connections): PeerRow {
  const { registry } = source
  const { publicKey, name, role } = member
  const peerId = peerIdText(publicKey)
  const self = compareBytes(publicKey, source.self) === 0
  const live = self ? [] : (connections.get(peerId) ?? [])
  const view = registry.liveness.view(publicKey)
  const record = registry.records.read(publicKey)
  const addresses = (self ? source.announced : (record?.addrs ?? [])).map((address) => withPeer(address, peerId))
  const dialled = live
    .toSorted((a, b) => Number(isRelayed(a)) - Number(isRelayed(b)))
    .find(({ direction }) => direction === 'outbound')
  const holder = self ? source.leaseHolder : record?.registryKey
  return {
    peerId,
    name,
    self,
    role,
    ...stateOf(source, view, live, peerId),
    stateSource: self || view.source === undefined ? null : refOf(registry, view.source),
    ...connectionFields(source, peerId, live),
    rttUs: self ? null : rttUs(source.rttMs(peerId) ?? view.rttMs),
    // Sums of fractions end a little above the whole.
    uptimePercent: view.uptime === undefined ? null : Math.min(100, view.uptime.percent),
    uptimeWindowMs: wholeMs(view.uptime?.windowMs),
    source: self ? 'self' : sourceOf(view.learnedFrom),
    address: addressOf(peerId, dialled, addresses[0] ?? view.lastAddress),
    addresses,
    ...recordFields(record),
    ...(self && { version: source.software }),
    registry: holder === undefined ? null : refOf(registry, holder),
    membershipExpiresMs: member.notAfterMs,
    lastError: live.length > 0 ? null : errorOf(view, source.now),
    reputation: self ? null : Math.round(view.reputation)
  }
}

/** The address in use, else the one that was known last. */
const addressOf = (peerId: string, dialled: Connection | undefined, known: string | undefined): string | null => {
  const address = dialled?.remoteAddr.toString() ?? known
  return address === undefined ? null : withPeer(address, peerId)
}

/** An error that was followed by a success, from either side, says nothing any more. */
const errorOf = ({ lastError, lastErrorMs, lastConnectedMs = 0 }: MemberView, now: number): PeerRow['lastError'] => {
  if (lastError === undefined || lastErrorMs === undefined || lastConnectedMs > lastErrorMs) return null
  return { message: lastError, ageMs: Math.max(0, Math.round(now - lastErrorMs)) }
}

const rankOf = (row: PeerRow): number => (row.self ? 0 : row.role === 'root' ? 1 : row.role === 'secondary' ? 2 : 3)

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Rows that are made without a pause: 10,000 of them take a third of a second, in which sessions would go unanswered. */
const rowsAtOnce = 250

/** Makes something of each, and lets the rest of the process have its turn in between. */
export async function mapGently<T, R>(items: readonly T[], make: (item: T) => R): Promise<R[]> {
  const made: R[] = []
  for (const [index, item] of items.entries()) {
    if (index % rowsAtOnce === rowsAtOnce - 1) await setImmediate()
    made.push(make(item))
  }
  return made
}

/** All members: self first, then registries, then by name. The own row stays also when the membership is over. */
export async function memberRows(source: RowSource): Promise<PeerRow[]> {
  const { replica } = source.registry
  const connections = connectionsOf(source.trust)
  const members = [...replica.state.members()].filter(
    ({ publicKey }) => replica.isMember(publicKey) || compareBytes(publicKey, source.self) === 0
  )
  const rows = await mapGently(members, (member) => memberRow(source, member, connections))
  return rows.toSorted((a, b) => rankOf(a) - rankOf(b) || byText(a.name ?? '', b.name ?? ''))
}

/** None of each: what is counted up from. */
export const noStates = (): Record<PeerState, number> => ({
  online: 0,
  late: 0,
  suspect: 0,
  offline: 0,
  left: 0,
  unknown: 0
})

export const countStates = (rows: readonly Pick<PeerRow, 'state'>[]): Record<PeerState, number> => {
  const counts = noStates()
  for (const { state } of rows) counts[state]++
  return counts
}

/** The row's state without the rest of the row: for counting many. */
export const shownState = (source: RowSource, publicKey: Uint8Array, connections: Connections): PeerState => {
  const view = source.registry.liveness.view(publicKey)
  if (!isDown(view)) return view.state
  const peerId = peerIdText(publicKey)
  return stateOf(source, view, connections.get(peerId) ?? [], peerId).state
}
