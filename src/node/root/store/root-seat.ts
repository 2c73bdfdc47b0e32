import { existsSync } from 'node:fs'
import { equals } from 'uint8arrays/equals'
import { loadKey } from '../../../identity/key-file.ts'
import { peerIdText, type SigningKey } from '../../../identity/keys.ts'
import { isRegistryRole } from '../../../identity/role.ts'
import type { Replica } from '../../../registry/log/replica.ts'
import { EngineCommit } from '../../../registry/log/root-log/engine-commit.ts'
import type { LogCommit } from '../../../registry/log/root-log/log-commit.ts'
import { LeaseLostError, type RootLease, type RootLogState } from '../../../registry/log/root-log/root-log.ts'
import type { Registry } from '../../../registry/registry.ts'
import { inBackground } from '../../../runtime/background.ts'
import type { Clock } from '../../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../../runtime/error-message.ts'
import { type Running, Supervisor } from '../../../runtime/supervisor.ts'
import { ownStore } from '../../config/field-types/root-store-field.ts'
import { dataFiles } from '../../config/paths.ts'
import type { Config } from '../../config/schema.ts'
import { readSecret } from '../../config/secrets.ts'
import type { Logging } from '../../logging.ts'
import { openEngine } from './open-engine.ts'
import type { SharedRootLog } from './shared-root-log.ts'

/** The lease of a root that says nothing ends after it, so a candidate takes its place within five seconds. */
const leaseMs = 3000
/** Three renewals may be lost, and a candidate looks as often. */
const lookMs = 750

/** A candidate says so often that it is there, by the monotonic clock. */
const attendMs = 5000

/** State of the database that keeps the log, as this process saw it last. */
export interface SeatView {
  /** Database, as the configuration names it. */
  readonly store: string
  /** undefined: it was not seen since the start. */
  readonly state: RootLogState | undefined
  /** PeerIds of others that stand for the place of the root. */
  readonly others: readonly string[]
  /** Settings by which the server may lose what it has answered. */
  readonly weaknesses: readonly string[]
}

/** The node whose seat it is. */
export interface SeatNode {
  readonly config: Config
  readonly key: SigningKey
  readonly clock: Clock
  readonly logging: Logging
  readonly services: Supervisor
  readonly isStopping: boolean
  /** undefined until the network was found, and while the node begins anew. */
  readonly network: { readonly registry: Registry } | undefined
  beginAnew(reason: string, change: () => void, isDue: () => boolean): Promise<void>
}

/** The place of this process among those that may be the root: it holds the lease of the log in the database, or waits for it. */
export class RootSeat {
  readonly #node: SeatNode
  readonly #store: string
  readonly #password: string | undefined
  readonly #services: Supervisor
  #engine: SharedRootLog | undefined
  #lease: RootLease | undefined
  #looking: Running | undefined
  #state: RootLogState | undefined
  #others: readonly string[] = []
  #weaknesses: readonly string[] = []
  #attendedAt = Number.NEGATIVE_INFINITY

  private constructor(node: SeatNode, store: string) {
    this.#node = node
    this.#store = store
    this.#password = readSecret('rootStorePassword')
    // Its own: the lease is held also while the node begins anew.
    this.#services = new Supervisor(node.clock)
  }

  /** undefined: the configuration names no database. @throws ConfigError for a password that cannot be read */
  static of(node: SeatNode): RootSeat | undefined {
    const { store } = node.config.root
    return store === undefined || store === ownStore ? undefined : new RootSeat(node, store)
  }

  /** Database, as the configuration names it. */
  get store(): string {
    return this.#store
  }

  get view(): SeatView {
    return { store: this.#store, state: this.#state, others: this.#others, weaknesses: this.#weaknesses }
  }

  /** This process holds the lease: it is the root, or becomes it. */
  get isHeld(): boolean {
    return this.#lease !== undefined
  }

  start(): void {
    this.#looking ??= this.#services.run('root store', {
      everyMs: lookMs,
      firstMs: 0,
      round: async () => {
        await this.#look()
        this.#node.services.part('root store').ok()
      },
      onFailed: (error) => {
        this.#node.services.part('root store').failed(error)
        return undefined
      }
    })
  }

  /** After the store of the node was closed. Gives the lease back, so that nobody waits for its end. */
  async stop(): Promise<void> {
    await this.#looking?.stop()
    const lease = this.#lease
    this.#lease = undefined
    try {
      if (lease !== undefined) await this.#engine?.release(lease)
    } catch (error) {
      const { logger } = this.#node.logging
      logger.warn({ error: reasonOf(error) }, 'the lease of the log was not given back: it ends by itself in seconds')
    }
    await this.#engine?.[Symbol.asyncDispose]()
  }

  /** The way of a root into the history that the database keeps. */
  commitOf(replica: Replica): LogCommit {
    return new EngineCommit({
      engine: this.#engineOf(replica.networkId),
      lease: () => this.#lease,
      onLease: (before, now) => {
        if (this.#lease?.term === before.term) this.#hold(now)
      },
      replica,
      logger: this.#node.logging.logger
    })
  }

  #engineOf(networkId: Uint8Array): SharedRootLog {
    this.#engine ??= openEngine({ store: this.#store, password: this.#password, networkId, leaseMs })
    return this.#engine
  }

  async #look(): Promise<void> {
    if (this.#node.isStopping) return
    if (this.#lease !== undefined) await this.#renew(this.#lease)
    else if (this.#node.network !== undefined) await this.#tryFor(this.#node.network.registry)
    this.#follow()
    await this.#attend()
  }

  /** Tells the others of this process, and looks how it is with the database. */
  async #attend(): Promise<void> {
    const engine = this.#engine
    if (engine === undefined) return
    this.#state = await engine.state()
    const nowMs = this.#node.clock.monotonic()
    if (nowMs - this.#attendedAt < attendMs) return
    this.#attendedAt = nowMs
    this.#others = await engine.attend(peerIdText(this.#node.key.publicKey))
    const weaknesses = await engine.weaknesses()
    if (weaknesses.length > 0 && weaknesses.join() !== this.#weaknesses.join()) {
      this.#node.logging.logger.warn({ settings: weaknesses }, 'the database of the log may lose what it has answered')
    }
    this.#weaknesses = weaknesses
  }

  async #renew(lease: RootLease): Promise<void> {
    try {
      await this.#engine?.renew(lease)
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error
      if (this.#lease?.term === lease.term) this.#hold(undefined)
    }
  }

  async #tryFor(registry: Registry): Promise<void> {
    const { replica } = registry
    if (!this.#mayHold(replica)) return
    const engine = this.#engineOf(replica.networkId)
    const holder = peerIdText(this.#node.key.publicKey)
    const state = await engine.state()
    const { head, checkpoint } = replica
    if (state === undefined || state.head.epoch < head.epoch) {
      if (checkpoint?.value.n !== head.n || !this.#isRootOfLog(replica)) return
      this.#hold(await engine.begin(holder, { head, checkpoint: checkpoint.bytes }))
    } else if (canFollow(replica, state)) {
      this.#hold(await engine.acquire(holder))
    }
  }

  /** A member that serves as a registry and has the log key of today. */
  #mayHold({ state, isForked }: Replica): boolean {
    const { publicKey } = this.#node.key
    const path = dataFiles(this.#node.config.paths.data).logKey
    const role = state.member(publicKey)?.role
    if (isForked || role === undefined || !isRegistryRole(role) || state.isRevoked(publicKey)) return false
    return existsSync(path) && state.keys.isKeyOf(state.keys.epoch, loadKey(path).publicKey)
  }

  /** Nobody else brings the log to the database: a candidate may hold less of it. */
  #isRootOfLog({ state }: Replica): boolean {
    const root = state.rootRegistry()
    return root !== undefined && equals(root.publicKey, this.#node.key.publicKey)
  }

  #hold(lease: RootLease | undefined): void {
    if (lease === undefined && this.#lease === undefined) return
    this.#lease = lease
    const { logger } = this.#node.logging
    if (lease === undefined)
      logger.warn({}, 'another process holds the lease of the log: this one is a secondary from now on')
    else logger.info({ term: lease.term }, 'this process holds the lease of the log')
    this.#follow()
  }

  /** Brings what the node is to what the lease says. */
  #follow(): void {
    if (this.#node.isStopping || !this.#isDue()) return
    const reason = this.#lease === undefined ? 'another process is the root' : 'it becomes the root'
    inBackground(
      this.#node.beginAnew(reason, () => {}, this.#isDue),
      'following the lease of the log'
    )
  }

  readonly #isDue = (): boolean => {
    const registry = this.#node.network?.registry
    return registry !== undefined && (registry.role === 'root') !== this.isHeld
  }
}

/** The database has all that the replica lacks, or lacks what that has. */
const canFollow = ({ head }: Replica, { firstN, head: theirs }: RootLogState): boolean =>
  theirs.epoch === head.epoch && (firstN <= head.n + 1 || theirs.n <= head.n)
