import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import type { Stream, StreamHandlerOptions } from '@libp2p/interface'
import type { ConnectionTrust } from '../protocols/engine/trust.ts'
import { NotMemberError, UnavailableError } from '../registry/errors.ts'
import { loadKey, loadOrCreateKey } from '../registry/key-file.ts'
import { peerIdText, type SigningKey } from '../registry/keys.ts'
import { networkFingerprint, networkIdText, parseNetworkId } from '../registry/network-id.ts'
import { type Clock, systemClock } from '../registry/ports.ts'
import { openRegistry, peekGenesis, type Registry } from '../registry/registry.ts'
import { Candidates } from './candidates.ts'
import { Changes } from './changes.ts'
import { saveConfigValue } from './config/save.ts'
import type { Config } from './config/schema.ts'
import { startControlServer } from './control/server.ts'
import { NodeControl } from './control-api.ts'
import { discoverNetwork, firstUseNotice } from './discovery.ts'
import type { Host } from './host.ts'
import { Housekeeping } from './housekeeping.ts'
import { InviteKeeper } from './invite-keeper.ts'
import { createLogging, type Logging } from './logging.ts'
import { cachedCandidates } from './member-targets.ts'
import { NetworkNode } from './network-node.ts'
import type { MemberHandler, Node, NodeOptions } from './node-interface.ts'
import { dataFiles, socketPath } from './paths.ts'
import { phaseFacts } from './phase-facts.ts'
import { type PhaseFacts, PhaseTracker } from './phases.ts'
import { requirePin, requireSameNetwork } from './pin-checks.ts'
import type { DialFailure } from './race.ts'
import { fenceReason, RootDuties } from './root-duties.ts'
import { versionInfo } from './version.ts'

/** Makes a node; nothing runs before `start`. @throws ConfigError, KeyFileError */
export async function createNode(options: NodeOptions): Promise<Node> {
  return new TrustNode(options)
}

interface Served {
  protocol: string
  handler: MemberHandler
  options: StreamHandlerOptions
}

export class TrustNode implements Node {
  readonly control: NodeControl
  readonly config: Config
  readonly configFile: string | undefined
  readonly key: SigningKey
  readonly logging: Logging
  readonly clock: Clock
  readonly startedMs: number
  readonly software = versionInfo().version
  readonly phases: PhaseTracker
  readonly invites: InviteKeeper
  readonly candidates: Candidates
  readonly #failure = Promise.withResolvers<never>()
  readonly #end = Promise.withResolvers<void>()
  readonly failed = this.#failure.promise
  readonly stopped = this.#end.promise
  readonly #withControl: boolean
  readonly #over = new AbortController()
  readonly #handlers: Served[] = []
  readonly #changes = new Changes()
  #network: NetworkNode | undefined
  #duties: RootDuties | undefined
  #housekeeping: Housekeeping | undefined
  #server: AsyncDisposable | undefined
  #stopping: Promise<void> | undefined
  #left = false
  #attaching: Promise<void> | undefined
  #discovery: readonly DialFailure[] = []
  #wake = new AbortController()

  constructor(options: NodeOptions) {
    const { config } = options
    this.config = config
    this.configFile = options.configFile
    this.logging = options.logging ?? createLogging({ node: config.name, ...config.logging })
    this.clock = options.clock ?? systemClock
    this.startedMs = this.clock.now()
    this.phases = new PhaseTracker(this.clock)
    this.#withControl = options.control ?? true
    mkdirSync(config.paths.data, { recursive: true, mode: 0o700 })
    this.key = loadOrCreateKey(config.paths.key)
    this.invites = new InviteKeeper(config)
    this.candidates = new Candidates({
      config,
      clock: this.clock,
      invite: () => this.invites.invite,
      cached: () => (this.#network === undefined ? [] : cachedCandidates(this.#network.registry, this.key.publicKey))
    })
    this.failed.catch(() => {})
    this.control = new NodeControl(this)
  }

  get peerId(): string {
    return peerIdText(this.key.publicKey)
  }

  /** undefined until the network was found. */
  get network(): NetworkNode | undefined {
    return this.#network
  }

  get libp2p(): Host {
    return this.attached.host
  }

  get registry(): Registry {
    return this.attached.registry
  }

  get trust(): ConnectionTrust {
    return this.attached.trust
  }

  /** @throws UnavailableError before the network was found */
  get attached(): NetworkNode {
    if (this.#network === undefined)
      throw new UnavailableError('the network was not found yet; this node goes on looking', 5_000)
    return this.#network
  }

  get isStopping(): boolean {
    return this.#over.signal.aborted
  }

  /** What the last round of looking for the network met. */
  get discoveryFailures(): readonly DialFailure[] {
    return this.#discovery
  }

  /** Aborts when the node stops. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  async start(): Promise<void> {
    const { config } = this
    const { logger } = this.logging
    const genesis = peekGenesis(dataFiles(config.paths.data).store)
    if (genesis === undefined) requirePin(config, this.pin)
    if (this.#withControl) {
      const path = socketPath(config.paths.runtime, config.name)
      this.#server = await startControlServer({ path, api: this.control, logger })
    }
    if (genesis !== undefined) {
      await this.#attach(genesis)
      return
    }
    logger.info({ peer: this.peerId, role: config.role }, 'first start: looking for the network')
    this.#attaching = this.#discover().catch((error: Error) => {
      if (!this.#over.signal.aborted) this.#failure.reject(error)
    })
  }

  /** Network id of the invite or the configuration. */
  get pin(): Uint8Array | undefined {
    const { networkId } = this.config
    return this.invites.invite?.networkId ?? (networkId === undefined ? undefined : parseNetworkId(networkId))
  }

  async #discover(): Promise<void> {
    const { config, key, clock, software, pin } = this
    const { logger, libp2p } = this.logging
    const proof = await discoverNetwork(
      {
        config,
        key,
        role: config.role,
        software,
        pin,
        candidates: this.candidates,
        limits: config.protocols,
        clock,
        logger,
        libp2pLogger: libp2p,
        onFailure: (failures) => {
          this.#discovery = failures
          this.changed()
        },
        wake: () => this.#wake.signal
      },
      this.#over.signal
    )
    const id = networkIdText(proof.networkId)
    if (pin === undefined)
      logger.warn({ network: id, fingerprint: networkFingerprint(proof.networkId) }, firstUseNotice(proof))
    await this.#attach(proof.genesis.bytes)
  }

  async #attach(genesis: Uint8Array): Promise<void> {
    const { config, key, clock } = this
    const { logger, libp2p } = this.logging
    const files = dataFiles(config.paths.data)
    const registry = await openRegistry({
      path: files.store,
      role: config.role,
      nodeKey: key,
      genesis,
      clock,
      logger,
      liveness: {
        heartbeatMs: config.heartbeat.intervalMs,
        leaseMs: config.heartbeat.intervalMs * config.heartbeat.missedThreshold
      },
      limits: { queuedRequests: config.replication.queueLimit },
      ...(config.role === 'root' && { logKey: loadKey(files.logKey), policy: config.admission, fence: fenceReason })
    })
    try {
      requireSameNetwork(config, this.pin, registry.networkId)
      const network = new NetworkNode({
        config,
        key,
        software: this.software,
        registry,
        candidates: this.candidates,
        invite: () => this.invites.invite,
        clock,
        logger,
        libp2pLogger: libp2p,
        instance: Uint8Array.from(randomBytes(16)),
        onChange: () => this.changed()
      })
      this.#network = network
      this.#over.signal.throwIfAborted()
      await network.start(this.#over.signal)
    } catch (error) {
      this.#network = undefined
      await registry[Symbol.asyncDispose]()
      throw error
    }
    this.#savePort()
    await Promise.all(this.#handlers.map((served) => this.#mount(served)))
    this.#duties = new RootDuties({ network: this.attached, config, key, logger })
    this.#duties.start()
    this.#housekeeping = new Housekeeping({ registry, config, clock, logger })
    this.#housekeeping.start()
    this.changed()
  }

  #savePort(): void {
    const { listen } = this.config
    const { port } = this.attached
    if (this.configFile === undefined || listen.port === port) return
    try {
      saveConfigValue(this.configFile, 'listen.port', port)
    } catch (error) {
      this.logging.logger.warn(
        { error: String(error), port },
        'the port could not be written to the configuration; the next start may take another one'
      )
    }
  }

  async joined({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const isJoined = (): boolean =>
      this.#network?.isMember() === true && (this.config.role === 'root' || this.#network.session !== undefined)
    await Promise.race([this.until(isJoined, signal), this.failed])
  }

  /** Resolves when the condition holds; it is looked at after every change. */
  async until(condition: () => boolean, signal: AbortSignal = this.#over.signal): Promise<void> {
    await this.#changes.until(condition, signal)
  }

  /** Called when something that a view shows may be different. Returns how to stop. */
  onChange(listener: () => void): () => void {
    return this.#changes.listen(listener)
  }

  changed(): void {
    this.#duties?.changed()
    const before = this.phases.name
    if (this.invites.invite !== undefined && this.#network?.isMember() === true) this.invites.done()
    if (this.phases.update(this.facts())) {
      this.logging.logger.info({ phase: this.phases.name, from: before }, `phase ${before} → ${this.phases.name}`)
    }
    this.#changes.tell()
  }

  facts(): PhaseFacts {
    return phaseFacts(this.config.role, this.key.publicKey, this.#network)
  }

  async handle(protocol: string, handler: MemberHandler, options: StreamHandlerOptions = {}): Promise<void> {
    const served = { protocol, handler, options }
    this.#handlers.push(served)
    if (this.#network !== undefined) await this.#mount(served)
  }

  async #mount({ protocol, handler, options }: Served): Promise<void> {
    const { trust, host } = this.attached
    await host.handle(
      protocol,
      async (stream, connection) => {
        await trust.settled(connection)
        const member = trust.memberOf(connection)
        if (member === undefined) stream.abort(new NotMemberError('the connection has not proved membership'))
        else await handler(stream, member)
      },
      options
    )
  }

  async openStream(peer: string, protocol: string, { signal }: { signal?: AbortSignal } = {}): Promise<Stream> {
    const connection = await this.control.connectionTo(peer, signal ?? AbortSignal.timeout(10_000))
    return await connection.newStream(protocol, signal === undefined ? {} : { signal })
  }

  /** What was refused or not found is tried again now: there is a new invite. */
  retry(): void {
    this.#wake.abort()
    this.#wake = new AbortController()
    this.#network?.retry()
  }

  /** The next stop says that this node has left for good. */
  leave(): void {
    this.#left = true
  }

  stop(reason = 'stopped'): Promise<void> {
    this.#stopping ??= this.#stop(reason).finally(this.#end.resolve)
    return this.#stopping
  }

  async #stop(reason: string): Promise<void> {
    this.#over.abort(new Error('the node stops'))
    this.changed()
    await this.#attaching
    this.#duties?.stop()
    await this.#housekeeping?.stop()
    const network = this.#network
    if (network !== undefined) {
      await network.stop(reason, this.#left)
      await network.registry[Symbol.asyncDispose]()
    }
    await this.#server?.[Symbol.asyncDispose]()
    this.logging.logger.info({ reason }, 'stopped')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
