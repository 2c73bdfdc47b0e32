import type { Stream } from '@libp2p/interface'
import { peerIdText, type SigningKey } from '../identity/keys.ts'
import type { ConnectionTrust } from '../protocols/engine/trust/connection-trust.ts'
import { peekGenesis, type Registry } from '../registry/registry.ts'
import { either } from '../runtime/abort.ts'
import { InvalidPayloadError, UnavailableError } from '../runtime/errors.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import { Supervisor } from '../runtime/supervisor.ts'
import { versionInfo } from '../runtime/version.ts'
import type { ControlApi } from './api/control-api.ts'
import { Attacher } from './bootstrap/attacher.ts'
import type { DialFailure } from './bootstrap/dial-race.ts'
import { ownKey } from './bootstrap/own-key.ts'
import { PendingInvite } from './bootstrap/pending-invite.ts'
import { pinOf, requirePin } from './bootstrap/pin-checks.ts'
import { announcedServices } from './components.ts'
import { dataFiles } from './config/paths.ts'
import type { Config } from './config/schema.ts'
import { createControl } from './control/create-control.ts'
import { Endpoints } from './control/endpoints.ts'
import { type NodeDocuments, nodeDocuments } from './documents/node-documents.ts'
import { EventBus } from './event-bus.ts'
import { NodeForwards } from './forward/node-forwards.ts'
import { recordHistory } from './history/record-history.ts'
import { followHooks } from './hooks/hook-events.ts'
import type { Host } from './host/host-services.ts'
import type { Housekeeping } from './housekeeping.ts'
import { Link } from './link/link.ts'
import { createLogging, type Logging } from './logging.ts'
import type { ProcessMetrics } from './metrics/reader.ts'
import type { NetworkNode } from './network-node.ts'
import type { NodeContext } from './node-context.ts'
import type { HandleOptions, Node, NodeOptions } from './node-interface.ts'
import { openStreamTo } from './program/open-stream.ts'
import { Program } from './program/program.ts'
import type { MemberHandler } from './program/protocols.ts'
import { putOtherHistoryAside } from './put-aside.ts'
import { Resolvers } from './resolve/resolvers.ts'
import type { RootController } from './root/root-controller.ts'
import { RootSeat } from './root/store/root-seat.ts'
import { KeyRotation } from './self/key-rotation.ts'
import type { AnnouncedServices } from './services/announced-services.ts'
import type { ServiceInit } from './services/offered.ts'
import { PhaseWatch } from './status/phase-watch.ts'
import { type PhaseFacts, PhaseTracker } from './status/phases.ts'
import { StopSteps } from './stop-steps.ts'
import { type NodeStores, nodeStores } from './stores/node-stores.ts'

/** Makes a node; nothing runs before `start`. @throws ConfigError, KeyFileError */
export const createNode = async (options: NodeOptions): Promise<Node> => new TrustNode(options)

export class TrustNode implements Node, NodeContext {
  /** Replaced when the store says another role (a root that was replaced runs as a secondary), and by a new beginning. */
  config: Config
  readonly control: ControlApi
  readonly configFile: string | undefined
  readonly readConfig: (() => Config) | undefined
  readonly rotation: KeyRotation
  readonly forwards: NodeForwards
  readonly logging: Logging
  readonly clock: SteadyClock
  readonly software = versionInfo().version
  readonly phases: PhaseTracker
  readonly stopSteps = new StopSteps()
  readonly services: Supervisor
  readonly events = new EventBus()
  readonly invites: PendingInvite
  /** Replaced when the log moves. */
  seat: RootSeat | undefined
  readonly resolvers: Resolvers
  readonly link: Link | undefined
  readonly announced: AnnouncedServices
  readonly portWaitMs: number | undefined
  readonly program: Program
  readonly #end = Promise.withResolvers<void>()
  readonly stopped = this.#end.promise
  readonly #options: NodeOptions
  readonly #over = new AbortController()
  readonly documents: NodeDocuments = nodeDocuments(() => this.registry, this.events, this.signal)
  readonly stores: NodeStores = nodeStores(this)
  readonly #attacher = new Attacher(this)
  readonly #watch = new PhaseWatch(this, this.#attacher)
  readonly #endpoints = new Endpoints()
  readonly failed = this.#attacher.failed
  #stopping: Promise<void> | undefined
  readonly #dropNewKey: () => void
  #left = false
  readonly #followers: readonly ((reason: string) => void)[]
  #starting: Promise<void> | undefined

  constructor(options: NodeOptions) {
    // A reload changes it in place.
    const config = structuredClone(options.config)
    this.config = config
    this.readConfig = options.reload
    this.portWaitMs = options.portWaitMs
    this.configFile = options.configFile
    this.logging = options.logging ?? createLogging({ node: config.name, ...config.logging })
    this.program = new Program(options.program ?? {}, this.logging.logger)
    this.clock = new SteadyClock(options.clock === undefined ? {} : { clock: options.clock })
    this.services = new Supervisor(this.clock)
    this.phases = new PhaseTracker(this.clock)
    this.#options = options
    makeFolder(config.paths.data, 0o700)
    this.invites = new PendingInvite(config, options.invite)
    const { key, dropNew } = ownKey(config, this.invites)
    this.#dropNewKey = dropNew
    this.rotation = new KeyRotation(config.paths.key, key)
    this.link = config.link === 'on' ? new Link(this) : undefined
    this.resolvers = new Resolvers(this)
    this.seat = RootSeat.of(this)
    this.announced = announcedServices(this)
    this.forwards = new NodeForwards(this)
    this.control = createControl(this)
    this.#followers = [followHooks(this), recordHistory(this)]
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
    return this.#attacher.attachment?.network
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
    return this.#attacher.attachment?.housekeeping
  }

  /** Duties that only a root has; undefined until the network was found. */
  get duties(): RootController | undefined {
    return this.#attacher.attachment?.duties
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
      if (!this.#attacher.hasSearched) this.#dropNewKey()
      throw error
    }
  }

  async #start(): Promise<void> {
    const { config, clock } = this
    const { store } = dataFiles(config.paths.data)
    if (this.invites.invite !== undefined) putOtherHistoryAside(store, { clock, logger: this.logging.logger })
    const genesis = peekGenesis(store)
    if (genesis === undefined) requirePin(config, this.pin)
    await this.rotation.startFrom(store)
    await this.#endpoints.open(this, this.#options.control ?? true)
    await this.link?.start(this.services)
    await this.#attacher.start(genesis)
    this.seat?.start()
  }

  /** Address of the HTTP API; undefined: it is off, or does not listen. */
  get httpUrl(): string | undefined {
    return this.#endpoints.httpUrl
  }

  /** undefined: there is no HTTP API that would tell them. */
  get metrics(): ProcessMetrics | undefined {
    return this.#endpoints.metrics
  }

  /** Failures in the last round of looking for the network. */
  get discoveryFailures(): readonly DialFailure[] {
    return this.#attacher.failures
  }

  /** Network id of the invite or the configuration. */
  get pin(): Uint8Array | undefined {
    return this.invites.invite?.networkId ?? pinOf(this.config)
  }

  /**
   * Begins anew inside of this process, with the same store and control socket: the host goes, `change` is made while nothing is open, and it comes back.
   * A failure then ends the process, whose next start goes on.
   */
  async beginAnew(reason: string, change: () => void | Promise<void>, isDue = (): boolean => true): Promise<void> {
    await this.#attacher.beginAnew(reason, change, this.stopSteps, isDue)
  }

  /** Goes on with another key. */
  async useKey(key: SigningKey): Promise<void> {
    const change = (): void => this.rotation.use(key)
    await this.beginAnew('it goes on with a new key', change, () => this.key !== key)
  }

  /** Stands for the place of the root at another database, or at none. */
  useSeat(seat: RootSeat | undefined): void {
    this.seat = seat
    this.config.root.store = seat?.store
    seat?.start()
    this.changed()
  }

  async joined({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const isJoined = (): boolean =>
      this.network?.isMember() === true && (this.config.role === 'root' || this.network.session !== undefined)
    await Promise.race([this.until(isJoined, signal), this.failed])
  }

  /** Resolves when the condition holds; it is looked at after every change. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    await this.events.until(condition, either(this.signal, signal))
  }

  changed(): void {
    this.#watch.changed()
  }

  facts(): PhaseFacts {
    return this.#watch.facts()
  }

  async handle(protocol: string, handler: MemberHandler, { announce, ...options }: HandleOptions = {}): Promise<void> {
    using said = new DisposableStack()
    if (announce !== undefined) said.use(this.announce({ name: announce.name, tags: announce.tags }))
    await this.program.protocols.add({ protocol, handler, options })
    said.move()
  }

  announce(service: ServiceInit): Disposable {
    return this.announced.announce(service)
  }

  async openStream(peer: string, protocol: string, { signal }: { signal?: AbortSignal } = {}): Promise<Stream> {
    return await openStreamTo(this, { peer, protocol }, signal)
  }

  /** Tries again now what was refused or not found: there is a new invite. */
  retry(): void {
    this.#attacher.retry()
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
    for (const stop of this.#followers) stop(reason)
    this.#watch.stop()
    this.link?.stop()
    const found = Promise.allSettled([this.#starting]).then(() => this.#attacher.settled())
    await this.stopSteps.wait('its start', found)
    try {
      await this.#attacher.attachment?.stop(reason, this.#left, this.stopSteps)
      await this.stopSteps.wait('the lease of the log', this.seat?.stop())
    } finally {
      await this.#endpoints.close(this.stopSteps)
    }
    if (this.network !== undefined || this.#attacher.hasSearched) this.logging.logger.info({ reason }, 'stopped')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
