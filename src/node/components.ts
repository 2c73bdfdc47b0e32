import type { Connection } from '@libp2p/interface'
import { publicKeyOf } from '../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../identity/role.ts'
import { ConnectionTrust } from '../protocols/engine/connection-trust.ts'
import type { ProtocolLimits } from '../protocols/engine/limits.ts'
import { openRegisterSession } from '../protocols/register/index.ts'
import { SyncCursors } from '../protocols/sync/index.ts'
import { inBackground } from '../runtime/background.ts'
import type { Running, Supervisor } from '../runtime/supervisor.ts'
import { backoffOf } from './backoff.ts'
import type { Config } from './config/schema.ts'
import { type Greeting, sayHelloAgain } from './follow-registry.ts'
import { Gater } from './host/gater.ts'
import type { Host } from './host/host.ts'
import { KnownPrefixes } from './host/known-prefixes.ts'
import { limitsFor } from './host/open-files.ts'
import type { Traffic } from './host/traffic.ts'
import type { NetworkNodeInit, NetworkParts } from './network-parts.ts'
import { Connector } from './peers/connector.ts'
import { memberTargets } from './peers/member-targets.ts'
import { PingMonitor } from './peers/ping-monitor.ts'
import { ReachabilityMonitor } from './peers/reachability.ts'
import { CheckpointWatch } from './replication/checkpoint-watch.ts'
import { Replicator } from './replication/replicator.ts'
import { tellLie, tellStill } from './replication/source-alarms.ts'
import { Staleness } from './replication/staleness.ts'
import { SelfPublisher } from './self/publisher.ts'
import type { SelfChange } from './self/record.ts'
import { makeMembership } from './session/join-and-renew.ts'
import { LeaseClient } from './session/lease-client.ts'
import { betterRegistry, findRegistry } from './session/registry-finder.ts'
import { RootForwarder } from './session/root-forwarder.ts'
import type { LeaseClientInit } from './session/types.ts'

/** Fraction of the pull interval after which a checkpoint has reached every connected node; the next one comes within two intervals. */
const settledPart = 0.75

/** Knows which connections are of members. */
export const makeTrust = ({ registry, clock, logger }: NetworkNodeInit, limits: ProtocolLimits): ConnectionTrust => {
  const { strangers, hello } = limits
  const isRevoked = (publicKey: Uint8Array): boolean => registry.replica.state.isRevoked(publicKey)
  return new ConnectionTrust({ limits: strangers, settleMs: hello.settleMs, isRevoked, clock, logger })
}

/** Lets connections in, or not; a /64 is known from when a member proved itself there. */
export const makeGater = (
  { config, registry, logger }: NetworkNodeInit,
  trust: ConnectionTrust,
  traffic: Traffic
): Gater => {
  const prefixes = new KnownPrefixes(registry)
  trust.onMember(({ remoteAddr, remotePeer }) => prefixes.seen(remotePeer.toString(), remoteAddr.toString()))
  return new Gater({
    limits: limitsFor(config, logger),
    logger,
    isRevoked: (peerId) => registry.replica.state.isRevoked(publicKeyOf(peerId)),
    knownPrefix: (prefix) => prefixes.has(prefix),
    culprits: trust.culprits,
    onUpgraded: (peerId, connection) => traffic.add(peerId, connection)
  })
}

/** Looks at checkpoints that others show. */
export const makeCheckpointWatch = (
  { registry, logger, onChange }: NetworkNodeInit,
  sync: () => Replicator | undefined
): CheckpointWatch =>
  new CheckpointWatch({
    replica: registry.replica,
    logger,
    sync,
    onFailed: (source, error) => tellLie(registry, source, error),
    onHeard: onChange
  })

/** Sees to it that others hold the present record of this node. */
export const makePublisher = (init: NetworkNodeInit, session: () => LeaseClient | undefined): SelfPublisher =>
  new SelfPublisher({
    ...init,
    // A root that was restored has signed newer records than it knows of: it waits for somebody who shows them.
    mayPublish: () =>
      session()?.view !== undefined || (init.config.role === 'root' && init.registry.restored === undefined),
    put: async () => await session()?.put()
  })

/** The way of requests to the root. */
export const makeRootForwarder = (init: NetworkNodeInit): RootForwarder => new RootForwarder(init)

/** Keeps the lease of a node at a registry. */
export const makeLeaseClient = (
  { config, registry, key, clock, logger, candidates, instance, invite, mayJoin }: NetworkNodeInit,
  network: NetworkParts,
  host: Host,
  hooks: Pick<LeaseClientInit, 'connected' | 'onRegistered' | 'onLost' | 'onDuplicate' | 'onTrouble'>
): LeaseClient => {
  const { limits, trust, gater, selfRecord } = network
  const isSilent = (connection: Connection): boolean => network.pingMonitor?.isSilent(connection) ?? false
  const finder = { config, registry, self: key.publicKey, trust, host, gater, candidates, isSilent }
  return new LeaseClient({
    ...hooks,
    find: async (except, signal) => await findRegistry(finder, except, signal),
    open: async (connection, signal) => await openRegisterSession(connection, { limits, clock, signal }),
    better: (than) => betterRegistry(finder, than),
    membership: makeMembership({ config, registry, key, clock, invite, mayJoin }),
    selfRecord,
    isRestored: () => registry.restored !== undefined,
    instance,
    clock,
    logger,
    // Whoever holds this lease may hold those of all.
    backoff: { ...backoffOf(config), others: () => registry.replica.state.memberCount },
    heartbeat: config.heartbeat,
    checkpoint: () => registry.replica.checkpoint?.bytes,
    onUnanswered: (connection) =>
      inBackground(network.pingMonitor?.doubt(connection), 'pinging an unanswering registry'),
    onCheckpoint: (checkpoint) =>
      inBackground(network.heads.shown(checkpoint, network.session?.peer.publicKey), 'looking at a shown checkpoint')
  })
}

/** Keeps the replica of a node up to date. */
export const makeReplicator = (
  { config, registry, key, clock, logger, services }: NetworkNodeInit,
  network: NetworkParts,
  onCaughtUp: () => void
): Replicator =>
  new Replicator({
    target: registry,
    trust: network.trust,
    limits: network.limits,
    cursors: new SyncCursors(registry.replica.events),
    clock,
    logger,
    backoff: backoffOf(config),
    records: config.replication.enabled,
    intervalMs: () => pullIntervalMs(config.replication.intervalMs, registry.replica.state.memberCount),
    isRegistry: isRegistryRole(config.role),
    // Whoever knows of no revoke of this node may know of a new epoch that made it void.
    allowed: () =>
      network.isMember() || network.session !== undefined || registry.replica.state.isRevoked(key.publicKey),
    lease: () => network.session?.peer.publicKey,
    lag: new Staleness({
      clock,
      graceMs: config.replication.intervalMs * settledPart,
      answeringForMs: (connection) => network.pingMonitor?.answeringForMs(connection) ?? 0,
      onBehind: (source, shown) => tellStill(registry, source, shown)
    }),
    onFailed: (source, error) => {
      services.part('sync').failed(error)
      tellLie(registry, source, error)
    },
    onUnanswered: (connection) => inBackground(network.pingMonitor?.doubt(connection), 'pinging an unanswering source'),
    onCaughtUp: () => {
      services.part('sync').ok()
      onCaughtUp()
    }
  })

/** Keeps the connections of a node to other members. */
export const makeConnector = (
  { config, registry, key, clock, logger }: NetworkNodeInit,
  network: NetworkParts,
  host: Host
): Connector =>
  new Connector({
    libp2p: host,
    hello: host.services.hello,
    trust: network.trust,
    self: key.publicKey,
    isRegistry: isRegistryRole(config.role),
    clock,
    logger,
    backoff: backoffOf(config),
    // A reload changes these.
    get wanted() {
      return config.limits.peersWanted
    },
    get most() {
      return config.limits.peersMax
    },
    get dialTimeoutMs() {
      return config.bootstrap.dialTimeoutMs
    },
    targets: (more) => (network.isMember() ? memberTargets(registry, key.publicKey, more) : []),
    findMore: async (publicKey, signal) => (await host.services.kad?.findRecord(publicKey, { signal }))?.value.addrs,
    onConnected: (publicKey, address) => registry.liveness.connected(publicKey, address),
    onFailed: (publicKey, error) => registry.liveness.failed(publicKey, error)
  })

/** Pings connected members; a connection that answers nothing any more is closed, and the member dialled anew. */
export const makePingMonitor = ({ config, logger }: NetworkNodeInit, { trust, traffic }: NetworkParts): PingMonitor =>
  new PingMonitor({
    trust,
    silentMs: config.limits.peerTimeoutMs,
    received: (peer) => traffic.of(peer)?.bytesIn ?? 0,
    onSilent: (connection) => {
      const peer = connection.remotePeer.toString()
      logger.info(
        { peer },
        'a connection to a member answers nothing any more; it is closed, and the member dialled anew'
      )
      connection.abort(new Error('no answer to pings'))
    }
  })

const gossipLookMs = 10_000

/** Looks whether this node's gossip is heard by somebody, when there is somebody who could hear it. */
export const watchGossip = (services: Supervisor, { services: { announce } }: Host, trust: ConnectionTrust): void => {
  if (announce === undefined) return
  const look = (): void => {
    const isAlone = ![...trust.members()].some(({ member }) => servesRegistry(member.role))
    if (!isAlone && announce.meshSize() === 0) throw new Error('no connected member hears the gossip of this node')
  }
  services.run('gossip', { everyMs: gossipLookMs, round: look })
}

/** Four of them before a clock that was heard is forgotten. */
const clocksEveryMs = 6 * 3_600_000

/** Says hello anew on connections that last, so that both sides hear each other's clocks and heads for as long as they do. */
export const hearClocks = (services: Supervisor, greeting: Greeting, everyMs = clocksEveryMs): Running =>
  services.run('hello', { everyMs, firstMs: Math.random() * everyMs, round: () => sayHelloAgain(greeting) })

/** Finds out whether others can dial this node, and says so in its record. */
export const makeReachability = (
  { config, registry, logger }: NetworkNodeInit,
  network: NetworkParts,
  publish: (change: SelfChange) => Promise<void>
): ReachabilityMonitor =>
  new ReachabilityMonitor({
    networkId: registry.networkId,
    role: config.role,
    trust: network.trust,
    limits: network.limits,
    logger,
    announced: () => network.announced,
    current: () => (network.isMember() ? network.selfRecord.current?.value.reach : undefined),
    publish: async (reach) => await publish({ reach })
  })

/** From 1,000 members on the pulls of all together stay as many as they are. */
export const pullIntervalMs = (leastMs: number, members: number): number => Math.max(leastMs, members * 60)

/** The heartbeats of a shorter interval are as many more: twice what it asks for. */
export const protocolLimits = ({ protocols, heartbeat, replication }: Config): ProtocolLimits => {
  const perMs = Math.min(protocols.register.heartbeats.perMs, heartbeat.intervalMs / 2)
  return {
    ...protocols,
    register: { ...protocols.register, heartbeats: { ...protocols.register.heartbeats, perMs } },
    sync: { ...protocols.sync, progressMs: replication.syncTimeoutMs }
  }
}
