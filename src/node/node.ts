import type { Stream, StreamHandlerOptions } from '@libp2p/interface'
import { peerIdText, type SigningKey } from '../identity/keys.ts'
import type { ConnectionTrust } from '../protocols/engine/connection-trust.ts'
import { peekGenesis, type Registry } from '../registry/registry.ts'
import { InvalidPayloadError, UnavailableError } from '../runtime/errors.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import { type Running, Supervisor } from '../runtime/supervisor.ts'
import { Throttle } from '../runtime/throttle.ts'
import { versionInfo } from '../runtime/version.ts'
import { connectionTo } from './actions/connect.ts'
import type { ControlApi } from './api/control-api.ts'
import { AppProtocols } from './app-protocols.ts'
import { Attachment, registryOf } from './bootstrap/attachment.ts'
import type { DialFailure } from './bootstrap/dial-race.ts'
import { findNetwork } from './bootstrap/find-network.ts'
import { ownKey } from './bootstrap/own-key.ts'
import { PendingInvite } from './bootstrap/pending-invite.ts'
import { pinOf, requirePin } from './bootstrap/pin-checks.ts'
import { dataFiles, socketPath } from './config/paths.ts'
import type { Config } from './config/schema.ts'
import { createControl } from './control/handlers.ts'
import { startControlServer } from './control/server.ts'
import { type NodeDocuments, nodeDocuments } from './documents/node-documents.ts'
import { EventBus } from './event-bus.ts'
import { recordHistory } from './history/record-history.ts'
import { followHooks } from './hooks/hook-events.ts'
import type { Host } from './host/host-services.ts'
import type { Housekeeping } from './housekeeping.ts'
import { type HttpApi, openHttp } from './http/index.ts'
import { createLogging, type Logging } from './logging.ts'
import { openMetrics, type ProcessMetrics } from './metrics/index.ts'
import type { NetworkNode } from './network-node.ts'
import type { NodeContext } from './node-context.ts'
import type { MemberHandler, Node, NodeOptions } from './node-interface.ts'
import { putOtherHistoryAside } from './put-aside.ts'
import { Resolvers } from './resolve/resolvers.ts'
import type { RootController } from './root/root-controller.ts'
import { KeyRotation } from './self/key-rotation.ts'
import { CachedPeers, phaseFacts } from './status/phase-facts.ts'
import { type PhaseFacts, PhaseTracker } from './status/phases.ts'
import { StopSteps } from './stop-steps.ts'

/** The phase follows what happens within this time; in a burst of records it is judged no more often. */
const judgeMs = 20

/** Makes a node; nothing runs before `start`. @throws ConfigError, KeyFileError */
export const createNode = async (options: NodeOptions): Promise<Node> => new TrustNode(options)

export class TrustNode implements Node, NodeContext {
  readonly control: ControlApi
  readonly configFile: string | undefined
  readonly readConfig: (() => Config) | undefined
  readonly rotation: KeyRotation
  readonly logging: Logging
  readonly clock: SteadyClock
  readonly software = versionInfo().version
  readonly phases: PhaseTracker
  readonly stopSteps = new StopSteps()
  readonly services: Supervisor
  readonly events = new EventBus()
  readonly invites: PendingInvite
  readonly resolvers: Resolvers
  readonly portWaitMs: number | undefined
  readonly #failure = Promise.withResolvers<never>()
  readonly #end = Promise.withResolvers<void>()
  readonly failed = this.#failure.promise
  readonly stopped = this.#end.promise
  readonly #options: NodeOptions
  #config: Config
  #beginning: Promise<unknown> = Promise.resolve()
  readonly #over = new AbortController()
  readonly documents: NodeDocuments = nodeDocuments(() => this.registry, this.events, this.signal)
  readonly #protocols = new AppProtocols()
  readonly #cachedPeers = new CachedPeers()
  readonly #judging = new Throttle(() => this.#judge(), judgeMs)
  #attachment: Attachment | undefined
  #server: AsyncDisposable | undefined
  #http: HttpApi | undefined
  metrics: ProcessMetrics | undefined
  #stopping: Promise<void> | undefined
  readonly #dropNewKey: () => void
  #left = false
  readonly #stopHooks: () => void
  readonly #stopHistory: (reason: string) => void
  #starting: Promise<void> | undefined
  #discovering: Promise<void> | undefined
  /** Failures in the last round of looking for the network. */
  discoveryFailures: readonly DialFailure[] = []
  #finding: Running | undefined

  constructor(options: NodeOptions) {
    // A reload changes it in place.
    const config = structuredClone(options.config)
    this.#config = config
    this.readConfig = options.reload
    this.portWaitMs = options.portWaitMs
    this.configFile = options.configFile
    this.logging = options.logging ?? createLogging({ node: config.name, ...config.logging })
    this.clock = new SteadyClock(options.clock === undefined ? {} : { clock: options.clock })
    this.services = new Supervisor(this.clock)
    this.phases = new PhaseTracker(this.clock)
    this.#options = options
    makeFolder(config.paths.data, 0o700)
    this.invites = new PendingInvite(config, options.invite)
    const { key, dropNew } = ownKey(config, this.invites)
    this.#dropNewKey = dropNew
    this.rotation = new KeyRotation(config.paths.key, key)
    this.resolvers = new Resolvers(this)
    this.failed.catch(() => {})
    this.control = createControl(this)
    this.#stopHooks = followHooks(this)
    this.#stopHistory = recordHistory(this)
  }

  /** A root that was replaced runs as a secondary, whatever its file says. */
  get config(): Config {
    return this.#config
  }

  /** The node's own key, which `identity rotate` changes. */
  get key(): SigningKey {
    return this.rotation.key
  }

  get peerId(): string {
    return peerIdText(this.key.publicKey)
  }

  /** undefined until the network was found. */
  get network(): NetworkNode | undefined {
    return this.#attachment?.network
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
    if (this.network === undefined)
      throw new UnavailableError('the network was not found yet; this node goes on looking', 5_000)
    return this.network
  }

  /** Backups and other chores; undefined until the network was found. */
  get housekeeping(): Housekeeping | undefined {
    return this.#attachment?.housekeeping
  }

  /** Duties that only a root has; undefined until the network was found. */
  get duties(): RootController | undefined {
    return this.#attachment?.duties
  }

  get isStopping(): boolean {
    return this.#over.signal.aborted
  }

  /** Aborts when the node stops. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** Once. What was begun is ended again when it fails. */
  async start(): Promise<void> {
    if (this.isStopping) throw new UnavailableError('this node was stopped: make a new one', 0)
    if (this.#starting !== undefined) throw new InvalidPayloadError('this node was started already')
    this.#starting = this.#start()
    try {
      await this.#starting
    } catch (error) {
      await this.stop('it could not start')
      if (this.#discovering === undefined) this.#dropNewKey()
      throw error
    }
  }

  async #start(): Promise<void> {
    const { config, control: api } = this
    const { logger } = this.logging
    const { store } = dataFiles(config.paths.data)
    if (this.invites.invite !== undefined) putOtherHistoryAside(store, { clock: this.clock, logger })
    const genesis = peekGenesis(store)
    if (genesis === undefined) requirePin(config, this.pin)
    await this.rotation.startFrom(store)
    if (this.#options.control ?? true) {
      const path = socketPath(config.paths.runtime, config.name)
      this.#server = await startControlServer({ path, api, logger, part: this.services.part('control') })
    }
    this.metrics = await openMetrics(this)
    this.#http = await openHttp(this)
    if (genesis !== undefined) {
      await this.#attach(genesis)
      return
    }
    logger.info({ peer: this.peerId, role: config.role }, 'first start: looking for the network')
    this.#discovering = this.#discover().catch((error: Error) => {
      if (!this.#over.signal.aborted) this.#failure.reject(error)
    })
  }

  /** Address of the HTTP API; undefined: it is off, or does not listen. */
  get httpUrl(): string | undefined {
    return this.#http?.url
  }

  /** Network id of the invite or the configuration. */
  get pin(): Uint8Array | undefined {
    return this.invites.invite?.networkId ?? pinOf(this.config)
  }

  async #discover(): Promise<void> {
    const genesis = await findNetwork(this, {
      onFailure: (failures) => {
        this.discoveryFailures = failures
        this.changed()
      },
      onBegun: (discovery) => {
        this.#finding = discovery
      }
    })
    await this.#attach(genesis)
  }

  async #attach(genesis: Uint8Array, goesOn = false): Promise<void> {
    const registry = await registryOf(this, genesis)
    if (registry.role !== this.config.role) this.#config = { ...this.config, role: registry.role }
    const protocols = this.#protocols
    this.#attachment = new Attachment(this, { registry, protocols, goesOn })
    this.events.follow(registry, this.#attachment.network.trust)
    await this.#attachment.start(this.#over.signal)
    this.changed()
  }

  /**
   * Begins anew inside of this process, with the same store and control socket: the host goes, `change` is made while nothing is open, and it comes back.
   * A failure then ends the process, whose next start goes on.
   */
  async beginAnew(reason: string, change: () => void | Promise<void>, isDue = (): boolean => true): Promise<void> {
    const begun = this.#beginning.then(async () => (isDue() ? await this.#beginAnew(reason, change) : undefined))
    this.#beginning = begun.catch((error: Error) => (this.isStopping ? undefined : this.#failure.reject(error)))
    await begun
  }

  async #beginAnew(reason: string, change: () => void | Promise<void>): Promise<void> {
    this.#over.signal.throwIfAborted()
    const { attached, config } = this
    const genesis = attached.registry.genesis.bytes
    // Whoever knows this node knows the port that it has now.
    this.#config = { ...config, listen: { ...config.listen, port: attached.port } }
    const goesOn = attached.registry.root !== undefined && attached.registry.root.refusal === undefined
    const before = this.#attachment
    this.#attachment = undefined
    await before?.stop(reason, false, this.stopSteps)
    this.#over.signal.throwIfAborted()
    await change()
    await this.#attach(genesis, goesOn)
  }

  /** Goes on with another key. */
  async useKey(key: SigningKey): Promise<void> {
    await this.beginAnew(
      'it goes on with a new key',
      () => this.rotation.use(key),
      () => this.key !== key
    )
  }

  async joined({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const isJoined = (): boolean =>
      this.network?.isMember() === true && (this.config.role === 'root' || this.network.session !== undefined)
    await Promise.race([this.until(isJoined, signal), this.failed])
  }

  /** Resolves when the condition holds; it is looked at after every change. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    await this.events.until(condition, AbortSignal.any([this.signal, ...(signal === undefined ? [] : [signal])]))
  }

  changed(): void {
    this.#judging.ask()
  }

  #judge(): void {
    // It begins anew: what a view shows is that of before.
    if (this.#attachment === undefined && this.phases.name !== 'bootstrap') return
    this.#attachment?.followRotation()
    this.#attachment?.duties.changed()
    const before = this.phases.name
    if (this.network?.isMember() === true) this.invites.admitted(this.network.registry, this.logging.logger)
    if (this.phases.update(this.facts())) {
      this.logging.logger.info({ phase: this.phases.name, from: before }, `phase ${before} → ${this.phases.name}`)
    }
    this.events.tell('changed')
  }

  facts(): PhaseFacts {
    return phaseFacts(this.config.role, this.key.publicKey, this.network, this.#cachedPeers)
  }

  async handle(protocol: string, handler: MemberHandler, options: StreamHandlerOptions = {}): Promise<void> {
    await this.#protocols.add({ protocol, handler, options })
  }

  async openStream(peer: string, protocol: string, { signal }: { signal?: AbortSignal } = {}): Promise<Stream> {
    const connection = await connectionTo(this, peer, signal ?? AbortSignal.timeout(10_000))
    return await connection.newStream(protocol, signal === undefined ? {} : { signal })
  }

  /** Tries again now what was refused or not found: there is a new invite. */
  retry(): void {
    this.#finding?.wake()
    this.network?.retry()
  }

  get isLeaving(): boolean {
    return this.#left
  }

  /** The next stop says that this node has left for good; until then it asks nobody to be let in again. */
  leave(isLeaving = true): void {
    this.#left = isLeaving
  }

  stop(reason = 'stopped'): Promise<void> {
    this.#stopping ??= this.#stop(reason).finally(this.#end.resolve)
    return this.#stopping
  }

  async #stop(reason: string): Promise<void> {
    this.#over.abort(new Error('the node stops'))
    // From here on nothing is looked at later, when the store may be closed.
    this.#judging.stop()
    this.#stopHooks()
    this.#stopHistory(reason)
    this.#judge()
    const found = Promise.allSettled([this.#starting, this.#beginning]).then(() => this.#discovering)
    await this.stopSteps.wait('its start', found)
    try {
      await this.#attachment?.stop(reason, this.#left, this.stopSteps)
    } finally {
      await this.stopSteps.wait('the HTTP server', this.#http?.[Symbol.asyncDispose]())
      this.metrics?.[Symbol.dispose]()
      await this.stopSteps.wait('the control socket', this.#server?.[Symbol.asyncDispose]())
    }
    if (this.network !== undefined || this.#discovering !== undefined) this.logging.logger.info({ reason }, 'stopped')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
