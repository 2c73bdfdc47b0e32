import { gossipsub } from '@libp2p/gossipsub'
import { ping } from '@libp2p/ping'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { scopeOf } from '../../address/ipv6.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import { isRegistryRole, servesRegistry } from '../../identity/role.ts'
import { adminServer } from '../../protocols/admin/index.ts'
import { announce, gossipOptions, topics } from '../../protocols/announce/index.ts'
import { blocksServer } from '../../protocols/blocks/index.ts'
import { hostGuard } from '../../protocols/engine/host-guard.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { membersOnly } from '../../protocols/engine/trust/members-only.ts'
import { forwardServer } from '../../protocols/forward/index.ts'
import { hello, registryHello } from '../../protocols/hello/index.ts'
import { kad } from '../../protocols/kad/index.ts'
import { lookupServer } from '../../protocols/lookup/index.ts'
import { probeServer } from '../../protocols/probe/index.ts'
import { register, registryBackend } from '../../protocols/register/index.ts'
import { relayServer, relayTransport } from '../../protocols/relay/index.ts'
import { syncServer } from '../../protocols/sync/index.ts'
import { mayRelay } from '../../registry/objects/policy/relaying.ts'
import { inBackground } from '../../runtime/background.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Config } from '../config/schema.ts'
import type { NetworkParts } from '../network-parts.ts'
import type { NodeParts } from '../node-parts.ts'
import { carryOut } from '../root/carry-out.ts'
import { OrderRelay } from '../root/order-relay.ts'
import type { Host, HostServices } from './host-services.ts'
import { libp2pOptions } from './libp2p.ts'

export interface HostInit {
  node: NodeParts
  network: NetworkParts
}

/** Makes the libp2p host and starts it on that port. */
export async function startAt(init: HostInit, port: number): Promise<Host> {
  const host = await createLibp2p({ ...hostOptions(init, port), start: false })
  const { clocks, heads } = init.network
  // Before it listens: the first connections come at once.
  host.services.hello.events.addEventListener('proven', ({ detail }) => {
    clocks.heard(detail.peerId.toString(), detail.hello.timeMs)
    inBackground(heads.proven(detail), 'looking at what a hello proved')
  })
  try {
    await host.start()
    return host
  } catch (error) {
    await Promise.resolve(host.stop()).catch(() => {})
    throw error
  }
}

function hostOptions(init: HostInit, port: number): Libp2pOptions<HostServices> {
  const { config, key, software, logging, metrics, program } = init.node
  const { gater, self, dials } = init.network
  return libp2pOptions<HostServices>({
    privateKey: key.toLibp2p(),
    listen: [`/ip6/${config.listen.host}/tcp/${port}`],
    announce: () => self.announced,
    gater,
    dials,
    relayed: relayTransport({
      ...commonOf(init),
      isReservedAt: (peerId) => init.network.relays?.isReservedAt(peerId) === true
    }),
    link: config.link === 'on',
    logger: logging.libp2p,
    metrics: program.metrics ?? metrics?.forHost(),
    limits: {
      dialTimeoutMs: config.bootstrap.dialTimeoutMs,
      memberUpgradeTimeoutMs: config.limits.memberUpgradeTimeoutMs
    },
    version: software,
    services: {
      ...programServices(init),
      ...memberServices(init),
      ...(config.gossip.enabled && gossipServices(init)),
      ...(config.dht.enabled && { kad: dhtService(init) }),
      ...(servesRegistry(config.role) && registryServices(init)),
      ...(relays(config) && { relay: relayService(init) })
    }
  })
}

const commonOf = ({ node, network }: HostInit) => ({
  trust: network.trust,
  limits: network.limits,
  clock: node.clock,
  logger: node.logging.logger
})

/** Services of every member, whatever its role. */
function memberServices(init: HostInit) {
  const { key, software, invites, forwards } = init.node
  const { registry, stores } = init.network
  const common = commonOf(init)
  const { trust, limits, clock } = common
  const source = registryHello(registry, {
    publicKey: key.publicKey,
    software,
    maxDelegations: limits.hello.delegations,
    invitedIn: () => invites.invite?.grant.epoch,
    clock,
    onTime: (publicKey, timeMs) => registry.root?.clock.heard(publicKey, timeMs)
  })
  const streams = { maxInboundStreams: limits.ping.streams, maxOutboundStreams: limits.ping.streams }
  return {
    guard: hostGuard(common),
    hello: hello({ ...common, source }),
    blocks: blocksServer({ ...common, networkId: registry.networkId, readers: [registry.documents.bytes, stores] }),
    forward: forwardServer({ ...common, ...forwards.served(registry) }),
    ping: membersOnly(trust, ping(streams), { bounds: { section: 'ping', ...limits.ping } })
  }
}

function gossipServices(init: HostInit) {
  const { config, program } = init.node
  const { registry, heads } = init.network
  const { trust, limits, clock, logger } = commonOf(init)
  const isRegistry = isRegistryRole(config.role)
  return {
    pubsub: membersOnly(trust, gossipsub(gossipOptions(registry.networkId, limits.announce, program.topics.names)), {
      direct: true,
      bounds: { section: 'announce', ...announceBounds(limits) },
      ...(isRegistry && { most: limits.announce.circle })
    }),
    announce: announce({
      source: registry,
      clock,
      logger,
      culprits: trust.culprits,
      isRegistry,
      onNewerHead: ({ bytes }) => heads.look(bytes),
      limits: limits.announce
    }),
    topics: topics({
      networkId: registry.networkId,
      names: program.topics.names,
      limits: limits.announce,
      clock,
      culprits: trust.culprits,
      isMember: (publicKey) => registry.replica.isMember(publicKey),
      onMessage: (message) => program.topics.deliver(message, registry)
    })
  }
}

/** Services of the program around this node: they see members alone. */
const programServices = ({ node: { program }, network: { trust } }: HostInit) =>
  Object.fromEntries(Object.entries(program.services).map(([name, factory]) => [name, membersOnly(trust, factory)]))

const dhtService = ({ node: { config, logging }, network: { registry, trust, limits } }: HostInit) =>
  kad({ source: registry, trust, logger: logging.logger, server: servesDht(config), limits: limits.kad })

function registryServices(init: HostInit) {
  const { network } = init
  const { registry, heads } = network
  const { networkId } = registry
  const common = commonOf(init)
  const relay = new OrderRelay(network)
  return {
    register: register({
      ...common,
      backend: registryBackend(registry),
      silentMs: registry.liveness.timings.leaseMs,
      onCheckpoint: (checkpoint, from, words) => heads.look(checkpoint, from, words)
    }),
    sync: syncServer({ ...common, source: registry }),
    lookup: lookupServer({ ...common, source: registry }),
    admin: adminServer({
      ...common,
      networkId,
      carryOut: async (call, from, options) => {
        // A word that it was brought already is not sent on.
        if (!options.forwarded) relay.judge(call, from)
        return await carryOut(network, call, from, options)
      }
    }),
    probe: probeServer({
      ...common,
      networkId,
      addrsOf: (publicKey) =>
        registry.replica.isMember(publicKey) ? (registry.records.read(publicKey)?.addrs ?? []) : [],
      others: {
        isRegistry: (publicKey) => isRegistryRole(registry.replica.state.member(publicKey)?.role ?? 'external'),
        dialsLoopback: () => network.self.announced.some((addr) => scopeOf(parseAddr(addr)?.ip ?? '') === 'loopback'),
        told: (publicKey) => network.matrix.words.told(publicKey)
      }
    })
  }
}

const relays = ({ relay, role }: Config): boolean =>
  relay.serve === 'auto' ? isRegistryRole(role) : relay.serve === 'on'

const relayService = (init: HostInit) => {
  const { config } = init.node
  const { registry } = init.network
  return relayServer({
    ...commonOf(init),
    mayServe: () => mayRelay(registry.replica.state.policyRow.policy, config.role)
  })
}

/** gossipsub decodes what its own limit allows; a frame beyond it ends gossip on its connection, either way. */
const announceBounds = ({ announce: { inbound, inboundBytes, leastBytes } }: ProtocolLimits) => ({
  inbound,
  leastBytes,
  frameBytes: inboundBytes
})

const servesDht = ({ dht, role }: Config): boolean =>
  dht.server === 'auto' ? isRegistryRole(role) : dht.server === 'always'

/** libp2p waits 500 ms for each connection; what hangs beyond that must not keep the process. */
const stopMs = 2_500

export async function stopHost(host: Host): Promise<void> {
  await Promise.race([host.stop(), sleep(stopMs)])
}
