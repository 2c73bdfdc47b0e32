import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import type { Libp2p, Startable } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import type { SigningKey } from '../../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../../identity/role.ts'
import { type AdminServerInit, adminServer } from '../../protocols/admin/index.ts'
import { type Announce, type AnnounceInit, announce, gossipOptions } from '../../protocols/announce/index.ts'
import type { ConnectionTrust } from '../../protocols/engine/connection-trust.ts'
import { hostGuard } from '../../protocols/engine/host-guard.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { membersOnly } from '../../protocols/engine/members-only.ts'
import { type Hello, type HelloProven, hello, registryHello } from '../../protocols/hello/index.ts'
import { type Kad, kad } from '../../protocols/kad/index.ts'
import { lookupServer } from '../../protocols/lookup/index.ts'
import { probeServer } from '../../protocols/probe/index.ts'
import { type Register, register, registryBackend } from '../../protocols/register/index.ts'
import { type SyncServer, syncServer } from '../../protocols/sync/index.ts'
import type { Invite } from '../../registry/objects/invite.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'
import type { Config } from '../config/schema.ts'
import type { Gater } from './gater.ts'
import { type BaseServices, type LibraryOutlets, libp2pOptions } from './libp2p.ts'

/** The services of a member's libp2p host. Those of a registry are there when the role serves it. */
export type HostServices = BaseServices & {
  guard: object
  hello: Hello
  ping: Ping
  pubsub?: GossipSub
  announce?: Announce
  kad?: Kad
  register?: Register
  sync?: SyncServer
  lookup?: Startable
  probe?: Startable
  admin?: Startable
}

export type Host = Libp2p<HostServices>

export interface HostInit {
  config: Config
  key: SigningKey
  software: string
  registry: Registry
  trust: ConnectionTrust
  gater: Gater
  limits: ProtocolLimits
  clock: Clock
  logger: Logger
  library: LibraryOutlets
  services: Supervisor
  announced: () => readonly string[]
  /** That this node joins with. */
  invite: () => Invite | undefined
  announce: Pick<AnnounceInit['self'], 'refresh'> & Pick<AnnounceInit, 'onNewerHead'>
  /** A member showed a checkpoint that may be newer than ours. */
  onCheckpoint: (checkpoint: Uint8Array, from: Uint8Array) => void
  /** Carries out what an operator has signed. */
  carryOut: AdminServerInit['carryOut']
  /** A member proved itself on a connection. */
  onProven: (proven: HelloProven) => void
  /** Time for which an address that is not there is waited for, and by root and secondary a port that is taken. */
  portWaitMs?: number | undefined
}

/** Makes the libp2p host and starts it on that port. */
export async function startAt(init: HostInit, port: number): Promise<Host> {
  const host = await createLibp2p({ ...hostOptions(init, port), start: false })
  // Before it listens: the first connections come at once.
  host.services.hello.events.addEventListener('proven', ({ detail }) => init.onProven(detail))
  try {
    await host.start()
    return host
  } catch (error) {
    await Promise.resolve(host.stop()).catch(() => {})
    throw error
  }
}

function hostOptions(init: HostInit, port: number): Libp2pOptions<HostServices> {
  const { config } = init
  return libp2pOptions<HostServices>({
    privateKey: init.key.toLibp2p(),
    listen: [`/ip6/${config.listen.host}/tcp/${port}`],
    announce: init.announced,
    gater: init.gater,
    ...init.library,
    limits: {
      dialTimeoutMs: config.bootstrap.dialTimeoutMs,
      memberUpgradeTimeoutMs: config.limits.memberUpgradeTimeoutMs
    },
    version: init.software,
    services: {
      ...memberServices(init),
      ...(config.gossip.enabled && gossipServices(init)),
      ...(config.dht.enabled && { kad: dhtService(init) }),
      ...(servesRegistry(config.role) && registryServices(init))
    }
  })
}

const commonOf = ({ trust, limits, clock, logger }: HostInit) => ({ trust, limits, clock, logger })

/** Services of every member, whatever its role. */
function memberServices(init: HostInit) {
  const { registry, trust, limits, clock } = init
  const common = commonOf(init)
  const source = registryHello(registry, {
    publicKey: init.key.publicKey,
    software: init.software,
    maxDelegations: limits.hello.delegations,
    invitedIn: () => init.invite()?.grant.epoch,
    clock,
    onTime: (publicKey, timeMs) => registry.root?.clock.heard(publicKey, timeMs)
  })
  const streams = { maxInboundStreams: limits.ping.streams, maxOutboundStreams: limits.ping.streams }
  return {
    guard: hostGuard(common),
    hello: hello({ ...common, source }),
    ping: membersOnly(trust, ping(streams), { bounds: { section: 'ping', ...limits.ping } })
  }
}

function gossipServices({ config, registry, trust, limits, clock, logger, announce: self }: HostInit) {
  const isRegistry = isRegistryRole(config.role)
  return {
    pubsub: membersOnly(trust, gossipsub(gossipOptions(registry.networkId, limits.announce)), {
      bounds: { section: 'announce', ...announceBounds(limits) },
      ...(isRegistry && { most: limits.announce.circle })
    }),
    announce: announce({
      source: registry,
      clock,
      logger,
      culprits: trust.culprits,
      self: { isRegistry, refreshMs: config.gossip.refreshMs, refresh: self.refresh },
      onNewerHead: self.onNewerHead,
      limits: limits.announce
    })
  }
}

const dhtService = ({ config, registry, trust, limits, logger }: HostInit) =>
  kad({ source: registry, trust, logger, server: servesDht(config), limits: limits.kad })

function registryServices(init: HostInit) {
  const { registry } = init
  const { networkId } = registry
  const common = commonOf(init)
  return {
    register: register({
      ...common,
      backend: registryBackend(registry),
      silentMs: registry.liveness.timings.leaseMs,
      onCheckpoint: init.onCheckpoint
    }),
    sync: syncServer({ ...common, source: registry }),
    lookup: lookupServer({ ...common, source: registry }),
    admin: adminServer({ ...common, networkId, carryOut: init.carryOut }),
    probe: probeServer({
      ...common,
      networkId,
      addrsOf: (publicKey) => registry.records.read(publicKey)?.addrs ?? []
    })
  }
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
