import { peerIdText } from '../../identity/keys.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import { within } from '../../runtime/abort.ts'
import type { PeerRef, PeerRow, WhyView } from '../api/views.ts'
import { dialText } from '../errors.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { because, entryDetail, formerName } from '../views/log-view.ts'
import { connectionsOf, memberRow } from '../views/member-rows.ts'
import { causedBy } from '../views/operator-names.ts'
import {
  byEnd,
  type EndedMember,
  endedMember,
  findMember,
  keyOfPeerId,
  noSuchMember,
  revokedByName
} from '../views/peer-names.ts'
import { moment, span } from '../views/phrases.ts'
import { refOf, relayOf } from '../views/refs.ts'
import { rowSourceOf } from '../views/row-source.ts'
import { connectionToMember } from './connect.ts'
import { noWays, waysTo } from './why-ways.ts'

type Check = WhyView['checks'][number]

const check = (what: string, ok: boolean | null, detail: string): Check => ({ what, ok, detail })

/** A dial is part of the answer, so it has to be quick. */
const dialMs = 4_000

/**
 * Explains why a peer is in the state it is in: what the log, its record, its registry and a dial of our own say.
 * @throws NotFoundError, AmbiguousNameError
 */
export async function whyView(
  node: NodeContext,
  network: NetworkNode,
  text: string,
  signal: AbortSignal
): Promise<WhyView> {
  const { registry } = network
  const member = findMember(registry, text)
  if (member !== undefined && registry.replica.state.isRevoked(member.publicKey)) return whyShutOut(member)
  if (member !== undefined) return await whyMember(node, network, member, signal)
  const waiting = registry.admission.pending()
  const pending = waiting.find(({ name }) => name === text) ?? byKey(waiting, text)
  if (pending !== undefined) return whyPending(pending.publicKey, pending.name, pending.sinceMs, node.clock.now())
  const revoked = byKey(registry.replica.state.revokedKeys(), text) ?? revokedByName(registry, text)
  const ended = endedMember(registry, text)
  if (ended !== undefined && ended.entry.n > (revoked?.n ?? 0)) return whyEnded(network, ended)
  if (revoked !== undefined) return whyRevoked(network, revoked.publicKey, revoked.n)
  const key = keyOfPeerId(text)
  if (key === undefined) throw noSuchMember(registry, text)
  return whyStranger(network, key)
}

const byKey = <T extends { publicKey: Uint8Array }>(all: Iterable<T>, text: string): T | undefined => byEnd(all, text)

const whyPending = (publicKey: Uint8Array, name: string, sinceMs: number, now: number): WhyView => ({
  peerId: peerIdText(publicKey),
  name,
  summary: `${name} asked to be let in ${span(Math.max(0, now - sinceMs))} ago and waits for your word`,
  ...noWays,
  checks: [check('member', false, 'not yet: it came without an invite')],
  next: `trustnet registry approve ${name}`
})

const whyRevoked = ({ registry }: NetworkNode, publicKey: Uint8Array, n: number): WhyView => {
  const entry = registry.replica.ledger.source(n).value
  const { timeMs, kind } = entry
  const name = formerName(registry, publicKey)
  const peerId = peerIdText(publicKey)
  if (entry.kind === 'rotate') {
    const key = peerIdText(entry.body.newKey)
    return {
      peerId,
      name,
      summary: `this key of ${name ?? 'a member'} is void for ever: ${key} took its place at ${moment(timeMs)}`,
      ...noWays,
      checks: [check('member', false, `revoked by entry ${n} (rotate)`)],
      next: `trustnet why ${key}`
    }
  }
  const detail = entryDetail(entry)
  return {
    peerId,
    name,
    summary: `${name ?? peerId} was a member; its key was shut out for ever at ${moment(timeMs)} (${kind}): ${detail}`,
    ...noWays,
    checks: [check('member', false, `revoked by entry ${n}: ${detail}`)],
    next: 'a new key and a new invite: trustnet invite (at the root)'
  }
}

const whyEnded = ({ registry }: NetworkNode, { publicKey, entry }: EndedMember): WhyView => {
  const { n, timeMs, body } = entry
  const name = formerName(registry, publicKey)
  const peerId = peerIdText(publicKey)
  const people = causedBy(registry, entry)
  const told = people.length === 0 ? 'the root' : `the operator ${people.join(' and ')}`
  const by = body.request === undefined ? told : 'the node itself'
  const how = `ended at ${moment(timeMs)} by ${by}: ${because(body.reason)}`
  return {
    peerId,
    name,
    summary: `${name ?? peerId} was a member; its membership was ${how}`,
    ...noWays,
    checks: [check('member', false, `entry ${n} (end): ${entryDetail(entry)}; the key may be admitted again`)],
    next: 'to have it back: trustnet invite (at the root), then trustnet join LINE on that machine'
  }
}

/** By the authority, or by an entry that a new epoch made void. */
const whyShutOut = ({ publicKey, name }: Member): WhyView => ({
  peerId: peerIdText(publicKey),
  name,
  summary: `the key of ${name} is shut out for ever, by the authority; the root has not entered it into the log yet`,
  ...noWays,
  checks: [check('member', false, 'revoked beside the log; every registry that knows of it enforces it')],
  next: 'trustnet registry status at the root; when it is gone: trustnet registry promote'
})

const whyStranger = ({ host }: NetworkNode, publicKey: Uint8Array): WhyView => {
  const peerId = peerIdText(publicKey)
  const connected = host.getConnections().some(({ remotePeer }) => remotePeer.toString() === peerId)
  return {
    peerId,
    name: null,
    summary: 'it is no member of this network: the log has no entry about its key',
    ...noWays,
    checks: [
      check('member', false, 'never admitted, as far as the log is known here'),
      check('connection', connected, connected ? 'connected, as a stranger: it gets hello and identify only' : 'none')
    ],
    next: 'trustnet invite (at the root), then trustnet join LINE on that machine'
  }
}

const whyMember = async (
  node: NodeContext,
  network: NetworkNode,
  member: Member,
  signal: AbortSignal
): Promise<WhyView> => {
  const source = rowSourceOf(node, network)
  const row = memberRow(source, member, connectionsOf(network.trust))
  const told = network.matrix.of(member.publicKey)
  const dialled = await dialCheck(node, network, member, row, signal)
  const checks = [
    memberCheck(network, member),
    recordCheck(network, row, member),
    stateCheck(row, source.now),
    leaseCheck(row),
    ...(row.self ? [] : [connectionCheck(network, row), dialled]),
    sourceCheck(network)
  ].filter((each) => each !== undefined)
  return {
    peerId: row.peerId,
    name: row.name,
    summary: summaryOf(row, source.now),
    checks,
    ...(await waysTo(node, network, member.publicKey, told)),
    next: nextOf(row, dialled, network.registry.replica.isMember(member.publicKey))
  }
}

const memberCheck = ({ registry }: NetworkNode, member: Member): Check => {
  const entry = member.admit.value
  const until = `until ${moment(member.notAfterMs)}`
  if (!registry.replica.isMember(member.publicKey))
    return check('member', false, `its membership has expired: it lasted ${until}`)
  return check('member', true, `entry ${entry.n} (${entry.kind}): ${entryDetail(entry)}; valid ${until}`)
}

const recordCheck = ({ registry }: NetworkNode, row: PeerRow, { publicKey }: Member): Check => {
  if (row.seq === null) return check('record', null, 'none seen yet: its addresses are not known')
  const where = row.addresses.length === 0 ? 'without an address' : `at ${row.addresses.join(', ')}`
  const relays = (registry.records.read(publicKey)?.relayKeys ?? []).map((key) => nameOf(refOf(registry, key)))
  const through = relays.length === 0 ? '' : `, through ${relays.join(' and ')}`
  const hasWay = row.addresses.length > 0 || relays.length > 0
  return check('record', hasWay, `seq ${row.seq}, ${where}${through}, reach ${row.reach}`)
}

const stateCheck = (row: PeerRow, now: number): Check => {
  const ok = row.state === 'unknown' || row.state === 'left' ? null : row.state === 'online' || row.state === 'late'
  const since = row.stateSinceMs === null ? '' : ` for ${span(Math.max(0, now - row.stateSinceMs))}`
  const says = row.stateSource === null ? '' : `, says ${row.stateSource.name ?? row.stateSource.peerId}`
  const heard = row.seenAgeMs === null || row.self ? '' : `, last heard ${span(row.seenAgeMs)} ago`
  const sure = row.confirmed ? '' : ' (not sure: that registry was cut off itself)'
  const reason = row.reason === null ? '' : `: ${row.reason}`
  return check('state', ok, `${row.state}${since}${says}${heard}${sure}${reason}`)
}

const leaseCheck = (row: PeerRow): Check => {
  if (row.role === 'root') return check('lease', null, 'a root needs none')
  if (row.registry === null) return check('lease', null, 'it has not said which registry holds its lease')
  return check('lease', row.state !== 'offline', `at ${row.registry.name ?? row.registry.peerId}, as its record says`)
}

const nameOf = ({ name, peerId }: PeerRef): string => name ?? peerId

const connectionCheck = (network: NetworkNode, row: PeerRow): Check => {
  if (row.direction === null) return check('connection', null, 'none between it and this node')
  const rtt = row.rttUs === null ? '' : `, round trip ${(row.rttUs / 1000).toFixed(1)} ms`
  if (row.relay === null)
    return check('connection', true, `${row.direction}, at ${row.address ?? 'an unknown address'}${rtt}`)
  return check(
    'connection',
    true,
    `${row.direction}, relayed by ${nameOf(row.relay)}${rtt}: ${whyRelayed(network, row)}`
  )
}

const whyRelayed = ({ self }: NetworkNode, row: PeerRow): string => {
  if (row.reach === 'outbound') return 'nobody gets through to it from outside, as its record says'
  if (row.direction === 'in' && self.record.current?.value.reach === 'outbound')
    return 'it has dialled, and nobody gets through to this node from outside'
  return 'none of its addresses has answered; each is dialled again'
}

/** undefined: there is nothing to try. */
const dialCheck = async (
  node: NodeContext,
  network: NetworkNode,
  member: Member,
  row: PeerRow,
  signal: AbortSignal
): Promise<Check | undefined> => {
  if (row.self || row.direction !== null) return undefined
  if (row.state === 'left') return check('dial', null, 'not tried: it has left')
  try {
    const connection = await connectionToMember(node, member, within(dialMs, signal))
    const relay = relayOf(network.registry, connection)
    const way = relay === null ? '' : `, through ${nameOf(relay)}`
    return check('dial', true, `it answers${way} and proved its key just now`)
  } catch (error) {
    signal.throwIfAborted()
    const late = error instanceof Error && error.name === 'TimeoutError'
    return check('dial', false, late ? `no answer within ${dialMs / 1000} s` : dialText(error))
  }
}

/** Judges how much the word of others is worth here. */
const sourceCheck = ({ registry, session, trouble }: NetworkNode): Check => {
  if (registry.root !== undefined) return check('own view', true, 'this process is the root')
  if (session !== undefined) return check('own view', true, `kept up to date by ${session.peer.name}`)
  const why = trouble === undefined ? '' : ` (${trouble.message})`
  return check('own view', null, `no registry answers here${why}: what is shown may be old`)
}

const summaryOf = (row: PeerRow, now: number): string => {
  const who = row.self ? `${row.name ?? row.peerId} is this node` : (row.name ?? row.peerId)
  if (row.self) return `${who}: see \`trustnet status\``
  const age = row.stateSinceMs === null ? undefined : span(Math.max(0, now - row.stateSinceMs))
  if (row.state === 'left') {
    const when = age === undefined ? '' : ` ${age} ago`
    return `${who} left${when}${row.reason === null ? '' : row.reason.replace(/^left/, '')}; it is a member still`
  }
  const since = age === undefined ? '' : ` for ${age}`
  return `${who} is ${row.state}${since}${row.reason === null ? '' : `: ${row.reason}`}`
}

const nextOf = (row: PeerRow, dialled: Check | undefined, isMember: boolean): string | null => {
  if (!isMember) {
    const late = `\`trustnet registry approve ${row.name ?? row.peerId}\` (at the root)`
    return `start it: it asks for its renewal by itself; when it was away for longer than the policy allows, ${late} or an invite`
  }
  if (row.self || row.state === 'online' || row.state === 'late') return null
  if (row.state === 'left') return 'trustnet node start (on that machine), to have it back'
  if (dialled?.ok === true) return 'it is up but without a session: trustnet status (on that machine)'
  return row.seq === null
    ? 'trustnet node start (on that machine)'
    : 'trustnet status (on that machine); is it on, and is its port open?'
}
