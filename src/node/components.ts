import type { Connection, PeerId } from '@libp2p/interface'
import { publicKeyOf } from '../identity/keys.ts'
import { isRegistryRole } from '../identity/role.ts'
import { BlockFetcher } from '../protocols/blocks/index.ts'
import type { ProtocolLimits } from '../protocols/engine/limits.ts'
import { ConnectionTrust } from '../protocols/engine/trust/connection-trust.ts'
import { mayRelay } from '../registry/objects/policy/relaying.ts'
import type { Registry } from '../registry/registry.ts'
import { inBackground } from '../runtime/background.ts'
import { ClockWatch } from './clock-watch.ts'
import { backoffOf } from './config/backoff.ts'
import { dataFiles } from './config/paths.ts'
import { protocolLimits } from './config/protocol-limits.ts'
import { DocumentKeeper } from './documents/document-keeper.ts'
import { hearClocks } from './follow-registry.ts'
import { DialHistory } from './host/dial-history.ts'
import { Gater } from './host/gater.ts'
import type { Host } from './host/host-services.ts'
import { keepGossip } from './host/keep-gossip.ts'
import { KnownPrefixes } from './host/known-prefixes.ts'
import { limitsFor } from './host/open-files.ts'
import { Traffic } from './host/traffic.ts'
import { Housekeeping } from './housekeeping.ts'
import { LinkDialler } from './link/link-dialler.ts'
import { Matrix } from './matrix/matrix.ts'
import { MatrixProber } from './matrix/matrix-prober.ts'
import { NameResolver } from './names/resolver.ts'
import type { HostedParts, NetworkParts } from './network-parts.ts'
import type { NodeParts } from './node-parts.ts'
import { Connector } from './peers/connector.ts'
import { MemberAddresses } from './peers/member-targets.ts'
import { PeerClocks } from './peers/peer-clocks.ts'
import { PingMonitor } from './peers/ping-monitor.ts'
import { ReachabilityMonitor } from './peers/reachability.ts'
import { RecordOrigins } from './peers/record-origins.ts'
import { PinholeKeeper, pinholeNode } from './pinhole/pinhole-keeper.ts'
import type { Reactions } from './reactions.ts'
import { CircuitKeeper } from './relay/circuit-keeper.ts'
import { RelayClient, type RelayUse } from './relay/relay-client.ts'
import { CheckpointWatch } from './replication/checkpoint-watch.ts'
import { Replicator } from './replication/replicator.ts'
import { tellLie, tellStill } from './replication/source-alarms.ts'
import { Staleness } from './replication/staleness.ts'
import { RootController } from './root/root-controller.ts'
import { connectionTo } from './root/way-to-root.ts'
import { SelfPublisher } from './self/publisher.ts'
import { watchTnr } from './self/tnr-watch.ts'
import { AnnouncedServices } from './services/announced-services.ts'
import { makeMembership } from './session/join-and-renew.ts'
import { LeaseClient } from './session/lease-client.ts'
import { RegistryFinder } from './session/registry-finder.ts'
import { RootForwarder } from './session/root-forwarder.ts'
import { SharedFolders } from './stores/shared-folders.ts'
import { StoreKeeper } from './stores/store-keeper.ts'
import { Stores } from './stores/stores.ts'
import { WitnessService } from './witness/witness-service.ts'

/** Fraction of the pull interval after which a checkpoint has reached every connected node; the next one comes within two intervals. */
const settledPart = 0.75

/** Makes the services of a node, whose record follows them. */
export const announcedServices = (
  node: Pick<NodeParts, 'config' | 'clock' | 'logging' | 'changed'> & {
    readonly network: { publishSelf(): Promise<void> } | undefined
    readonly isStopping: boolean
  }
): AnnouncedServices =>
  new AnnouncedServices({
    configured: () => node.config.services,
    file: dataFiles(node.config.paths.data).services,
    clock: node.clock,
    logger: node.logging.logger,
    onChange: () => {
      if (node.isStopping) return
      node.changed()
      inBackground(node.network?.publishSelf(), 'announcing changed services')
    }
  })

/** Makes what the host of a node is made with. `network` is the node that gets these parts: it is asked later. */
export function hostedParts(node: NodeParts, registry: Registry, network: NetworkParts): HostedParts {
  const { config, clock } = node
  const { logger } = node.logging
  const limits = protocolLimits(config)
  const isRevoked = (publicKey: Uint8Array): boolean => registry.replica.state.isRevoked(publicKey)
  const { strangers, hello } = limits
  const trust = new ConnectionTrust({ limits: strangers, settleMs: hello.settleMs, isRevoked, clock, logger })
  const traffic = new Traffic()
  return {
    registry,
    limits,
    trust,
    traffic,
    dials: new DialHistory(),
    origins: new RecordOrigins(),
    gater: makeGater(node, registry, trust, traffic),
    heads: new CheckpointWatch({
      replica: registry.replica,
      cosignatures: registry.cosignatures,
      clock,
      logger,
      sync: () => network.sync,
      onFailed: (source, error) => tellLie(registry, source, error),
      onHeard: () => node.changed()
    }),
    clocks: new PeerClocks(clock),
    self: makeSelf(node, registry, network),
    matrix: makeMatrix(node, registry, trust, limits),
    forwarder: new RootForwarder({ registry, config, logger }),
    stores: makeStores(node, registry)
  }
}

/** Publishes the own record. */
const makeSelf = (node: NodeParts, registry: Registry, network: NetworkParts): SelfPublisher =>
  new SelfPublisher({
    config: node.config,
    key: node.key,
    says: {
      software: node.software,
      offers: () => ({
        ...node.announced.said(),
        relayKeys: network.relays?.relays ?? [],
        stores: network.stores.announced()
      })
    },
    registry,
    clock: node.clock,
    logger: node.logging.logger,
    // A root that was restored has signed newer records than it knows of: it waits for somebody who shows them.
    mayPublish: () => network.session !== undefined || (node.config.role === 'root' && registry.restored === undefined),
    tell: async (record) => await node.resolvers.register(record)
  })

/** Folders of content that are shared, followed or kept here. */
const makeStores = ({ key, config, clock, logging: { logger } }: NodeParts, { networkId }: Registry): Stores =>
  new Stores({ folder: dataFiles(config.paths.data).stores, networkId, key, config: config.stores, clock, logger })

/** Words of members about each other's addresses. */
const makeMatrix = (
  { key, config, clock }: NodeParts,
  { networkId }: Registry,
  trust: ConnectionTrust,
  limits: ProtocolLimits
): Matrix => new Matrix({ networkId, self: key.publicKey, asks: isRegistryRole(config.role), trust, limits, clock })

/** A /64 is known from when a member proved itself there. */
function makeGater(
  { config, logging }: NodeParts,
  registry: Registry,
  trust: ConnectionTrust,
  traffic: Traffic
): Gater {
  const prefixes = new KnownPrefixes(registry)
  trust.onMember(({ remoteAddr, remotePeer }) => prefixes.seen(remotePeer.toString(), remoteAddr.toString()))
  return new Gater({
    limits: limitsFor(config, logging.logger),
    logger: logging.logger,
    isRevoked: (peerId) => registry.replica.state.isRevoked(publicKeyOf(peerId)),
    knownPrefix: (prefix) => prefixes.has(prefix),
    culprits: trust.culprits,
    mostRelayed: protocolLimits(config).relay.inbound,
    onUpgraded: (peerId, connection) => traffic.add(peerId, connection)
  })
}

export type RunningParts = ReturnType<typeof runningParts>

/** Makes what runs on top of the host of a node, in the order in which it is started. */
export const runningParts = (node: NodeParts, network: NetworkParts, host: Host, owner: Reactions) => {
  const exchange = makeExchange(node, network, host)
  const { logger } = node.logging
  const folders = new SharedFolders({ stores: network.stores, logger, onRead: () => stores.wake() })
  const stores: StoreKeeper = new StoreKeeper({ node, network, exchange, folders })
  return {
    sync: makeReplicator(node, network, owner),
    peers: makeConnector(node, network, host),
    pingMonitor: makePingMonitor(node, network),
    relays: makeRelayClient(node, network, host),
    circuits: new CircuitKeeper({ network, self: node.key.publicKey, clock: node.clock, logger }),
    lease: makeLeaseClient(node, network, host, owner),
    reach: makeReachability(node, network),
    matrix: makeMatrixProber(node, network, host),
    witness: new WitnessService({ node, network, host }),
    documents: new DocumentKeeper({ carrier: network, exchange, trust: network.trust }),
    names: makeNameResolver(node, network),
    link: node.link && new LinkDialler({ node, network, host, link: node.link }),
    pinholes: node.config.pinholes.ask === 'off' ? undefined : new PinholeKeeper(pinholeNode(node, network)),
    announced: node.announced,
    folders,
    stores
  }
}

/** Starts them, and the looks that need no part of their own. */
export function startParts(parts: RunningParts, node: NodeParts, network: NetworkParts, host: Host): void {
  const { services, logging, config, resolvers } = node
  const { trust, registry } = network
  for (const part of Object.values(parts)) part?.start(services)
  keepGossip(node, network, host)
  watchTnr(services, { config, dns: resolvers.dns, domain: registry.genesis.value.domain })
  hearClocks(services, { hello: host.services.hello, trust, logger: logging.logger })
}

/** Keeps the replica up to date. */
function makeReplicator({ config, clock, logging }: NodeParts, network: NetworkParts, owner: Reactions): Replicator {
  const { registry, trust, limits } = network
  const lag = new Staleness({
    clock,
    graceMs: config.replication.intervalMs * settledPart,
    answeringForMs: (connection) => network.pingMonitor?.answeringForMs(connection) ?? 0,
    onBehind: (source, shown) => tellStill(registry, source, shown)
  })
  return new Replicator({ target: registry, trust, limits, config, owner, lag, clock, logger: logging.logger })
}

/** Keeps the connections to other members. */
function makeConnector(
  { config, key, clock, logging, resolvers }: NodeParts,
  network: NetworkParts,
  host: Host
): Connector {
  const { hello } = host.services
  const { registry, trust } = network
  const self = key.publicKey
  const book = new MemberAddresses({ registry, self, isMember: () => network.isMember(), resolvers })
  return new Connector({ libp2p: host, hello, trust, self, config, book, clock, logger: logging.logger })
}

/** Pings connected members; a connection that answers nothing any more is closed, and the member dialled anew. */
function makePingMonitor({ config, logging }: NodeParts, { trust, traffic }: NetworkParts): PingMonitor {
  return new PingMonitor({
    trust,
    silentMs: config.limits.peerTimeoutMs,
    received: (peer) => traffic.of(peer)?.bytesIn ?? 0,
    onSilent: (connection) => {
      const peer = connection.remotePeer.toString()
      logging.logger.info(
        { peer },
        'a connection to a member answers nothing any more; it is closed, and the member dialled anew'
      )
      connection.abort(new Error('no answer to pings'))
    }
  })
}

/** Keeps the lease at a registry. */
function makeLeaseClient(node: NodeParts, network: NetworkParts, host: Host, owner: Reactions): LeaseClient {
  const { config, clock, rotation } = node
  const { registry } = network
  return new LeaseClient({
    registries: new RegistryFinder({ node, network, host }),
    membership: makeMembership({ node, registry, mayJoin: () => !rotation.isTrial && !node.isLeaving }),
    selfRecord: network.self.record,
    owner,
    clock,
    logger: node.logging.logger,
    // Whoever holds this lease may hold those of all.
    backoff: { ...backoffOf(config), others: () => registry.replica.state.memberCount },
    heartbeat: config.heartbeat
  })
}

/** Finds out whether others can dial this node, and says so in its record. */
function makeReachability({ config, logging }: NodeParts, network: NetworkParts): ReachabilityMonitor {
  const { registry, trust, limits, self } = network
  return new ReachabilityMonitor({
    networkId: registry.networkId,
    role: config.role,
    trust,
    limits,
    logger: logging.logger,
    announced: () => self.announced,
    current: () => (network.isMember() ? self.record.current?.value.reach : undefined),
    publish: async (reach) => {
      await self.publish({ reach })
      network.relays?.look()
    }
  })
}

/** Time for others to show that they can dial this node: many are rarely asked to, and none may be there to ask. */
const unknownMs = 20_000

/** Has this node reached through relays where the configuration says so, or nobody gets through to it. */
function makeRelayClient({ config, clock, logging }: NodeParts, network: NetworkParts, host: Host): RelayClient {
  const { registry, trust, limits, self } = network
  const startedAt = clock.monotonic()
  const use: RelayUse = {
    wantsRelays: () => {
      if (!network.isMember() || config.relay.use !== 'auto') return network.isMember() && config.relay.use === 'on'
      const reach = self.record.current?.value.reach
      const isUnreached = reach === 'unknown' && clock.monotonic() - startedAt > unknownMs
      return reach === 'outbound' || (isUnreached && !isRegistryRole(config.role))
    },
    mayRelay: (role) => mayRelay(registry.replica.state.policyRow.policy, role),
    protocolsOf: async (peerId) => (await host.peerStore.get(peerId).catch(() => undefined))?.protocols ?? [],
    rttMs: (peerId) => network.pingMonitor?.of(peerId),
    changed: async () => await self.ensure()
  }
  return new RelayClient({ use, trust, limits, clock, logger: logging.logger })
}

/** Has members probed by others, where this node is a registry. */
function makeMatrixProber({ config, key, clock, logging }: NodeParts, network: NetworkParts, host: Host) {
  const { registry, trust, limits, matrix } = network
  const { probe: prober } = host.services
  if (!isRegistryRole(config.role) || prober === undefined) return undefined
  const { logger } = logging
  return new MatrixProber({ registry, self: key.publicKey, trust, limits, words: matrix.words, prober, clock, logger })
}

/** Fetches blocks of documents and stores from any member. */
function makeExchange({ clock, logging: { logger } }: NodeParts, network: NetworkParts, host: Host): BlockFetcher {
  const { registry, trust, limits } = network
  const connect = (peer: PeerId, signal: AbortSignal): Promise<Connection> =>
    connectionTo(network, publicKeyOf(peer.toString()), signal)
  const { networkId } = registry
  const rttMs = (peerId: string): number | undefined => network.pingMonitor?.of(peerId)
  return new BlockFetcher({ networkId, trust, limits, rttMs, clock, logger, self: host.peerId, connect })
}

/** Answers names of members, where the configuration wants that. */
function makeNameResolver(node: NodeParts, network: NetworkParts): NameResolver | undefined {
  const { listen } = node.config.dns
  return listen === undefined ? undefined : new NameResolver(node, network, listen)
}

/** Makes what begins when a node listens: the duties of a root, and chores. `goesOn`: this process was the root a moment ago. */
export function choresOf({ config, key, clock, logging }: NodeParts, network: NetworkParts, goesOn: boolean) {
  const { registry } = network
  const { logger } = logging
  return {
    duties: new RootController({ network, config, key, logger, goesOn }),
    housekeeping: new Housekeeping({ registry, config, clock, logger }),
    clockWatch: new ClockWatch({ registry, clock, logger })
  }
}
