import { toString as text } from 'uint8arrays/to-string'
import { memberAddress, ulaPrefix } from '../../address/multiaddr.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { acknowledge, warningsOf } from '../actions/acknowledge.ts'
import { backUpNow, resumeRestored } from '../actions/backup.ts'
import { acceptClock, clockView } from '../actions/clock.ts'
import { connectTo, connectToMember, disconnectFrom } from '../actions/connect.ts'
import { issueInvite } from '../actions/invite.ts'
import { joinWith } from '../actions/join.ts'
import { rotateIdentity } from '../actions/keys/rotate-identity.ts'
import { enterEntry, prepareEntry, spreadView } from '../actions/keys/rotate-log.ts'
import { leaveNetwork } from '../actions/leave.ts'
import { setLogLevel } from '../actions/log-level.ts'
import { changeMember, endMember, membersView, retireRegistry } from '../actions/member-changes.ts'
import { approve, reject, rejectAllWaiting, revoke } from '../actions/membership.ts'
import { cancelInvite, changePolicy, listInvites } from '../actions/open-invites.ts'
import { addOperator, operatorsView, removeOperator } from '../actions/operators.ts'
import type { OrderedCalls, RemoteAuthor } from '../actions/ordered.ts'
import { evict, heldBack } from '../actions/registry/evict.ts'
import { moveRoot } from '../actions/registry/move-root.ts'
import { dismissVoid, voidRevokesView } from '../actions/registry/void-revokes.ts'
import { takeWitnessLines } from '../actions/registry/witness-lines.ts'
import { reload } from '../actions/reload.ts'
import { approveOrder, waitingOrders, withdrawOrder } from '../actions/waiting-orders.ts'
import { whyView } from '../actions/why.ts'
import type { Input, Made, PeersView } from '../api/control-api.ts'
import type { RouteName, Routes } from '../api/routes.ts'
import { documentHistoryView, documentsView, documentView } from '../documents/documents-view.ts'
import { allowPublisher, publishDocument, removePublisher, retireDocument } from '../documents/publish.ts'
import { expose, forwardsView, unexpose } from '../forward/forwards-view.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { pingMember } from '../peers/ping-member.ts'
import { addService, removeService, servicesView, setMaintenance } from '../services/service-actions.ts'
import { healthView, readyView, versionView } from '../status/health-view.ts'
import type { Notices } from '../status/notices.ts'
import { statusFacts } from '../status/status-facts.ts'
import { statusView } from '../status/status-view.ts'
import { addStore, listStores, pinStore, removeStore, syncStore } from '../stores/store-actions.ts'
import { storeView } from '../stores/stores-view.ts'
import { checkpointView } from '../views/checkpoint-view.ts'
import { compareView } from '../views/compare-view.ts'
import { connectionsView, statsView } from '../views/connections-view.ts'
import { historyView } from '../views/history-view.ts'
import { logView } from '../views/log-view.ts'
import { lookupHere, lookupRemote } from '../views/lookup-view.ts'
import { matrixView } from '../views/matrix-view.ts'
import { countStates, memberRows, noStates } from '../views/member-rows.ts'
import { metricsView } from '../views/metrics-view.ts'
import { logDiffView, pastView } from '../views/past-view.ts'
import { requireKey, requireKeyEver } from '../views/peer-names.ts'
import { policyCall, policyView, previewPolicy } from '../views/policy-view.ts'
import { networkRef, refOf, selfRef, withPeer } from '../views/refs.ts'
import { pendingView, registryNodesView, registryStatusView } from '../views/registry-views.ts'
import { rowSourceOf } from '../views/row-source.ts'
import { timelineView } from '../views/timeline-view.ts'
import { topologyView } from '../views/topology-view.ts'
import { isKept } from './kept-calls.ts'

/** Context that a handler is given beside its input. */
export interface Asked {
  node: NodeContext
  notices: Notices
  signal: AbortSignal
  ordered: OrderedCalls
  /** Runs an operation in the name of an operator who signs. @throws ControlInputError for one that needs none */
  run: (call: string, input: string, author: RemoteAuthor) => Promise<object>
}

export interface AskedOperator extends AskedNetwork {
  author: Author | RemoteAuthor
}

export interface AskedNetwork extends Asked {
  network: NetworkNode
  registry: NetworkNode['registry']
}

type Handler<K extends RouteName> = (
  input: Input<K>,
  asked: Routes[K]['needs'] extends 'process'
    ? Asked
    : Routes[K]['needs'] extends 'operator'
      ? AskedOperator
      : AskedNetwork
) => Made<K> | Promise<Made<K>>

/** Handlers of the operations in the table. Before the network was found a process says what is being tried. */
export const handlers: { readonly [K in RouteName]: Handler<K> } = {
  health: (_, { node }) => healthView(node),
  ready: (_, { node }) => readyView(node, statusFacts(node)),
  version: () => versionView(),
  connections: (_, { node }) => connectionsView(node),
  stats(_, { node, notices }) {
    const facts = statusFacts(node)
    const open = warningsOf(node, notices, facts).filter(({ acknowledged }) => !acknowledged)
    return statsView(node, facts, open.length)
  },
  status(_, { node, notices }) {
    const facts = statusFacts(node)
    return statusView(node, facts, warningsOf(node, notices, facts))
  },
  peers: (_, { node }) => peersView(node),
  lookup: async (query, { node, network, signal }) => {
    const source = rowSourceOf(node, network)
    if (query.remote === true) return await lookupRemote(network, source, query, signal)
    return await lookupHere(source, query)
  },
  why: ({ peer }, { node, network, signal }) => whyView(node, network, peer, signal),
  history: (query, { network }) => historyView(network, query),
  timeline: (query, { node, network }) => timelineView(node, network, query),
  topology: (_, { node, network }) => topologyView(node, network),
  compare: (query, { node, network, signal }) => compareView(node, network, query.with.split(','), signal),
  matrix: (query, { node, network }) => matrixView(node, network, query),
  logLevel: ({ level, service }, { node }) => setLogLevel(node, level, service),
  metrics: (_, { node }) => metricsView(node),
  recentLog: (_, { node }) => ({ ...node.logging.recent() }),
  identity: (_, { node }) => {
    const { key, config, network, peerId } = node
    return {
      ...selfOf(node, network),
      publicKeyHex: text(key.publicKey, 'base16'),
      keyFile: config.paths.key,
      network: network === undefined ? null : networkRef(network.registry.genesis),
      multiaddrs: (network?.announced ?? []).map((address) => withPeer(address, peerId))
    }
  },
  reload: (_, { node }) => reload(node),
  rotateIdentity: (query, { node, network, signal }) => rotateIdentity(node, network, query, signal),
  address: ({ peer }, { node }) => {
    const { registry } = node.attached
    const publicKey = peer === undefined ? node.key.publicKey : requireKey(registry, peer)
    return {
      ...refOf(registry, publicKey),
      address: memberAddress(registry.networkId, publicKey),
      prefix: ulaPrefix(registry.networkId)
    }
  },

  registryStatus(_, { node, network, notices }) {
    const warnings = warningsOf(node, notices, statusFacts(node))
    return registryStatusView(node, network, rowSourceOf(node, network), warnings)
  },
  registryNodes: (_, { node, network }) => registryNodesView(rowSourceOf(node, network)),
  log: ({ peer, ...query }, { registry }) =>
    logView(registry, {
      ...query,
      publicKey: peer === undefined ? undefined : requireKeyEver(registry, peer)
    }),
  registryAt: (query, { network, signal }) => pastView(network, query, signal),
  logDiff: (query, { network, signal }) => logDiffView(network, query, signal),
  pending: (_, { network }) => pendingView(network),
  approve: ({ peer }, { registry, author }) => approve(registry, peer, author),
  reject: (query, { registry, author }) => reject(registry, query, author),
  rejectAll: ({ reason, ...which }, { node, registry }) =>
    rejectAllWaiting({ registry, clock: node.clock }, which, reason),
  clock: (_, { node, network }) => clockView(node, network),
  acceptClock: (_, { node, network }) => acceptClock(node, network),
  heldBack: (_, { node, network }) => heldBack(node, network),
  evict: (_, { node, network }) => evict(node, network),
  voidRevokes: (_, { registry }) => voidRevokesView(registry),
  dismissVoid: ({ peer }, { node, registry }) => dismissVoid(node, registry, peer),
  backup: ({ to }, { node }) => backUpNow(node, to),
  prepareEntry: (query, { node, network }) => prepareEntry(node, network, query),
  enterEntry: (query, { node, network }) => enterEntry(node, network, query),
  moveRoot: (query, { node, network }) => moveRoot(node, network, query),
  spread: (query, { node, network, signal }) => spreadView(node, network, query, signal),
  resume: ({ head }, { node, network }) => resumeRestored(node, network, head),

  invite: (query, { node, network, author, signal }) => issueInvite(network, node.key.publicKey, query, signal, author),
  invites: (query, { network }) => listInvites(network, query),
  cancelInvite: (query, { network, author }) => cancelInvite(network, query, author),
  checkpoint: ({ note }, { network }) => checkpointView(network, note),
  witnessLines: ({ note }, { registry }) => takeWitnessLines(registry, note),
  policy: (_, { network }) => policyView(network),
  previewPolicy: (changes, { network }) => previewPolicy(network, changes),
  policyCall: (query, { network }) => policyCall(network, query),
  setPolicy: (changes, { network, author }) => changePolicy(network, changes, author),
  join: ({ line }, { node, signal }) => joinWith(node, line, signal),
  leave: (query, { node, network, signal }) => leaveNetwork(node, network, query, signal),
  revoke: (query, { registry, author }) => revoke(registry, query, author),
  members: (_, { registry }) => membersView(registry),
  changeMember: (changes, { registry, author }) => changeMember(registry, changes, author),
  endMember: (query, { registry, author }) => endMember(registry, query, author),
  retireRegistry: (query, { registry, author }) => retireRegistry(registry, query, author),

  forwards: (_, { node }) => forwardsView(node),
  expose: ({ name, to }, { node }) => expose(node, name, to),
  unexpose: ({ name }, { node }) => unexpose(node, name),

  documents: (_, { registry }) => documentsView(registry),
  document: (query, { registry }) => documentView(registry, query),
  documentHistory: ({ id }, { registry }) => documentHistoryView(registry, id),
  publishDocument: (query, { node, network, signal }) => publishDocument(network, node, query, signal),
  retireDocument: (query, { registry, author }) => retireDocument(registry, query, author),
  allowPublisher: (query, { registry, author }) => allowPublisher(registry, query, author),
  removePublisher: (query, { registry, author }) => removePublisher(registry, query, author),

  stores: ({ look }, { network, signal }) => listStores(network, look === true, signal),
  store: ({ store }, { network }) => storeView(network, store),
  addStore: (query, { node, network }) => addStore(node, network, query),
  syncStore: (query, { node, network, signal }) => syncStore(node, network, query, signal),
  removeStore: (query, { network }) => removeStore(network, query),
  pinStore: (query, { network, signal }) => pinStore(network, query, signal),
  services: (_, { node }) => servicesView(node),
  addService: (service, { node }) => addService(node, service),
  removeService: (query, { node }) => removeService(node, query),
  maintenance: ({ on, reason = '' }, { node }) => setMaintenance(node, on ? reason : undefined),

  operators: (_, { registry }) => operatorsView(registry),
  addOperator: (query, { registry, author }) => addOperator(registry, query, author),
  removeOperator: (query, { registry, author }) => removeOperator(registry, query, author),
  waitingOrders: (_, { registry, author }) => waitingOrders(registry, author),
  approveOrder: ({ id }, { registry, author }) => approveOrder(registry, id, author),
  withdrawOrder: (query, { registry, author }) => withdrawOrder(registry, query, author),
  beginOrdered: ({ call, input, by }, { node, network, ordered, run, signal }) => {
    const request = by === undefined || !isKept(call) ? undefined : [by, call, input].join('\n')
    return ordered.begin(network, node.key.publicKey, (author) => run(call, input, author), { request, signal })
  },
  signOrdered: ({ ticket, orders }, { ordered, signal }) => ordered.goOn(ticket, orders, signal),

  connect: ({ multiaddr, peer }, { node, signal }) => {
    if (peer !== undefined) return connectToMember(node, peer, signal)
    if (multiaddr !== undefined) return connectTo(node, multiaddr, signal)
    throw new InvalidPayloadError('`multiaddr` or `peer` says whom to connect to')
  },
  ping: ({ peer }, { node, signal }) => pingMember(node, peer, signal),
  disconnect: ({ peer }, { network }) => disconnectFrom(network, peer),
  acknowledge: ({ code }, { node, notices }) => acknowledge(node, notices, statusFacts(node), code)
}

const selfOf = (node: NodeContext, network: NetworkNode | undefined): PeersView['self'] => {
  const { key, config, software } = node
  return { ...selfRef({ key, config, network }), role: config.role, version: software }
}

const peersView = async (node: NodeContext): Promise<PeersView> => {
  const network = node.isStopping ? undefined : node.network
  const peers = network === undefined ? [] : await memberRows(rowSourceOf(node, network))
  return {
    self: selfOf(node, network),
    network: network === undefined ? null : networkRef(network.registry.genesis),
    counts: network === undefined ? noStates() : countStates(peers),
    total: peers.length,
    peers
  }
}
