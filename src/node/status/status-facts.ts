import { existsSync } from 'node:fs'
import { compareBytes } from '../../identity/hash.ts'
import { peerIdText } from '../../identity/keys.ts'
import { type Role, servesRegistry } from '../../identity/role.ts'
import type { Alarm } from '../../registry/alarms.ts'
import type { PeerState, Phase, StatusView } from '../api/views.ts'
import type { DialFailure } from '../bootstrap/dial-race.ts'
import { dataFiles } from '../config/paths.ts'
import { lastBackup } from '../housekeeping.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import type { ClockComparison } from '../peers/peer-clocks.ts'
import { fenceReason } from '../root/root-controller.ts'
import { type TnrDifference, tnrDifference } from '../self/tnr-watch.ts'
import { connectionsOf, noStates, shownState } from '../views/member-rows.ts'
import { refOf } from '../views/refs.ts'
import { rowSourceOf } from '../views/row-source.ts'
import { joinAnswers } from './join-answers.ts'
import { limitsView } from './limits-view.ts'
import type { PhaseFacts } from './phases.ts'
import type { RootStoreFacts } from './root-store-notices.ts'

export type MembershipState = StatusView['membership']['state']

/** Whereabouts of the recovery kit of `init`: nowhere (this machine made no network), still here, gone without a word, or moved. */
export type KitState = 'none' | 'here' | 'unconfirmed' | 'moved'

/** The network as it looks from here. */
export interface NetworkFacts {
  counts: Record<PeerState, number>
  total: number
  /** Others that are up now, and those of them that serve the log, and those of these that are not the root. */
  up: { members: number; sources: number; carriers: number }
  /** undefined: this process is it, or it is not in the log. */
  root: { name: string; state: PeerState; sinceMs: number | null } | undefined
  alarms: readonly Alarm[]
  /** The reason why this root appends nothing. */
  refusal: Error | undefined
  fenced: boolean
  /** Head of a root that was restored, while it waits for the heads of others. */
  restoredHead: number | undefined
  /** undefined: the store of the root keeps the log, or this process does not stand for its place. */
  rootStore: RootStoreFacts | undefined
  /** The reason why nothing can be stored, and where that is. */
  store: { failure: Error | undefined; folder: string }
  replicaAgeMs: number
  checkpointMs: number | undefined
  /** undefined: no clock of another member was heard. */
  clocks: ClockComparison | undefined
  isForked: boolean
  doubt: string | undefined
  pending: number
  queued: number
  announced: number
  tnr: TnrDifference | undefined
  /** The one address that is listened on; `::`: all. */
  listenHost: string
  kit: { state: KitState; path: string }
  /** undefined: none are wanted. */
  backup: { lastMs: number | null; everyMs: number } | undefined
  notAfterMs: number | undefined
  membershipMs: number
  records: number
  /** Those who exceeded a limit lately. */
  exceeded: readonly Exceeded[]
}

export interface Exceeded {
  limit: string
  who: string
  name: string | null
  lastMs: number
}

/** All that the status word and the warnings are judged by, looked up at one moment. */
export interface StatusFacts {
  stopping: boolean
  now: number
  upMs: number
  /** The reason why lines of the log are lost. */
  logFailure: Error | undefined
  role: Role
  name: string
  /** Failures in the last round of looking for the network. */
  failures: readonly DialFailure[]
  membership: MembershipState
  /** Its replica has it as a member, and a registry says that it is none any more. */
  toldOfItsEnd: boolean
  trouble: Error | undefined
  session: boolean
  /** Since the start of this process. */
  hadSession: boolean
  phase: { name: Phase; ageMs: number }
  phaseFacts: PhaseFacts
  gossip: boolean
  /** undefined: not found yet. */
  network: NetworkFacts | undefined
}

/** Set by the operator's word that the kit is somewhere else. */
export const kitMovedKey = 'recovery-kit-moved'

const noGround: PhaseFacts = { member: false, session: false, replica: false, mesh: 0, sources: 0, cachedPeers: 0 }

export function statusFacts(node: NodeContext): StatusFacts {
  const { clock, config, phases, isStopping } = node
  const now = clock.now()
  // The store of a process that stops may be closed already.
  const network = isStopping ? undefined : node.network
  return {
    stopping: isStopping,
    now,
    upMs: phases.upMs,
    logFailure: node.logging.failure(),
    role: config.role,
    name: config.name,
    failures: node.discoveryFailures,
    membership: network === undefined ? 'none' : membershipOf(node, network),
    toldOfItsEnd: network !== undefined && isToldOfItsEnd(network),
    trouble: network?.trouble,
    session: network?.session !== undefined,
    hadSession: phases.reachedAfterMs.trusted !== null,
    phase: { name: phases.name, ageMs: phases.ageMs },
    phaseFacts: isStopping ? noGround : node.facts(),
    gossip: config.gossip.enabled,
    network: network === undefined ? undefined : networkFacts(node, network)
  }
}

const isToldOfItsEnd = (network: NetworkNode): boolean =>
  network.isMember() && network.session === undefined && joinAnswers.has(network.trouble?.name ?? '')

const membershipOf = ({ key }: NodeContext, network: NetworkNode): MembershipState => {
  const { replica } = network.registry
  if (replica.state.isRevoked(key.publicKey)) return 'revoked'
  if (isToldOfItsEnd(network)) return network.trouble?.name === 'PendingError' ? 'pending' : 'none'
  if (network.isMember()) return network.selfRecord.current?.value.left === true ? 'left' : 'member'
  if (replica.isHeldBack(key.publicKey)) return 'pending'
  if (replica.state.member(key.publicKey) !== undefined) return 'expired'
  return network.trouble?.name === 'PendingError' ? 'pending' : 'none'
}

const networkFacts = (node: NodeContext, network: NetworkNode): NetworkFacts => {
  const { registry } = network
  const { replica, root, admission } = registry
  const refusal = root?.refusal
  return {
    ...membersFacts(node, network),
    alarms: registry.alarms.list(),
    refusal,
    fenced: refusal?.message === fenceReason,
    restoredHead: root !== undefined && registry.restored !== undefined ? replica.head.n : undefined,
    rootStore: node.seat && { ...node.seat.view, isHeld: node.seat.isHeld },
    store: { failure: registry.storeFailure, folder: node.config.paths.data },
    replicaAgeMs: registry.replicaAgeMs(),
    checkpointMs: replica.checkpoint?.value.timeMs,
    clocks: network.clocks.compare(rootPeerId(network)),
    isForked: replica.isForked,
    doubt: registry.liveness.doubt,
    pending: root === undefined ? 0 : admission.pending().length,
    queued: admission.queued,
    announced: network.announced.length,
    tnr: tnrDifference(node, network),
    listenHost: node.config.listen.host,
    kit: kitOf(node, network),
    backup: backupOf(node, network),
    notAfterMs: replica.state.member(node.key.publicKey)?.notAfterMs,
    membershipMs: registry.replica.state.policy.membershipMs,
    records: registry.records.count(),
    exceeded: limitsView(network).flatMap(({ limit, culprits }) => culprits.map((each) => ({ limit, ...each })))
  }
}

const upStates = new Set<PeerState>(['online', 'late'])

const membersFacts = (
  node: NodeContext,
  network: NetworkNode
): Pick<NetworkFacts, 'counts' | 'total' | 'up' | 'root'> => {
  const { replica } = network.registry
  const source = rowSourceOf(node, network)
  const connections = connectionsOf(network.trust)
  const counts = noStates()
  const up = { members: 0, sources: 0, carriers: 0 }
  let total = 0
  for (const { publicKey, role } of replica.state.members()) {
    if (!replica.isMember(publicKey)) continue
    const state = shownState(source, publicKey, connections)
    counts[state]++
    total++
    if (!upStates.has(state) || compareBytes(publicKey, source.self) === 0) continue
    up.members++
    if (!servesRegistry(role)) continue
    up.sources++
    if (role !== 'root') up.carriers++
  }
  const rootKey = replica.state.rootRegistry()?.publicKey
  const isOther = rootKey !== undefined && compareBytes(rootKey, source.self) !== 0
  return {
    counts,
    total,
    up,
    root: isOther ? rootOf(network, rootKey, shownState(source, rootKey, connections)) : undefined
  }
}

const rootPeerId = ({ registry }: NetworkNode): string | undefined => {
  const key = registry.replica.state.rootRegistry()?.publicKey
  return key && peerIdText(key)
}

const rootOf = ({ registry }: NetworkNode, publicKey: Uint8Array, state: PeerState): NetworkFacts['root'] => {
  const { name, peerId } = refOf(registry, publicKey)
  return { name: name ?? peerId, state, sinceMs: registry.liveness.view(publicKey).sinceMs ?? null }
}

const kitOf = ({ config }: NodeContext, { registry }: NetworkNode): NetworkFacts['kit'] => {
  const { recoveryKit, nextRecoveryKit, passphrase } = dataFiles(config.paths.data)
  const path = [passphrase, recoveryKit, nextRecoveryKit].find((each) => existsSync(each)) ?? recoveryKit
  if (config.role !== 'root') return { state: 'none', path }
  if (existsSync(path)) return { state: 'here', path }
  return { state: registry.meta.get(kitMovedKey) === undefined ? 'unconfirmed' : 'moved', path }
}

const backupOf = ({ config }: NodeContext, { registry }: NetworkNode): NetworkFacts['backup'] =>
  config.backup.enabled ? { lastMs: lastBackup(registry), everyMs: config.backup.intervalMs } : undefined
