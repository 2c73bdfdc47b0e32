import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { peerIdText, publicKeyOf } from '../identity/keys.ts'
import { servesRegistry } from '../identity/role.ts'
import type { ProtocolLimits } from '../protocols/engine/limits.ts'
import type { ConnectionTrust } from '../protocols/engine/trust/connection-trust.ts'
import type { Registry } from '../registry/registry.ts'
import { sleep } from '../runtime/sleep.ts'
import { hostedParts, type RunningParts, runningParts, startParts } from './components.ts'
import { followRegistry } from './follow-registry.ts'
import type { DialHistory } from './host/dial-history.ts'
import type { Gater } from './host/gater.ts'
import { stopHost } from './host/host.ts'
import type { Host, HostServices } from './host/host-services.ts'
import { forgetStrangers } from './host/libp2p.ts'
import { startHost } from './host/listen.ts'
import type { Traffic } from './host/traffic.ts'
import type { Matrix } from './matrix/matrix.ts'
import type { MatrixProber } from './matrix/matrix-prober.ts'
import type { NameResolver } from './names/resolver.ts'
import type { NetworkParts } from './network-parts.ts'
import type { NodeParts } from './node-parts.ts'
import type { Connector } from './peers/connector.ts'
import type { PeerClocks } from './peers/peer-clocks.ts'
import type { PingMonitor } from './peers/ping-monitor.ts'
import type { RecordOrigins } from './peers/record-origins.ts'
import type { PinholeKeeper } from './pinhole/pinhole-keeper.ts'
import { Reactions } from './reactions.ts'
import type { RelayClient } from './relay/relay-client.ts'
import type { CheckpointWatch } from './replication/checkpoint-watch.ts'
import type { Replicator } from './replication/replicator.ts'
import type { SelfPublisher } from './self/publisher.ts'
import type { SelfRecord } from './self/record.ts'
import { invitedHistory, tellOtherHistory } from './session/invited-history.ts'
import type { LeaseClient, SessionView } from './session/lease-client.ts'
import type { RootForwarder } from './session/root-forwarder.ts'
import type { StoreKeeper } from './stores/store-keeper.ts'
import type { Stores } from './stores/stores.ts'

/** Time that a push may be on its way to those who follow us, and for which this process waits at the end. */
const pushMs = 100
const goodbyeMs = 1_000

/** A node whose network is known: its libp2p host, and what keeps its lease, replica and connections. */
export class NetworkNode implements NetworkParts {
  readonly registry: Registry
  readonly trust: ConnectionTrust
  readonly limits: ProtocolLimits
  readonly heads: CheckpointWatch
  readonly clocks: PeerClocks
  readonly traffic: Traffic
  readonly dials: DialHistory
  readonly origins: RecordOrigins
  readonly gater: Gater
  readonly self: SelfPublisher
  readonly matrix: Matrix
  readonly forwarder: RootForwarder
  readonly stores: Stores
  readonly #node: NodeParts
  readonly #reactions: Reactions
  readonly #stops: (() => void)[] = []
  #host: Host | undefined
  #running: RunningParts | undefined
  #port = 0

  constructor(node: NodeParts, registry: Registry) {
    const parts = hostedParts(node, registry, this)
    this.#node = node
    this.registry = registry
    this.limits = parts.limits
    this.trust = parts.trust
    this.traffic = parts.traffic
    this.dials = parts.dials
    this.origins = parts.origins
    this.gater = parts.gater
    this.heads = parts.heads
    this.clocks = parts.clocks
    this.self = parts.self
    this.matrix = parts.matrix
    this.forwarder = parts.forwarder
    this.stores = parts.stores
    this.#reactions = new Reactions(node, this)
  }

  /** Throws before `start`. */
  get host(): Host {
    if (this.#host === undefined) throw new Error('the host has not been started')
    return this.#host
  }

  /** Services of the host; undefined before `start`. */
  get services(): HostServices | undefined {
    return this.#host?.services
  }

  get port(): number {
    return this.#port
  }

  get selfRecord(): SelfRecord {
    return this.self.record
  }

  /** Addresses told to others now. */
  get announced(): readonly string[] {
    return this.self.announced
  }

  /** This machine has other addresses now. */
  async readdress(addresses: readonly string[]): Promise<void> {
    await this.self.readdress(addresses)
  }

  /** Chooses what is announced anew: its configuration has changed. */
  async announceAnew(): Promise<void> {
    if (this.#host !== undefined) await this.self.announceAnew(this.#node.services, this.#host, this.#port)
  }

  get lease(): LeaseClient | undefined {
    return this.#running?.lease
  }

  get session(): SessionView | undefined {
    return this.lease?.view
  }

  get sync(): Replicator | undefined {
    return this.#running?.sync
  }

  get peers(): Connector | undefined {
    return this.#running?.peers
  }

  get pingMonitor(): PingMonitor | undefined {
    return this.#running?.pingMonitor
  }

  get relays(): RelayClient | undefined {
    return this.#running?.relays
  }

  get storeKeeper(): StoreKeeper | undefined {
    return this.#running?.stores
  }

  get names(): NameResolver | undefined {
    return this.#running?.names
  }

  get pinholes(): PinholeKeeper | undefined {
    return this.#running?.pinholes
  }

  get matrixProber(): MatrixProber | undefined {
    return this.#running?.matrix
  }

  /** All that one source had was applied at least once since the start. */
  get caughtUp(): boolean {
    return this.#reactions.isCaughtUp || this.#node.config.role === 'root'
  }

  /** The reason why there is no session now. */
  get trouble(): Error | undefined {
    return this.#reactions.trouble
  }

  isMember(): boolean {
    const { replica } = this.registry
    return replica.isMember(this.#node.key.publicKey) && invitedHistory(replica, this.#node.invites.invite) === 'same'
  }

  /** A newcomer compares what it follows with its invite: within one epoch only a root that signs two histories can show another one. */
  readonly #compareInvite = (): void => tellOtherHistory(this.registry, this.#node.invites.invite)

  /** Members that hear this node's gossip. */
  get mesh(): number {
    return this.services?.announce?.meshSize() ?? 0
  }

  rttMs(peerId: string): number | undefined {
    const { session } = this
    const isHolder = session !== undefined && peerIdText(session.peer.publicKey) === peerId
    return this.pingMonitor?.of(peerId) ?? (isHolder ? session.session.rttMs : undefined)
  }

  /** Connections to members that serve registry protocols. */
  sources(): { connection: Connection; publicKey: Uint8Array }[] {
    const sources = [...this.trust.members()].filter(({ member }) => servesRegistry(member.role))
    return sources.map(({ connection, member }) => ({ connection, publicKey: member.publicKey }))
  }

  /** Resolves when it listens; everything else goes on by itself from then on. @throws ConfigError when the port is taken */
  async start(signal: AbortSignal): Promise<void> {
    const { registry, trust } = this
    const { config, logging } = this.#node
    const { logger } = logging
    registry.events.addEventListener('entries', this.#compareInvite)
    this.#stops.push(() => registry.events.removeEventListener('entries', this.#compareInvite))
    const { host, port } = await startHost({ node: this.#node, network: this }, signal)
    this.#host = host
    this.#port = port
    // The first record names them.
    if (this.stores.isUsed) await this.stores.load()
    await this.self.start(this.#node.services, host, port)
    this.#running = runningParts(this.#node, this, host, this.#reactions)
    startParts(this.#running, this.#node, this, host)
    this.#stops.push(
      followRegistry({ registry, trust, host, logger, node: this.#reactions }),
      this.origins.follow(registry.events, this.#node.clock),
      forgetStrangers(host, (peerId) => registry.replica.isMember(publicKeyOf(peerId)))
    )
    await this.self.ensure()
    const fields = { ipv6_addr: this.announced.join(' '), peer: host.peerId.toString(), port }
    logger.info(fields, `listening on [${config.listen.host}]:${port}`)
  }

  /** Sees to it that others hold this node's present record. */
  async publishSelf(): Promise<void> {
    await this.self.ensure()
    // One that was under way may have begun before what is to be told.
    await this.self.ensure()
  }

  /** The invite changed, or somebody asked for a new try now. */
  retry(): void {
    this.lease?.retry()
  }

  /** Says goodbye and ends, also when only a part of it was started. */
  async stop(reason: string, left: boolean): Promise<void> {
    const { registry } = this
    if (this.#node.seat?.isHeld === true && registry.root === undefined) this.#leaveFormerRoot()
    this.self.stop()
    this.forwarder.close()
    // Before any session ends: the members of this registry are not down because it goes.
    registry.liveness.leaving(reason)
    for (const stop of this.#stops) stop()
    this.heads.stop()
    const { documents, stores, folders, names, pinholes, witness } = this.#running ?? {}
    await Promise.all([documents, stores, folders, names, pinholes, witness].map(async (part) => await part?.stop()))
    this.peers?.stop()
    this.relays?.stop()
    this.#running?.circuits.stop()
    this.#running?.link?.stop()
    this.pingMonitor?.stop()
    await Promise.all([this.lease?.stop(reason, left ? await this.#farewell() : undefined), this.#told()])
    this.sync?.stop()
    this.trust.clear()
    if (this.#host !== undefined) await stopHost(this.#host)
  }

  /** This process takes its place: it may be frozen, and nothing waits for its answer. */
  #leaveFormerRoot(): void {
    const former = this.registry.replica.state.rootRegistry()
    for (const { connection, member } of this.trust.members())
      if (former !== undefined && equals(member.publicKey, former.publicKey))
        connection.abort(new Error('another process is the root'))
  }

  async #farewell(): Promise<Uint8Array | undefined> {
    try {
      return await this.self.farewell()
    } catch (error) {
      this.#node.logging.logger.warn(
        { error: String(error) },
        'the record that says that this node left could not be made'
      )
      return undefined
    }
  }

  /** Resolves when those who follow this registry have surely been sent that it goes. */
  async #told(): Promise<void> {
    const subscribers = this.services?.sync?.subscribers ?? 0
    if (subscribers > 0) await sleep(Math.min(goodbyeMs, pushMs + subscribers / 5))
  }
}
