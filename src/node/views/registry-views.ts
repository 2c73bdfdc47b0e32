import { statSync } from 'node:fs'
import { toString as text } from 'uint8arrays/to-string'
import { compareBytes } from '../../identity/hash.ts'
import { peerIdText } from '../../identity/keys.ts'
import { LookAlikes } from '../../registry/admission/look-alike.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import type { Registry } from '../../registry/registry.ts'
import type {
  PendingRow,
  PendingView,
  RegistryNodeRow,
  RegistryNodesView,
  RegistryStatusView
} from '../api/registry-views.ts'
import type { Warning } from '../api/views.ts'
import { dataFiles } from '../config/paths.ts'
import { lastBackup } from '../housekeeping.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { rootStoreOf } from '../root/store/root-store-view.ts'
import {
  ageOf,
  type Connections,
  connectionsOf,
  mapGently,
  memberRow,
  type RowSource,
  shownState
} from './member-rows.ts'
import { networkRef, refOf, selfRef, viewAgeMs, wholeMs, withPeer } from './refs.ts'

/** The log, the store, and who is served. */
export function registryStatusView(
  node: NodeContext,
  network: NetworkNode,
  source: RowSource,
  warnings: Warning[]
): RegistryStatusView {
  const { registry } = network
  const { replica, admission, liveness, records, root } = registry
  const { epoch, n, hash } = replica.head
  return {
    self: { ...selfRef(node), role: node.config.role, version: node.software },
    network: networkRef(registry.genesis),
    storeId: text(registry.storeId, 'base16'),
    log: {
      epoch,
      head: n,
      headHash: text(hash, 'base16'),
      floor: replica.floor,
      checkpointMs: replica.checkpoint?.value.timeMs ?? null,
      ageMs: wholeMs(viewAgeMs(network))
    },
    members: replica.state.memberCount,
    revoked: [...replica.state.revokedKeys()].length,
    records: records.count(),
    sessions: liveness.sessions,
    subscribers: network.host.services.sync?.subscribers ?? 0,
    pending: admission.pending().length,
    queued: admission.queued,
    appends: root !== undefined && (root.refusal ?? registry.storeFailure) === undefined,
    appendsMessage: appendsMessage(network),
    // The rule of the genesis: what the root's configuration says was put into it by `init`.
    admission: registry.replica.state.policy.admission,
    registries: registryRows(network, source),
    store: storeOf(dataFiles(node.config.paths.data).store, registry),
    rootStore: rootStoreOf(node, registry),
    parts: node.services.parts,
    warnings
  }
}

const appendsMessage = ({ registry }: NetworkNode): string | null => {
  const { root, replica, storeFailure } = registry
  if (root !== undefined) return (root.refusal ?? storeFailure)?.message ?? null
  const holder = replica.state.rootRegistry()
  return holder === undefined ? 'no root is known yet' : `the root is ${nameOf(refOf(registry, holder.publicKey))}`
}

const nameOf = ({ name, peerId }: { name: string | null; peerId: string }): string => name ?? peerId

const registryRows = (
  { registry, announced, heads }: NetworkNode,
  source: RowSource
): RegistryStatusView['registries'] => {
  const connections = connectionsOf(source.trust)
  const { epoch, n } = registry.replica.head
  const own = { shown: { epoch, head: n, ageMs: 0 }, behind: 0 }
  return registry.replica.state.registries().map(({ publicKey, role }) => {
    const ref = refOf(registry, publicKey)
    const isSelf = compareBytes(publicKey, source.self) === 0
    const known = isSelf ? announced : (registry.records.read(publicKey)?.addrs ?? [])
    const addresses = known.map((address) => withPeer(address, ref.peerId))
    const state = shownState(source, publicKey, connections)
    const connected = connections.has(ref.peerId)
    const lag = isSelf ? own : heads.positions.lagOf(ref.peerId)
    return { ...ref, role, state, connected, ...lag, address: addresses[0] ?? null, addresses }
  })
}

const storeOf = (path: string, registry: Registry): RegistryStatusView['store'] => ({
  path,
  bytes: storeBytes(path),
  lastBackupMs: lastBackup(registry)
})

/** Size of the store, with the part of it that is still in the write-ahead log; null: it is not there. */
export const storeBytes = (path: string): number | null => {
  const sizes = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size)
  const known = sizes.filter((size) => size !== undefined)
  return known.length === 0 ? null : known.reduce((sum, size) => sum + size, 0)
}

const openStates = new Set(['online', 'late', 'suspect'])

/** Observations of each member by this registry: self first, then registries, then by name. */
export async function registryNodesView(source: RowSource): Promise<RegistryNodesView> {
  const connections = connectionsOf(source.trust)
  const members = [...source.registry.replica.state.members()]
  const rank = ({ publicKey, role }: Member): number =>
    compareBytes(publicKey, source.self) === 0 ? 0 : role === 'root' ? 1 : role === 'secondary' ? 2 : 3
  members.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
  const nodes = await mapGently(members, (each) => nodeRow(source, each, connections))
  return { nodes }
}

const nodeRow = (source: RowSource, member: Member, connections: Connections): RegistryNodeRow => {
  const { registry } = source
  const { publicKey } = member
  const row = memberRow(source, member, connections)
  const view = registry.liveness.view(publicKey)
  const here = !row.self && view.own && openStates.has(view.state)
  return {
    peerId: row.peerId,
    name: row.name,
    role: row.role,
    state: row.state,
    stateSinceMs: row.stateSinceMs,
    reason: row.reason,
    confirmed: row.confirmed,
    here,
    registry: here ? refOf(registry, source.self) : row.registry,
    heartbeatAgeMs: row.self ? null : wholeMs(ageOf(view)),
    rttUs: row.rttUs,
    uptimePercent: row.uptimePercent,
    seq: row.seq,
    address: row.address,
    version: row.version,
    firstSeenMs: wholeMs(view.firstSeenMs),
    membershipExpiresMs: row.membershipExpiresMs,
    // A member with a session has one connection at least: an empty list is one that was not told.
    connected: row.self ? connections.size : view.connected.length || null
  }
}

/** Lists who waits: at the root for the operator, elsewhere for the root. */
export function pendingView({ registry }: NetworkNode): PendingView {
  const { admission } = registry
  const forOperator = admission.pending().map((join) => rowOf(join, 'approve', false))
  const forRoot = admission.queuedJoins().map((join) => rowOf(join, 'root', join.withInvite))
  const rows = [...forOperator, ...forRoot]
  const waiting = new LookAlikes(rows.map(({ peerId, name }) => [peerId, name]))
  const looksLike = (name: string): string[] => [...new Set([...registry.namesLike(name), ...waiting.of(name)])]
  return { pending: rows.map((row) => ({ ...row, looksLike: looksLike(row.name) })) }
}

interface Waiting {
  publicKey: Uint8Array
  name: string
  role: PendingRow['role']
  sinceMs: number
}

const rowOf = (join: Waiting, waitsFor: PendingRow['waitsFor'], withInvite: boolean) => ({
  peerId: peerIdText(join.publicKey),
  name: join.name,
  role: join.role,
  askedMs: join.sinceMs,
  waitsFor,
  // It may speak through another registry, and has no record before it is admitted.
  address: null,
  withInvite
})
