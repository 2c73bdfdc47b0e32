import type { Connection } from '@libp2p/interface'
import { peerIdText, publicKeyOf } from '../identity/keys.ts'
import { servesRegistry } from '../identity/role.ts'
import type { ConnectionTrust } from '../protocols/engine/connection-trust.ts'
import type { ProtocolLimits } from '../protocols/engine/limits.ts'
import type { Registered } from '../protocols/register/index.ts'
import type { Signed } from '../registry/objects/envelope.ts'
import type { NodeRecord } from '../registry/objects/record.ts'
import type { Registry } from '../registry/registry.ts'
import { inBackground } from '../runtime/background.ts'
import { sleep } from '../runtime/sleep.ts'
import {
  hearClocks,
  makeCheckpointWatch,
  makeConnector,
  makeGater,
  makeLeaseClient,
  makePingMonitor,
  makePublisher,
  makeReachability,
  makeReplicator,
  makeRootForwarder,
  makeTrust,
  protocolLimits,
  watchGossip
} from './components.ts'
import { type Follower, followRegistry } from './follow-registry.ts'
import type { Gater } from './host/gater.ts'
import { type Host, stopHost } from './host/host.ts'
import { forgetStrangers } from './host/libp2p.ts'
import { startHost } from './host/listen.ts'
import { Traffic } from './host/traffic.ts'
import type { NetworkNodeInit, NetworkParts } from './network-parts.ts'
import type { Connector } from './peers/connector.ts'
import { PeerClocks } from './peers/peer-clocks.ts'
import type { PingMonitor } from './peers/ping-monitor.ts'
import type { CheckpointWatch } from './replication/checkpoint-watch.ts'
import type { Replicator } from './replication/replicator.ts'
import { carryOut } from './root/carry-out.ts'
import { raiseDuplicate, raiseReused } from './self/key-alarms.ts'
import type { SelfPublisher } from './self/publisher.ts'
import type { SelfRecord } from './self/record.ts'
import { invitedHistory, tellOtherHistory } from './session/invited-history.ts'
import type { LeaseClient, SessionView } from './session/lease-client.ts'
import { askAboutMembersOf } from './session/on-lost.ts'
import { takeIn } from './session/on-registered.ts'
import type { RootForwarder } from './session/root-forwarder.ts'

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
  readonly traffic = new Traffic()
  readonly gater: Gater
  readonly #init: NetworkNodeInit
  readonly #self: SelfPublisher
  readonly #rootForwarder: RootForwarder
  readonly #stops: (() => void)[] = []
  /** Wall clock. */
  readonly #startedMs: number
  #host: Host | undefined
  #session: LeaseClient | undefined
  #sync: Replicator | undefined
  #peers: Connector | undefined
  #pingMonitor: PingMonitor | undefined
  #port = 0
  #caughtUp = false
  #trouble: Error | undefined

  constructor(init: NetworkNodeInit) {
    const { config, registry, clock } = init
    this.#init = init
    this.#startedMs = clock.now()
    this.clocks = new PeerClocks(clock)
    this.registry = registry
    this.limits = protocolLimits(config)
    this.#rootForwarder = makeRootForwarder(init)
    this.trust = makeTrust(init, this.limits)
    this.gater = makeGater(init, this.trust, this.traffic)
    this.heads = makeCheckpointWatch(init, () => this.#sync)
    this.#self = makePublisher(init, () => this.#session)
  }

  /** Throws before `start`. */
  get host(): Host {
    if (this.#host === undefined) throw new Error('the host has not been started')
    return this.#host
  }

  get port(): number {
    return this.#port
  }

  get selfRecord(): SelfRecord {
    return this.#self.record
  }

  /** Addresses told to others now. */
  get announced(): readonly string[] {
    return this.#self.announced
  }

  /** This machine has other addresses now. */
  async readdress(addresses: readonly string[]): Promise<void> {
    await this.#self.readdress(addresses)
  }

  /** Chooses what is announced anew: its configuration has changed. */
  async announceAnew(): Promise<void> {
    if (this.#host !== undefined) await this.#self.announceAnew(this.#host, this.#port)
  }

  get session(): SessionView | undefined {
    return this.#session?.view
  }

  get sync(): Replicator | undefined {
    return this.#sync
  }

  get peers(): Connector | undefined {
    return this.#peers
  }

  get pingMonitor(): PingMonitor | undefined {
    return this.#pingMonitor
  }

  /** All that one source had was applied at least once since the start. */
  get caughtUp(): boolean {
    return this.#caughtUp || this.#init.config.role === 'root'
  }

  /** The reason why there is no session now. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  isMember(): boolean {
    const { replica } = this.registry
    return replica.isMember(this.#init.key.publicKey) && invitedHistory(replica, this.#init.invite()) === 'same'
  }

  /** A newcomer compares what it follows with its invite: within one epoch only a root that signs two histories can show another one. */
  readonly #compareInvite = (): void => tellOtherHistory(this.registry, this.#init.invite())

  /** Members that hear this node's gossip. */
  get mesh(): number {
    return this.#host?.services.announce?.meshSize() ?? 0
  }

  rttMs(peerId: string): number | undefined {
    const { session } = this
    const isHolder = session !== undefined && peerIdText(session.peer.publicKey) === peerId
    return this.#pingMonitor?.of(peerId) ?? (isHolder ? session.session.rttMs : undefined)
  }

  /** Connections to members that serve registry protocols. */
  sources(): { connection: Connection; publicKey: Uint8Array }[] {
    const sources = [...this.trust.members()].filter(({ member }) => servesRegistry(member.role))
    return sources.map(({ connection, member }) => ({ connection, publicKey: member.publicKey }))
  }

  /** Resolves when it listens; everything else goes on by itself from then on. @throws ConfigError when the port is taken */
  async start(signal: AbortSignal): Promise<void> {
    const { config, registry, logger } = this.#init
    registry.events.addEventListener('entries', this.#compareInvite)
    this.#stops.push(() => registry.events.removeEventListener('entries', this.#compareInvite))
    const { trust, gater, limits } = this
    const { host, port } = await startHost(
      {
        ...this.#init,
        trust,
        gater,
        limits,
        announced: () => this.announced,
        announce: {
          refresh: async () => await this.#self.refresh(),
          onNewerHead: ({ bytes }) => inBackground(this.heads.shown(bytes), 'looking at a shown checkpoint')
        },
        onCheckpoint: (checkpoint, from) =>
          inBackground(this.heads.shown(checkpoint, from), 'looking at a shown checkpoint'),
        carryOut: (call, from, options) => carryOut(this, call, from, options),
        onProven: (proven) => {
          this.clocks.heard(proven.peerId.toString(), proven.hello.timeMs)
          inBackground(this.heads.proven(proven), 'looking at what a hello proved')
        }
      },
      signal
    )
    this.#host = host
    this.#port = port
    await this.#self.start(host, port)
    this.#startComponents(host)
    this.#stops.push(
      followRegistry({ registry, trust, host, logger, node: this.#follower() }),
      forgetStrangers(host, (peerId) => registry.replica.isMember(publicKeyOf(peerId)))
    )
    await this.#self.ensure()
    const fields = { ipv6_addr: this.announced.join(' '), peer: host.peerId.toString(), port }
    logger.info(fields, `listening on [${config.listen.host}]:${port}`)
  }

  #follower(): Follower {
    return {
      isMember: () => this.isMember(),
      publishSelf: () => this.publishSelf(),
      onNewPeers: () => this.#peers?.look(),
      onRecord: (record) => this.#watchOwn(record),
      onHolderConnected: ({ direction }) => this.#session?.kick({ isNews: direction === 'inbound' }),
      onRegistryConnected: () => this.#session?.kickBetter(),
      onHead: (checkpoint) => this.#sync?.advanced(checkpoint),
      onChange: () => this.#init.onChange()
    }
  }

  /** Sees to it that others hold this node's present record. */
  async publishSelf(): Promise<void> {
    await this.#self.ensure()
  }

  /** The invite changed, or somebody asked for a new try now. */
  retry(): void {
    this.#session?.retry()
  }

  #watchOwn(record: Signed<NodeRecord>): void {
    if (Buffer.compare(record.value.publicKey, this.#init.key.publicKey) !== 0 || !this.#self.heard(record)) return
    if (record.value.issuedMs >= this.#startedMs)
      raiseDuplicate(this.registry.alarms, 'a record of this node came that it did not sign')
    else raiseReused(this.registry.alarms)
    inBackground(this.#self.contest(), 'contesting a foreign record')
  }

  /** Says goodbye and ends, also when only a part of it was started. */
  async stop(reason: string, left: boolean): Promise<void> {
    const { registry } = this
    this.#self.stop()
    this.#rootForwarder.close()
    // Before any session ends: the members of this registry are not down because it goes.
    registry.liveness.leaving(reason)
    for (const stop of this.#stops) stop()
    this.heads.stop()
    this.#peers?.stop()
    this.#pingMonitor?.stop()
    await Promise.all([this.#session?.stop(reason, left ? await this.#farewell() : undefined), this.#told()])
    this.#sync?.stop()
    this.trust.clear()
    if (this.#host !== undefined) await stopHost(this.#host)
    await registry.liveness.stop()
  }

  async #farewell(): Promise<Uint8Array | undefined> {
    try {
      return await this.#self.farewell()
    } catch (error) {
      this.#init.logger.warn({ error: String(error) }, 'the record that says that this node left could not be made')
      return undefined
    }
  }

  /** Resolves when those who follow this registry have surely been sent that it goes. */
  async #told(): Promise<void> {
    const subscribers = this.#host?.services.sync?.subscribers ?? 0
    if (subscribers > 0) await sleep(Math.min(goodbyeMs, pushMs + subscribers / 5))
  }

  #startComponents(host: Host): void {
    const { services } = this.#init
    const onCaughtUp = (): void => {
      this.#caughtUp = true
      this.#init.onChange()
    }
    this.#sync = makeReplicator(this.#init, this, onCaughtUp)
    this.#peers = makeConnector(this.#init, this, host)
    this.#pingMonitor = makePingMonitor(this.#init, this)
    this.#session = makeLeaseClient(this.#init, this, host, {
      connected: () => this.#connectedKeys(),
      onRegistered: async (view, answer) => await this.#registered(view, answer),
      onLost: (view, reason) => this.#lost(view, reason),
      onDuplicate: (reason) => raiseDuplicate(this.registry.alarms, reason),
      onTrouble: (error) => {
        this.#trouble = error
        services.part('lease').report(error)
        this.#init.onChange()
      }
    })
    const reach = makeReachability(this.#init, this, async (change) => await this.#self.publish(change))
    for (const each of [this.#sync, this.#peers, this.#pingMonitor, this.#session, reach]) each.start(services)
    watchGossip(services, host, this.trust)
    hearClocks(services, { hello: host.services.hello, trust: this.trust, logger: this.#init.logger })
  }

  async #registered(view: SessionView, answer: Registered): Promise<void> {
    if (answer.record !== undefined) this.selfRecord.learn(answer.record)
    const stored = takeIn({ ...this.#init, rootForwarder: this.#rootForwarder }, view, answer)
    this.#sync?.reconcile()
    await stored
    await this.#self.ensure()
    this.#peers?.look()
    this.#init.onChange()
  }

  #lost(view: SessionView, reason: string): void {
    const { registry, logger, onChange } = this.#init
    this.#rootForwarder.close()
    askAboutMembersOf(view, reason, { registry, logger, pingMonitor: this.#pingMonitor, sync: this.#sync })
    onChange()
  }

  #connectedKeys(): Uint8Array[] {
    const keys = new Map<string, Uint8Array>()
    for (const { member } of this.trust.members()) keys.set(peerIdText(member.publicKey), member.publicKey)
    return [...keys.values()].slice(0, this.limits.register.connected)
  }
}
