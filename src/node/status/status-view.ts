import { toString as text } from 'uint8arrays/to-string'
import { tnrName } from '../../dns/tnr.ts'
import { isRegistryRole } from '../../identity/role.ts'
import { momentOf, wallTimeOf } from '../../runtime/clock-and-logger.ts'
import type { StatusView, Warning } from '../api/views.ts'
import { forwardsInShort } from '../forward/forwards-view.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { serversToAsk } from '../resolve/servers.ts'
import { connectionsOf } from '../views/member-rows.ts'
import { networkRef, refOf, rttUs, selfRef, viewAgeMs, wholeMs, withPeer } from '../views/refs.ts'
import { limitsView } from './limits-view.ts'
import { phaseNames } from './phases.ts'
import { resilienceOf } from './resilience.ts'
import type { StatusFacts } from './status-facts.ts'
import { judge } from './verdict.ts'
import { provisionalView, witnessedView } from './witnessed-view.ts'

/** State of this node: one word, then everything behind it. */
export function statusView(node: NodeContext, facts: StatusFacts, warnings: Warning[]): StatusView {
  // A process that stops may be half gone: nothing of its network is asked any more.
  const network = facts.stopping ? undefined : node.network
  return {
    ...judge(facts),
    self: selfView(node, network),
    network: network === undefined ? null : networkRef(network.registry.genesis),
    phase: phaseView(node),
    membership: membershipView(facts),
    registry: registryView(node, network, facts),
    sync: syncView(network, facts),
    dns: dnsView(node, network),
    resilience: resilienceOf({
      ...facts.phaseFacts,
      role: facts.role,
      candidates: facts.stopping ? 0 : node.resolvers.known.registries().length
    }),
    connections: connectionCounts(network),
    limits: network === undefined ? [] : limitsView(network),
    http: node.httpUrl ?? null,
    names: network?.names?.address ?? null,
    link: node.link === undefined ? null : { interfaces: [...node.link.devices], ...node.link.counts },
    listen: isListening(network) ? [withPeer(`/ip6/${node.config.listen.host}/tcp/${network.port}`, node.peerId)] : [],
    announced: (network?.announced ?? []).map((address) => withPeer(address, node.peerId)),
    maintenance: node.announced.maintenance ?? null,
    forwards: forwardsInShort(node.forwards, network),
    reach: network?.selfRecord.current?.value.reach ?? 'unknown',
    relay: relayView(network),
    pinholes: pinholesView(node, network),
    parts: node.services.parts,
    warnings
  }
}

/** false: its port is not bound yet, and there is no host to ask. */
export const isListening = (network: NetworkNode | undefined): network is NetworkNode =>
  network !== undefined && network.port !== 0

const relayView = (network: NetworkNode | undefined): StatusView['relay'] => {
  if (network === undefined) return { relays: [], trouble: null, serves: null }
  const counts = network.services?.relay?.counts
  return {
    relays: (network.relays?.relays ?? []).map((publicKey) => refOf(network.registry, publicKey)),
    trouble: network.relays?.trouble ?? null,
    serves: counts === undefined ? null : { ...counts, lastRefusal: counts.lastRefusal ?? null }
  }
}

const selfView = (node: NodeContext, network: NetworkNode | undefined): StatusView['self'] => {
  const { config, key, software, phases, configFile } = node
  return {
    ...selfRef({ key, config, network }),
    role: config.role,
    version: software,
    pid: process.pid,
    startedMs: phases.startedMs,
    configFile: configFile ?? null,
    dataFolder: config.paths.data
  }
}

const phaseView = ({ phases }: NodeContext): StatusView['phase'] => ({
  name: phases.name,
  number: phaseNames.indexOf(phases.name),
  sinceMs: phases.sinceMs,
  missing: [...phases.missing],
  reachedAfterMs: phases.reachedAfterMs
})

const membershipView = ({ membership, network, trouble }: StatusFacts): StatusView['membership'] => {
  const expiresMs = network?.notAfterMs ?? null
  const isMember = membership === 'member'
  return {
    state: membership,
    expiresMs,
    // Each node renews at a time of its own, within a tenth of the half.
    renewsMs: expiresMs === null || !isMember ? null : Math.round(expiresMs - (network?.membershipMs ?? 0) / 2),
    message: isMember ? null : (trouble?.message ?? null)
  }
}

const registryView = (
  node: NodeContext,
  network: NetworkNode | undefined,
  facts: StatusFacts
): StatusView['registry'] => {
  const none = { lease: null, sinceMs: null, expiresMs: null, rttUs: null, lastHeartbeatAgeMs: null }
  if (network === undefined) return { ...none, known: 0, connected: 0, message: 'the network was not found yet' }
  const { registry, session, trouble } = network
  const counts = registryCounts(node, network)
  if (session === undefined) {
    const message = facts.role === 'root' ? 'this process is the root' : (trouble?.message ?? null)
    return { ...none, ...counts, message }
  }
  const beatAgeMs = Math.max(0, node.clock.monotonic() - session.heartbeatAt)
  return {
    lease: refOf(registry, session.peer.publicKey),
    sinceMs: wallTimeOf(node.clock, session.sinceAt),
    expiresMs: Math.round(facts.now - beatAgeMs + session.leaseMs),
    rttUs: rttUs(session.session.rttMs),
    lastHeartbeatAgeMs: wholeMs(beatAgeMs),
    ...counts,
    message: null
  }
}

const registryCounts = (
  { key }: NodeContext,
  { registry, trust }: NetworkNode
): { known: number; connected: number } => {
  const connections = connectionsOf(trust)
  let known = 0
  let connected = 0
  for (const { publicKey, role } of registry.replica.state.registries()) {
    if (!isRegistryRole(role) || Buffer.compare(publicKey, key.publicKey) === 0) continue
    known++
    if (connections.has(refOf(registry, publicKey).peerId)) connected++
  }
  return { known, connected }
}

const syncView = (network: NetworkNode | undefined, facts: StatusFacts): StatusView['sync'] => {
  if (network === undefined) {
    const nothing = { epoch: null, head: null, headHash: null, checkpointMs: null, ageMs: null, source: null }
    return { ...nothing, members: 0, records: 0, witnessed: null, provisional: null, message: null }
  }
  const { registry, sync } = network
  const { replica } = registry
  const { epoch, n, hash } = replica.head
  const source = sync?.source
  return {
    epoch,
    head: n,
    headHash: text(hash, 'base16'),
    checkpointMs: replica.checkpoint?.value.timeMs ?? null,
    ageMs: wholeMs(viewAgeMs(network)),
    source: source === undefined ? null : refOf(registry, source.publicKey),
    members: facts.network?.total ?? 0,
    records: facts.network?.records ?? 0,
    witnessed: witnessedView(registry),
    provisional: provisionalView(registry),
    message: syncMessage(network)
  }
}

const syncMessage = ({ registry, sync, caughtUp }: NetworkNode): string | null => {
  if (registry.replica.isForked) return 'the log has two histories: nothing new is followed'
  if (registry.root !== undefined) {
    const { refusal } = registry.root
    return refusal === undefined ? 'this process writes the log' : `nothing is written: ${refusal.message}`
  }
  const staged = registry.replica.staged()
  if (staged !== undefined) return 'a snapshot is being fetched'
  const pushers = sync?.subscriptions.map(({ name }) => name) ?? []
  if (pushers.length > 0) return `changes are pushed by ${pushers.join(', ')}`
  return caughtUp ? 'changes are fetched now and then' : 'nothing was fetched since the start'
}

const dnsView = (
  { resolvers, config, invites, clock }: NodeContext,
  network: NetworkNode | undefined
): StatusView['dns'] => {
  const { answer, checkedAt } = resolvers.dns
  const domain = network?.registry.genesis.value.domain ?? config.domain ?? invites.invite?.domain
  const found = answer?.kind === 'found' ? answer.addresses : []
  const failed = answer === undefined || answer.kind === 'found' ? null : answer.message
  const unasked = answer === undefined ? 'only the first dial asks, and only when nothing else is known' : null
  return {
    name: domain === undefined ? '-' : tnrName(domain),
    state: answer?.kind ?? 'not-asked',
    addresses: found.map(({ address }) => address),
    checkedMs: checkedAt === undefined ? null : wallTimeOf(clock, checkedAt),
    ttlSeconds: found.length === 0 ? null : Math.min(...found.map(({ ttlSeconds }) => ttlSeconds)),
    port: config.bootstrap.port,
    resolvers: [...serversToAsk(config)],
    message: failed ?? unasked
  }
}

const pinholesView = ({ clock }: NodeContext, network: NetworkNode | undefined): StatusView['pinholes'] =>
  (network?.pinholes?.all ?? []).map(({ address, port, router, state, message, untilAt }) => ({
    address: `[${address}]:${port}`,
    router: router.address,
    state,
    message,
    expiresMs: state === 'open' ? Math.round(clock.now() + untilAt - momentOf(clock)) : null
  }))

/** Numbers of open connections. */
export const connectionCounts = (network: NetworkNode | undefined): StatusView['connections'] => {
  if (!isListening(network)) return { members: 0, strangers: 0, inbound: 0, outbound: 0 }
  const all = network.host.getConnections()
  const inbound = all.filter(({ direction }) => direction === 'inbound').length
  return {
    members: connectionsOf(network.trust).size,
    strangers: network.trust.strangers,
    inbound,
    outbound: all.length - inbound
  }
}
