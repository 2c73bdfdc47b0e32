import type { ComponentLogger, Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import type { ProtocolLimits } from '../protocols/engine/limits.ts'
import { ConnectionTrust } from '../protocols/engine/trust.ts'
import { openRegisterSession, type Registered } from '../protocols/register/index.ts'
import { SyncCursors } from '../protocols/sync/index.ts'
import type { Invite } from '../registry/invite.ts'
import { peerIdText, publicKeyOf, type SigningKey } from '../registry/keys.ts'
import type { Clock, Logger } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { isRegistryRole, servesRegistry } from '../registry/role.ts'
import { AddressWatch } from './addresses.ts'
import type { Candidates } from './candidates.ts'
import type { Config } from './config/schema.ts'
import { backoffOf } from './discovery.ts'
import { Gater } from './gater.ts'
import { type Host, startHost } from './host.ts'
import { announceAgain, forgetStrangers } from './libp2p.ts'
import { makeMembership } from './membership.ts'
import { memberTargets } from './member-targets.ts'
import { PeerKeeper } from './peer-keeper.ts'
import { findRegistry } from './registry-finder.ts'
import { RoundTrips } from './round-trips.ts'
import { SelfRecord } from './self-record.ts'
import { type SessionView, SessionKeeper } from './session-keeper.ts'
import { SyncKeeper } from './sync-keeper.ts'
import { Traffic } from './traffic.ts'
import { KnownPrefixes } from './known-prefixes.ts'

export interface NetworkNodeInit {
  config: Config
  key: SigningKey
  software: string
  registry: Registry
  candidates: Candidates
  invite: () => Invite | undefined
  clock: Clock
  logger: Logger
  libp2pLogger: ComponentLogger
  instance: Uint8Array
  /** Something that a view shows has changed. */
  onChange: () => void
}

/** A node whose network is known: its libp2p host, and the keepers of lease, replica and connections. */
export class NetworkNode {
  readonly registry: Registry
  readonly trust: ConnectionTrust
  readonly limits: ProtocolLimits
  readonly selfRecord: SelfRecord
  readonly traffic = new Traffic()
  readonly gater: Gater
  readonly #init: NetworkNodeInit
  readonly #prefixes: KnownPrefixes
  readonly #stops: (() => void)[] = []
  #host: Host | undefined
  #watch: AddressWatch | undefined
  #announced: readonly string[] = []
  #session: SessionKeeper | undefined
  #sync: SyncKeeper | undefined
  #peers: PeerKeeper | undefined
  #roundTrips: RoundTrips | undefined
  #port = 0
  #caughtUp = false
  #trouble: Error | undefined

  constructor(init: NetworkNodeInit) {
    const { config, registry, clock, logger } = init
    this.#init = init
    this.registry = registry
    this.limits = protocolLimits(config)
    this.trust = new ConnectionTrust({ limits: this.limits.strangers, settleMs: this.limits.hello.settleMs, clock, logger })
    this.#prefixes = new KnownPrefixes(registry)
    this.gater = new Gater({
      limits: config.limits,
      logger,
      isRevoked: (peerId) => registry.replica.state.isRevoked(publicKeyOf(peerId)),
      knownPrefix: (prefix) => this.#prefixes.has(prefix),
      onUpgraded: (peerId, connection) => this.traffic.add(peerId, connection)
    })
    this.selfRecord = new SelfRecord({
      networkId: registry.networkId,
      key: init.key,
      role: config.role,
      software: init.software,
      clock,
      store: {
        load: () => registry.meta.get(selfRecordKey),
        save: async (envelope) => await registry.meta.set(selfRecordKey, envelope)
      }
    })
  }

  get host(): Host {
    if (this.#host === undefined) throw new Error('the host has not been started')
    return this.#host
  }

  get port(): number {
    return this.#port
  }

  get announced(): readonly string[] {
    return this.#announced
  }

  get session(): SessionView | undefined {
    return this.#session?.view
  }

  get sync(): SyncKeeper | undefined {
    return this.#sync
  }

  get peers(): PeerKeeper | undefined {
    return this.#peers
  }

  /** All that one source had was applied at least once since the start. */
  get caughtUp(): boolean {
    return this.#caughtUp || this.#init.config.role === 'root'
  }

  /** Why there is no session now. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  isMember(): boolean {
    return this.registry.replica.isMember(this.#init.key.publicKey)
  }

  /** Members that hear this node's gossip. */
  get mesh(): number {
    return this.#host?.services.announce?.meshSize() ?? 0
  }

  rttMs(peerId: string): number | undefined {
    const { session } = this
    const own = session !== undefined && peerIdText(session.peer.publicKey) === peerId ? session.session.rttMs : undefined
    return this.#roundTrips?.of(peerId) ?? own
  }

  /** Resolves when it listens; everything else goes on by itself from then on. @throws ConfigError when the port is taken */
  async start(signal: AbortSignal): Promise<void> {
    const { config, registry, logger } = this.#init
    const { host, port } = await startHost(
      {
        ...this.#init,
        trust: this.trust,
        gater: this.gater,
        limits: this.limits,
        announced: () => this.#announced,
        announce: {
          members: () => registry.replica.state.memberCount,
          refresh: async () => (this.isMember() ? (await this.#issue({})).bytes : undefined),
          onNewerHead: () => this.#sync?.nudge()
        },
        onCheckpoint: (checkpoint) => void registry.replica.apply([], checkpoint).catch(() => this.#sync?.nudge())
      },
      signal
    )
    this.#host = host
    this.#port = port
    await this.#startAddresses()
    this.#startKeepers(host)
    this.#listen(host)
    registry.liveness.start()
    await this.#afterMembership()
    logger.info({ ipv6_addr: this.#announced.join(' '), peer: host.peerId.toString(), port }, `listening on [${config.listen.host}]:${port}`)
  }

  /** The invite changed, or somebody asked for a new try now. */
  retry(): void {
    this.#session?.kick()
  }

  async stop(reason: string, left: boolean): Promise<void> {
    this.#watch?.stop()
    // Before any session ends: the members of this registry are not down because it goes.
    this.registry.liveness.leaving(reason)
    for (const stop of this.#stops) stop()
    this.#peers?.stop()
    this.#roundTrips?.stop()
    const farewell = left && this.isMember() ? (await this.selfRecord.issue({ left: true })).bytes : undefined
    if (farewell !== undefined) await this.registry.records.put(farewell, { source: 'self' }).catch(() => {})
    await this.#session?.stop(reason, farewell)
    this.#sync?.stop()
    this.trust.clear()
    await this.#host?.stop()
    await this.registry.liveness.stop()
  }

  async #startAddresses(): Promise<void> {
    const { config } = this.#init
    if (config.announce.addresses !== undefined) {
      this.#announced = config.announce.addresses
      return
    }
    this.#watch = new AddressWatch({
      port: this.#port,
      allow: config.announce.allow,
      host: config.listen.host,
      onChange: (addresses) => void this.#addressesChanged(addresses)
    })
    this.#announced = await this.#watch.start()
  }

  async #addressesChanged(addresses: readonly string[]): Promise<void> {
    this.#announced = addresses
    this.#init.logger.info({ ipv6_addr: addresses.join(' ') }, 'the addresses of this machine changed; they are registered again')
    try {
      await announceAgain(this.host, addresses)
      await this.#publish({})
    } catch (error) {
      this.#init.logger.warn({ error: String(error) }, 'the new addresses were not told to everybody; the next refresh does')
    }
  }

  #startKeepers(host: Host): void {
    const { config, registry, key, clock, logger } = this.#init
    const backoff = backoffOf(config)
    const { hello } = host.services
    this.#sync = new SyncKeeper({
      target: registry,
      trust: this.trust,
      limits: this.limits,
      cursors: new SyncCursors(),
      clock,
      logger,
      backoff,
      records: config.replication.enabled,
      intervalMs: () => pullIntervalMs(config, registry.replica.state.memberCount),
      isRegistry: isRegistryRole(config.role),
      lease: () => this.session?.peer.publicKey,
      onCaughtUp: () => {
        this.#caughtUp = true
        this.#init.onChange()
      }
    })
    this.#peers = new PeerKeeper({
      libp2p: host,
      hello,
      trust: this.trust,
      self: key.publicKey,
      clock,
      logger,
      backoff,
      wanted: config.limits.peersWanted,
      dialTimeoutMs: config.bootstrap.dialTimeoutMs,
      targets: () => (this.isMember() ? memberTargets(registry, key.publicKey) : []),
      findMore: async (publicKey, signal) => (await host.services.kad?.findRecord(publicKey, { signal }))?.value.addrs,
      onConnected: (publicKey, address) => registry.liveness.connected(publicKey, address),
      onFailed: (publicKey, error) => registry.liveness.failed(publicKey, error)
    })
    this.#roundTrips = new RoundTrips({ trust: this.trust, ping: host.services.ping })
    this.#session = this.#makeSession(host)
    this.#sync.start()
    this.#peers.start()
    this.#roundTrips.start()
    this.#session.start()
  }

  #makeSession(host: Host): SessionKeeper {
    const { config, registry, key, clock, logger, candidates } = this.#init
    const limits = this.limits
    return new SessionKeeper({
      find: async (except, signal) =>
        await findRegistry(
          { config, registry, self: key.publicKey, trust: this.trust, host, gater: this.gater, candidates },
          except,
          signal
        ),
      open: async (connection, signal) => await openRegisterSession(connection, { limits, clock, signal }),
      better: (than) => !isRegistryRole(than.role) && [...this.trust.members()].some(({ member }) => isRegistryRole(member.role)),
      membership: makeMembership({ config, registry, key, clock, invite: this.#init.invite }),
      selfRecord: this.selfRecord,
      instance: this.#init.instance,
      clock,
      logger,
      backoff: backoffOf(config),
      heartbeatTimeoutMs: config.heartbeat.timeoutMs,
      checkpoint: () => registry.replica.checkpoint?.bytes,
      connected: () => this.#connectedKeys(),
      onRegistered: async (view, answer) => await this.#registered(view, answer),
      onLost: (view, reason) => this.#lost(view, reason),
      onDuplicate: (reason) =>
        registry.alarms.raise('duplicate_key', `this node's key is used by a second process: ${reason}. Stop one of them; a cloned machine needs a key of its own`),
      onTrouble: (error) => {
        this.#trouble = error
        this.#init.onChange()
      },
      onCheckpoint: (checkpoint) => void registry.replica.apply([], checkpoint).catch(() => this.#sync?.nudge())
    })
  }

  /** The registry that holds the lease has taken us in: what it told is stored, and the replica follows it from here. */
  async #registered(view: SessionView, answer: Registered): Promise<void> {
    const { registry, logger } = this.#init
    const { publicKey, name } = view.peer
    if (answer.record !== undefined) this.selfRecord.learn(answer.record)
    registry.liveness.sourceUp(publicKey)
    registry.liveness.selfProof()
    registry.admission.forward = async (request) => await forward(view, request)
    void registry.admission.replayQueue().catch(() => {})
    logger.info({ peer: peerIdText(publicKey), address: view.peer.connection.remoteAddr.toString() }, `registered at ${name || 'the registry'}`)
    this.#sync?.reconcile()
    const envelopes = [...answer.registries, ...answer.peers]
    await Promise.allSettled(envelopes.map(async (bytes) => await registry.records.put(bytes, { source: 'registry' })))
    await this.#afterMembership()
    this.#peers?.look()
    this.#init.onChange()
  }

  #lost(view: SessionView, reason: string): void {
    const { registry, logger } = this.#init
    registry.liveness.sourceGone(view.peer.publicKey, reason)
    registry.admission.forward = undefined
    logger.warn({ peer: peerIdText(view.peer.publicKey), reason }, 'the session with the registry ended; another registry is tried at once')
    this.#sync?.reconcile()
    this.#init.onChange()
  }

  #listen(host: Host): void {
    const { registry, onChange } = this.#init
    const { events } = registry
    const on = <K extends Parameters<typeof events.addEventListener>[0]>(type: K, listener: (event: CustomEvent) => void): void => {
      events.addEventListener(type, listener as never)
      this.#stops.push(() => events.removeEventListener(type, listener as never))
    }
    on('revoked', (event: CustomEvent<{ publicKey: Uint8Array }>) => this.trust.revoked(event.detail.publicKey))
    on('entries', () => {
      this.trust.recheck((publicKey) => registry.replica.isMember(publicKey))
      void this.#afterMembership()
      this.#peers?.look()
      onChange()
    })
    on('checkpoint', (event: CustomEvent<{ checkpoint: NonNullable<typeof registry.replica.checkpoint> }>) => {
      this.trust.recheck((publicKey) => registry.replica.isMember(publicKey))
      host.services.announce?.announceHead(event.detail.checkpoint)
    })
    on('record', () => {
      this.#peers?.look()
      onChange()
    })
    on('hint', onChange)
    this.#stops.push(
      this.trust.onMember((connection, member) => {
        registry.liveness.learned(member.publicKey, connection.direction === 'inbound' ? 'session' : 'registry')
        if (isRegistryRole(member.role)) this.#session?.kick()
        onChange()
      }),
      this.trust.onGone(onChange),
      forgetStrangers(host, (peerId) => registry.replica.isMember(publicKeyOf(peerId)))
    )
  }

  /** A member that has not said where it is says so: to its own store, its registry, gossip and the DHT. */
  async #afterMembership(): Promise<void> {
    if (!this.isMember()) return
    const current = this.selfRecord.current?.value
    const stale =
      current === undefined ||
      current.left ||
      current.software !== this.#init.software ||
      current.addrs.join() !== this.#announced.join() ||
      !this.#stored()
    if (stale) await this.#publish({})
  }

  #stored(): boolean {
    const { current } = this.selfRecord
    const held = this.registry.records.get(this.#init.key.publicKey)
    return current !== undefined && held !== undefined && equals(held.hash, current.hash)
  }

  async #issue(change: Parameters<SelfRecord['issue']>[0]) {
    const record = await this.selfRecord.issue({ addrs: [...this.#announced], ...change })
    await this.registry.records.put(record.bytes, { source: 'self' })
    return record
  }

  async #publish(change: Parameters<SelfRecord['issue']>[0]): Promise<void> {
    const record = await this.#issue(change)
    const { announce: gossip, kad } = this.host.services
    gossip?.announceRecord(record.bytes)
    await this.#session?.put()
    kad?.putRecord(record).catch((error: Error) => {
      this.#init.logger.debug({ error: error.message }, 'the own record is not in the DHT yet; it is put again later')
    })
  }

  #connectedKeys(): Uint8Array[] {
    const keys = new Map<string, Uint8Array>()
    for (const { member } of this.trust.members()) keys.set(peerIdText(member.publicKey), member.publicKey)
    return [...keys.values()].slice(0, this.limits.register.connected)
  }

  /** Connections to members that serve registry protocols, for callers that ask somebody else. */
  sources(): { connection: Connection; publicKey: Uint8Array }[] {
    return [...this.trust.members()]
      .filter(({ member }) => servesRegistry(member.role))
      .map(({ connection, member }) => ({ connection, publicKey: member.publicKey }))
  }
}

const selfRecordKey = 'self-record'

type Forwarded = Parameters<NonNullable<Registry['admission']['forward']>>[0]

const forward = async ({ session }: SessionView, request: Forwarded): Promise<{ entry: Uint8Array }> => {
  if (request.kind === 'join') return { entry: await session.forwardJoin(request) }
  return { entry: await session[request.kind](request.request) }
}

/** From 1,000 members on the pulls of all together stay as many as they are. */
const pullIntervalMs = (config: Config, members: number): number => Math.max(config.replication.intervalMs, members * 60)

/** The heartbeats of a shorter interval are as many more: twice what it asks for. */
const protocolLimits = ({ protocols, heartbeat }: Config): ProtocolLimits => {
  const perMs = Math.min(protocols.register.heartbeats.perMs, heartbeat.intervalMs / 2)
  return { ...protocols, register: { ...protocols.register, heartbeats: { ...protocols.register.heartbeats, perMs } } }
}
