import { keyId } from '../../identity/key-id.ts'
import { roles } from '../../identity/role.ts'
import type { State } from '../../registry/liveness/states.ts'
import { peerStates } from '../api/words.ts'
import { dataFiles } from '../config/paths.ts'
import { lastBackup } from '../housekeeping.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { type PinholeState, pinholeStates } from '../pinhole/pinholes.ts'
import { type Connections, connectionsOf, shownState } from '../views/member-rows.ts'
import { storeBytes } from '../views/registry-views.ts'
import { rowSourceOf } from '../views/row-source.ts'
import { rootStoreSamples } from './root-store-samples.ts'
import { counter, gauge, type Sample, type Value } from './sample.ts'
import { witnessSamples } from './witness-samples.ts'

/** Samples of the network, as this process sees it. */
export const networkSamples = (node: NodeContext, network: NetworkNode): Sample[] => [
  membersSample(node, network),
  ...leaseSamples(network),
  ...logSamples(node, network),
  ...witnessSamples(network.registry),
  ...rootStoreSamples(node, network),
  ...admissionSamples(network),
  ...connectionSamples(network),
  ...storeSamples(node, network),
  ...nameSamples(network),
  ...linkSamples(node),
  ...pinholeSamples(network),
  ...troubleSamples(network),
  ...forwardSamples(node),
  ...relaySamples(network)
]

/** Every state of every role, also where it is 0: an alert looks at what is not there. */
const membersSample = (node: NodeContext, network: NetworkNode): Sample => {
  const source = rowSourceOf(node, network)
  const { replica, liveness } = network.registry
  const { state: log, timeMs } = replica
  let connections: Connections | undefined
  const connected = new Set([...network.trust.members()].map(({ member }) => keyId(member.publicKey)))
  const roleNames = Object.keys(roles)
  const counts = new Map(roleNames.flatMap((role) => peerStates.map((state) => [keyOf(role, state), 0])))
  for (const { publicKey, role, notAfterMs } of log.members()) {
    if (notAfterMs < timeMs || log.isRevoked(publicKey)) continue
    const told = liveness.states.stateOf(publicKey)
    // A connection may say more than the registries do. All others are thousands, and their rows would take long.
    const isSeen = isDown(told) && connected.has(keyId(publicKey))
    if (isSeen) connections ??= connectionsOf(network.trust)
    const state = isSeen && connections !== undefined ? shownState(source, publicKey, connections) : told
    const key = keyOf(role, state)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const values = roleNames.flatMap((role) =>
    peerStates.map((state): Value => [{ role, state }, counts.get(keyOf(role, state)) ?? 0])
  )
  return gauge('trustnet_members', 'Members by role and state, as this node sees them.', values)
}

const isDown = (state: State): boolean => state === 'unknown' || state === 'offline'

const keyOf = (role: string, state: string): string => `${role} ${state}`

/** Nothing where names are not answered. */
const nameSamples = ({ names }: NetworkNode): Sample[] => {
  const answered = [...(names?.answered ?? [])].map(([code, count]): Value => [{ code }, count])
  return [
    counter('trustnet_names_answers_total', 'Questions for names of members that were answered, by code.', answered),
    counter('trustnet_names_dropped_total', 'Questions for names that were not looked at: too many.', names?.dropped)
  ]
}

/** Nothing where links are left alone. */
const linkSamples = ({ link }: NodeContext): Sample[] => {
  const { heard, dropped, dialled, hints } = link?.counts ?? {}
  return [
    gauge('trustnet_link_hints', 'Addresses where somebody of the network may be, as links say.', hints),
    counter('trustnet_link_packets_total', 'Packets of the network that were heard on links.', heard),
    counter('trustnet_link_dropped_total', 'Packets on links that were too many to be looked at.', dropped),
    counter('trustnet_link_dials_total', 'Dials that packets on links have caused.', dialled)
  ]
}

/** Nothing where routers are not asked. */
const pinholeSamples = ({ pinholes }: NetworkNode): Sample[] => {
  if (pinholes === undefined) return []
  const count = (state: PinholeState): Value => [{ state }, pinholes.all.filter((each) => each.state === state).length]
  return [
    gauge(
      'trustnet_pinholes',
      'Ports that the router was asked to let others in at, by what it said.',
      pinholeStates.map(count)
    )
  ]
}

const leaseSamples = (network: NetworkNode): Sample[] => {
  const { registry, session } = network
  return [
    gauge('trustnet_leases', 'Leases of members that this registry holds.', registry.liveness.sessions),
    gauge('trustnet_lease_held', 'A registry holds the lease of this node: 1.', session !== undefined),
    gauge(
      'trustnet_lease_rtt_seconds',
      'Round trip to the registry that holds the lease.',
      secondsOf(session?.session.rttMs)
    ),
    gauge(
      'trustnet_liveness_doubted',
      'This registry calls nobody offline, as it may be cut off itself: 1.',
      registry.liveness.doubt !== undefined
    )
  ]
}

const logSamples = ({ key }: NodeContext, network: NetworkNode): Sample[] => {
  const { registry, sync, host } = network
  const { replica, root } = registry
  const { checkpoint, head } = replica
  return [
    gauge('trustnet_log_head', 'Number of the newest entry of the log here.', head.n),
    gauge('trustnet_log_epoch', 'Epoch of the log here.', head.epoch),
    gauge('trustnet_log_forked', 'Two histories of the log were seen, and neither is followed: 1.', replica.isForked),
    gauge('trustnet_log_appends', 'This root appends to the log: 1.', root && root.refusal === undefined),
    gauge(
      'trustnet_checkpoint_timestamp_seconds',
      'Time in the newest verified checkpoint.',
      secondsOf(checkpoint?.value.timeMs)
    ),
    gauge(
      'trustnet_sync_lag_seconds',
      'Age of the newest verified checkpoint; the root writes one a minute.',
      secondsOf(registry.replicaAgeMs())
    ),
    gauge('trustnet_sync_caught_up', 'This replica had all that one source had: 1.', network.caughtUp),
    gauge(
      'trustnet_sync_subscriptions',
      'Registries that push every change to this process.',
      sync?.subscriptions.length
    ),
    gauge(
      'trustnet_sync_subscribers',
      'Members that this registry pushes every change to.',
      host.services.sync?.subscribers
    ),
    gauge('trustnet_records', 'Records of members in the store.', registry.records.count()),
    gauge(
      'trustnet_membership_expiry_timestamp_seconds',
      'End of the membership of this node.',
      secondsOf(replica.state.member(key.publicKey)?.notAfterMs)
    )
  ]
}

const admissionSamples = ({ registry: { admission, root } }: NetworkNode): Sample[] => [
  gauge('trustnet_joins_pending', 'Joins that wait for the operator of this root.', root && admission.pending().length),
  gauge('trustnet_queue_length', 'Joins and renewals that wait here for the root.', admission.queued)
]

const connectionSamples = ({ trust, host, mesh }: NetworkNode): Sample[] => {
  const counts = { inbound: 0, outbound: 0 }
  for (const { connection } of trust.members()) counts[connection.direction]++
  const values = Object.entries(counts).map(([direction, count]): Value => [{ direction }, count])
  return [
    gauge('trustnet_member_connections', 'Connections to proven members.', values),
    gauge('trustnet_gossip_peers', 'Members that hear the gossip of this node.', host.services.announce && mesh)
  ]
}

const storeSamples = ({ config }: NodeContext, { registry }: NetworkNode): Sample[] => [
  gauge('trustnet_store_failing', 'The store takes nothing now: 1.', registry.storeFailure !== undefined),
  gauge(
    'trustnet_store_size_bytes',
    'Size of the store, with what is not copied into it yet.',
    storeBytes(dataFiles(config.paths.data).store)
  ),
  gauge(
    'trustnet_backup_interval_seconds',
    'Time between two backups, where they are made.',
    config.backup.enabled ? secondsOf(config.backup.intervalMs) : undefined
  ),
  gauge('trustnet_backup_timestamp_seconds', 'When the last backup was made.', secondsOf(lastBackup(registry)))
]

/** Alarms and limits have the names that `trustnet status --json` gives. Words of this program, whatever peers send. */
const troubleSamples = ({ registry, trust }: NetworkNode): Sample[] => {
  const alarms = registry.alarms.list()
  return [
    gauge(
      'trustnet_alarm',
      'An alarm that nobody acknowledged has 1.',
      alarms.map(({ code, acknowledged }): Value => [{ code }, acknowledged ? 0 : 1])
    ),
    counter(
      'trustnet_limits_exceeded_total',
      'Times that somebody exceeded a limit.',
      trust.culprits.counts.map(({ limit, count }): Value => [{ limit }, count])
    )
  ]
}

const directions = ['in', 'out'] as const

/** Services that members use of each other; those that are over count in the totals. */
const relaySamples = ({ relays, services }: NetworkNode): Sample[] => {
  const { reservations = 0, circuits = 0, bytes = 0, refused = 0 } = services?.relay?.counts ?? {}
  return [
    gauge('trustnet_relays', 'Members through which this node is reached.', [[{}, relays?.relays.length ?? 0]]),
    gauge('trustnet_relay_reservations', 'Members that are reached through this node.', [[{}, reservations]]),
    gauge('trustnet_relay_circuits', 'Connections of others that go through this node.', [[{}, circuits]]),
    counter('trustnet_relay_bytes_total', 'Bytes that this node has passed on between others.', [[{}, bytes]]),
    counter('trustnet_relay_refused_total', 'Reservations and circuits that this node has refused.', [[{}, refused]])
  ]
}

const forwardSamples = ({ forwards }: NodeContext): Sample[] => {
  const { totals } = forwards.live
  const live = forwards.live.list()
  const of = (direction: 'in' | 'out') => live.filter((each) => each.direction === direction)
  const bytes = (key: 'bytesIn' | 'bytesOut') =>
    directions.map(
      (direction): Value => [
        { direction, bytes: key === 'bytesIn' ? 'received' : 'sent' },
        of(direction).reduce((sum, each) => sum + each[key], totals[direction][key])
      ]
    )
  return [
    gauge(
      'trustnet_forwards',
      'Services in use: those of this node by members (in), and theirs by this node (out).',
      directions.map((direction): Value => [{ direction }, of(direction).length])
    ),
    counter(
      'trustnet_forwards_opened_total',
      'Forwards that were begun.',
      directions.map((direction): Value => [{ direction }, totals[direction].opened])
    ),
    counter('trustnet_forward_bytes_total', 'Bytes of forwards.', [...bytes('bytesIn'), ...bytes('bytesOut')])
  ]
}

const secondsOf = (ms: number | undefined | null): number | undefined =>
  ms === undefined || ms === null || !Number.isFinite(ms) ? undefined : ms / 1000
