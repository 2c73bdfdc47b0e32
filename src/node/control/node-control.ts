import type { Connection } from '@libp2p/interface'
import { toString as text } from 'uint8arrays/to-string'
import { memberAddress, ulaPrefix } from '../../address/multiaddr.ts'
import { peerIdText } from '../../identity/keys.ts'
import { lookAlikes } from '../../registry/admission/look-alike.ts'
import { readStoredEntry } from '../../registry/log/state/stored-entry.ts'
import { InvalidPayloadError, NotFoundError, UnavailableError } from '../../runtime/errors.ts'
import { backUpNow, resumeRestored } from '../actions/backup.ts'
import { acceptClock, clockView } from '../actions/clock.ts'
import { connectionToMember, connectTo, disconnectFrom } from '../actions/connect.ts'
import { fetchStore } from '../actions/fetch-store.ts'
import { issueInvite } from '../actions/invite.ts'
import { joinWith } from '../actions/join.ts'
import { leaveNetwork } from '../actions/leave.ts'
import { cancelInvite, changePolicy, openInvites, policyView } from '../actions/open-invites.ts'
import { rejectAllWaiting } from '../actions/reject-all.ts'
import { requireNetwork, requireRoot } from '../actions/require.ts'
import { dismissVoid, voidRevokesView } from '../actions/void-revokes.ts'
import { whyView } from '../actions/why.ts'
import type {
  AckView,
  AddressView,
  CallOptions,
  ChangeView,
  ControlApi,
  ControlEvent,
  IdentityView,
  PeerName,
  PeersView,
  StatusView
} from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { type Notice, Notices } from '../status/notices.ts'
import { kitMovedKey, type StatusFacts, statusFacts } from '../status/status-facts.ts'
import { statusView } from '../status/status-view.ts'
import { kitCode, noticesOf } from '../status/status-warnings.ts'
import { logView } from '../views/log-view.ts'
import { lookupHere, lookupRemote } from '../views/lookup-view.ts'
import { countStates, memberRows, noStates } from '../views/member-rows.ts'
import { byEnd, keyOfPeerId, requireKey, requireMember } from '../views/peer-names.ts'
import { networkRef, originOf, refOf, selfRef } from '../views/refs.ts'
import { pendingView, registryNodesView, registryStatusView } from '../views/registry-views.ts'
import { rowSourceOf } from '../views/row-source.ts'
import { changeFeed } from './change-feed.ts'

/** Of calls that nobody gave a deadline. */
const callMs = 30_000

const signalOf = ({ signal }: CallOptions = {}): AbortSignal => signal ?? AbortSignal.timeout(callMs)

/** Answers what is asked of this process from its own machine. Before the network was found it says what is being tried. */
export class NodeControl implements ControlApi {
  readonly #node: NodeContext
  readonly #notices = new Notices()

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** A proven connection to a member, by name, PeerId or the end of one; dials where there is none. @throws NotFoundError, UnavailableError */
  async connectionTo(peer: string, signal: AbortSignal): Promise<Connection> {
    const network = requireNetwork(this.#node)
    const member = requireMember(network.registry, peer)
    if (Buffer.compare(member.publicKey, this.#node.key.publicKey) === 0) {
      throw new InvalidPayloadError(`${member.name} is this node itself: there is no connection to it`)
    }
    return await connectionToMember(network, member, signal)
  }

  status: ControlApi['status'] = async (): Promise<StatusView> => {
    const facts = statusFacts(this.#node)
    return statusView(this.#node, facts, this.#warnings(facts))
  }

  #warnings(facts: StatusFacts) {
    const isConfirmed = this.#node.isStopping || this.#node.network?.registry.meta.get(kitMovedKey) !== undefined
    const notices = noticesOf(facts).map(
      (notice): Notice => (notice.code === kitCode && isConfirmed ? { ...notice, acknowledged: true } : notice)
    )
    return this.#notices.mark(notices, this.#node.clock)
  }

  peers: ControlApi['peers'] = async (): Promise<PeersView> => {
    const node = this.#node
    const network = node.isStopping ? undefined : node.network
    const peers = network === undefined ? [] : await memberRows(rowSourceOf(node, network))
    return {
      schemaVersion: 1,
      self: this.#self(network),
      network: network === undefined ? null : networkRef(network.registry.genesis),
      view: originOf({ key: node.key, config: node.config, network }),
      counts: network === undefined ? noStates() : countStates(peers),
      total: peers.length,
      peers
    }
  }

  #self(network: NetworkNode | undefined): PeersView['self'] {
    const { key, config, software } = this.#node
    return { ...selfRef({ key, config, network }), role: config.role, version: software }
  }

  lookup: ControlApi['lookup'] = async (query, options) => {
    const network = requireNetwork(this.#node)
    const source = rowSourceOf(this.#node, network)
    if (query.remote === true) return await lookupRemote(network, source, query, signalOf(options))
    return await lookupHere(source, originOf(this.#node), query)
  }

  why: ControlApi['why'] = async (peer, options) =>
    await whyView(this.#node, requireNetwork(this.#node), peer, signalOf(options))

  identity: ControlApi['identity'] = async (): Promise<IdentityView> => {
    const { key, config, network, peerId } = this.#node
    return {
      schemaVersion: 1,
      ...this.#self(network),
      publicKeyHex: text(key.publicKey, 'base16'),
      keyFile: config.paths.key,
      network: network === undefined ? null : networkRef(network.registry.genesis),
      multiaddrs: (network?.announced ?? []).map((address) => `${address}/p2p/${peerId}`)
    }
  }

  address: ControlApi['address'] = async (peer): Promise<AddressView> => {
    const { registry } = this.#node.attached
    const publicKey = peer === undefined ? this.#node.key.publicKey : requireKey(registry, peer)
    return {
      schemaVersion: 1,
      ...refOf(registry, publicKey),
      address: memberAddress(registry.networkId, publicKey),
      prefix: ulaPrefix(registry.networkId)
    }
  }

  registryStatus: ControlApi['registryStatus'] = async () => {
    const network = requireNetwork(this.#node)
    const warnings = this.#warnings(statusFacts(this.#node))
    return registryStatusView(this.#node, network, rowSourceOf(this.#node, network), warnings)
  }

  registryNodes: ControlApi['registryNodes'] = async () =>
    await registryNodesView(this.#node, rowSourceOf(this.#node, requireNetwork(this.#node)))

  log: ControlApi['log'] = async (query) => logView(requireNetwork(this.#node).registry, originOf(this.#node), query)

  pending: ControlApi['pending'] = async () => pendingView(requireNetwork(this.#node))

  approve: ControlApi['approve'] = async (peer): Promise<ChangeView> => {
    const { registry } = this.#root()
    const { admit } = await registry.admission.approve(waitingNamed(registry, peer))
    const { value } = readStoredEntry(admit)
    if (value.kind !== 'admit')
      throw new UnavailableError('the admission is not in the log yet: look again in a moment', 1_000)
    const { publicKey, name, role } = value.body
    const alike = lookAlikes(name, registry.replica.state.members())
    const warning = alike.length === 0 ? '' : `; its name looks like that of ${alike.join(', ')}`
    const message = `is a member now, as ${role}${warning}`
    return { schemaVersion: 1, ...refOf(registry, publicKey), entry: value.n, message }
  }

  reject: ControlApi['reject'] = async (peer, reason): Promise<ChangeView> => {
    const { registry } = this.#root()
    const who = waitingNamed(registry, peer)
    const waiting = registry.admission.pending()
    const joiner = waiting.find(({ publicKey, name }) => name === who || peerIdText(publicKey) === who)
    await registry.admission.reject(who, reason)
    const peerId = joiner === undefined ? who : peerIdText(joiner.publicKey)
    const message = 'was turned away; only an invite lets it in from now on'
    return { schemaVersion: 1, peerId, name: joiner?.name ?? null, entry: null, message }
  }

  rejectAll: ControlApi['rejectAll'] = async (which, reason) =>
    await rejectAllWaiting({ registry: this.#root().registry, clock: this.#node.clock }, which, reason)

  backup: ControlApi['backup'] = async (to) => {
    requireNetwork(this.#node)
    return await backUpNow(this.#node, to)
  }

  fetchStore: ControlApi['fetchStore'] = async (peer, to, options) =>
    await fetchStore(this.#node, requireNetwork(this.#node), { peer, to }, signalOf(options))

  clock: ControlApi['clock'] = async () => clockView(this.#node, requireNetwork(this.#node))

  acceptClock: ControlApi['acceptClock'] = async () => await acceptClock(this.#node, requireNetwork(this.#node))

  voidRevokes: ControlApi['voidRevokes'] = async () => voidRevokesView(this.#root().registry)

  dismissVoid: ControlApi['dismissVoid'] = async (peer) => await dismissVoid(this.#root().registry, peer)

  resume: ControlApi['resume'] = async (head) => resumeRestored(this.#node, this.#root(), head)

  invite: ControlApi['invite'] = async (query, options) =>
    await issueInvite(requireNetwork(this.#node), this.#node.key.publicKey, query, signalOf(options))

  invites: ControlApi['invites'] = async (id) => openInvites(requireNetwork(this.#node), id)

  cancelInvite: ControlApi['cancelInvite'] = async (id, reason) =>
    await cancelInvite(requireNetwork(this.#node), id, reason)

  policy: ControlApi['policy'] = async () => policyView(requireNetwork(this.#node))

  setPolicy: ControlApi['setPolicy'] = async (changes) => await changePolicy(requireNetwork(this.#node), changes)

  join: ControlApi['join'] = async (line, options) => await joinWith(this.#node, line, signalOf(options))

  leave: ControlApi['leave'] = async (query, options) =>
    await leaveNetwork(this.#node, requireNetwork(this.#node), query, signalOf(options))

  revoke: ControlApi['revoke'] = async (peer, reason): Promise<ChangeView> => {
    const { registry } = this.#root()
    const { state } = registry.replica
    const publicKey = requireKey(registry, peer)
    const ref = refOf(registry, publicKey)
    const before = state.revoked(publicKey)
    await registry.admission.revoke(publicKey, reason)
    const entry = registry.replica.state.revoked(publicKey)?.n ?? null
    const message = before === undefined ? 'is revoked: its key is shut out for ever' : 'was revoked before'
    return { schemaVersion: 1, ...ref, entry, message }
  }

  #root(): NetworkNode {
    const network = requireNetwork(this.#node)
    requireRoot(network)
    return network
  }

  connect: ControlApi['connect'] = async (multiaddr, options) =>
    await connectTo(requireNetwork(this.#node), multiaddr, signalOf(options))

  disconnect: ControlApi['disconnect'] = async (peer) => await disconnectFrom(requireNetwork(this.#node), peer)

  acknowledge: ControlApi['acknowledge'] = async (given): Promise<AckView> => {
    const code = given.replaceAll('-', '_')
    if (this.#node.isStopping) throw new UnavailableError('this process stops', 2_000)
    const network = this.#node.network
    const facts = statusFacts(this.#node)
    this.#warnings(facts)
    if (network !== undefined && code === kitCode) return await this.#kitMoved(network, facts)
    if (network?.registry.alarms.list().some((alarm) => alarm.code === code) === true) {
      network.registry.alarms.acknowledge(code)
      this.#node.changed()
      return { schemaVersion: 1, code, message: 'acknowledged; it is raised again when it happens again' }
    }
    if (!this.#notices.acknowledge(code)) {
      throw new NotFoundError(`there is no warning or alarm ${given} now: \`trustnet status\` lists them`)
    }
    this.#node.changed()
    return { schemaVersion: 1, code, message: 'acknowledged, until it ends' }
  }

  async #kitMoved({ registry }: NetworkNode, { network }: StatusFacts): Promise<AckView> {
    const kit = network?.kit
    if (kit === undefined || kit.state === 'none') {
      throw new NotFoundError('this machine has no recovery kit: it is made on the machine of the root')
    }
    await registry.meta.set(kitMovedKey, Uint8Array.of(1))
    const message =
      kit.state === 'here'
        ? `noted; ${kit.path} is still here: delete it once the copy is safe`
        : 'noted: the kit is in a safe place'
    return { schemaVersion: 1, code: kitCode, message }
  }

  events(options: CallOptions = {}): AsyncIterable<ControlEvent> {
    return changeFeed(this.#node, options.signal)
  }
}

type Registry = NetworkNode['registry']

/** The end of a PeerId stands for the only one that waits under it; all else the registry finds, or says what is wrong. */
const waitingNamed = ({ admission }: Registry, peer: PeerName): string => {
  const waiting = admission.pending()
  if (keyOfPeerId(peer) !== undefined || waiting.some(({ name }) => name === peer)) return peer
  const found = byEnd(waiting, peer)
  if (found !== undefined) return peerIdText(found.publicKey)
  throw new NotFoundError(`no join of ${peer} waits: \`trustnet registry pending\` lists them`)
}
