import { peerIdText, type SigningKey } from '../../../identity/keys.ts'
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
import type { Logging } from '../../logging.ts'
import { AwayAlarm } from './away-alarm.ts'
import { fillHistory, lackingEntries } from './fill-history.ts'
import type { HeldLease } from './move-log.ts'
import { openEngine, requireSecret } from './open-engine.ts'
import type { SeatView } from './seat-view.ts'
import type { SharedRootLog } from './shared-root-log.ts'
import { clockFault, standingFault } from './standing.ts'
import { takeLog } from './take-log.ts'

/** The lease of a root that says nothing ends after it, so a candidate takes its place within five seconds. */
const leaseMs = 3000
/** Three renewals may be lost, and a candidate looks as often. */
const lookMs = 750
/** Pause of a candidate where the engine ends a lease late, or gives whole seconds. */
const overdueMs = 200
/** A candidate says so often that it is there, by the monotonic clock. */
const attendMs = 5000
/** Name of this part of the process. */
const part = 'root store'
const historyPart = 'root history'

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
  readonly #services: Supervisor
  #engine: SharedRootLog | undefined
  #lease: RootLease | undefined
  #looking: Running | undefined
  #filling: Running | undefined
  /** With the moments when it was seen, and when the lease was given or renewed last. */
  #seen: { readonly state: RootLogState | undefined; readonly atMs: number } | undefined
  #renewedAt = 0
  #fault: string | undefined
  #others: readonly string[] | undefined
  #weaknesses: readonly string[] = []
  #attendedAt = Number.NEGATIVE_INFINITY
  readonly #alarm: AwayAlarm

  /** @throws ConfigError for a secret that cannot be read */
  private constructor(node: SeatNode, store: string) {
    this.#node = node
    this.#store = store
    requireSecret(store)
    // Its own: the lease is held also while the node begins anew.
    this.#services = new Supervisor(node.clock)
    this.#alarm = new AwayAlarm(node.clock)
  }

  /** undefined: the store of the root keeps the log, no database. */
  static of(node: SeatNode, store = node.config.root.store): RootSeat | undefined {
    return store === undefined || store === ownStore ? undefined : new RootSeat(node, store)
  }

  /** One that holds a lease already. */
  static holding(node: SeatNode, store: string, { lease, networkId }: HeldLease): RootSeat {
    const seat = new RootSeat(node, store)
    seat.#engineOf(networkId)
    seat.#hold(lease)
    return seat
  }

  /** Database, as the configuration names it. */
  get store(): string {
    return this.#store
  }

  get view(): SeatView {
    const nowMs = this.#node.clock.monotonic()
    const { state, lastError, sinceMs } = this.#node.services.part(part).view
    return {
      store: this.#store,
      state: stateAt(this.#seen, nowMs),
      leaseLeftMs: this.#lease && leaseMs - (nowMs - this.#renewedAt),
      failure: state === 'ok' ? undefined : { message: lastError ?? 'it does not answer', sinceMs },
      fault: this.#fault,
      others: this.#others,
      weaknesses: this.#weaknesses
    }
  }

  /** This process holds the lease: it is the root, or becomes it. */
  get isHeld(): boolean {
    return this.#lease !== undefined
  }

  start(): void {
    this.#looking ??= this.#services.run(part, {
      everyMs: lookMs,
      firstMs: 0,
      round: async () => {
        await this.#look()
        this.#node.services.part(part).ok()
        return this.#pauseMs
      },
      onFailed: (error) => {
        this.#node.services.part(part).failed(error)
        const { network } = this.#node
        if (network !== undefined) this.#alarm.look(this.view, network.registry.alarms)
        return undefined
      }
    })
    // Beside it: a lease is renewed in time also while a slow database takes a page.
    this.#filling ??= this.#services.run(historyPart, {
      everyMs: lookMs,
      round: async (signal) => await this.#fill(signal),
      onFailed: (error) => {
        const { logger } = this.#node.logging
        logger.warn(
          { error: reasonOf(error) },
          'older entries were not brought to the database of the log: tried again in a minute'
        )
        return 60_000
      }
    })
  }

  /** Looks no more until the next start, and keeps the lease as long as that holds. */
  async pause(): Promise<void> {
    await Promise.all([this.#looking?.stop(), this.#filling?.stop()])
    this.#looking = undefined
    this.#filling = undefined
  }

  /** After the store of the node was closed. Gives the lease back, so that nobody waits for its end. */
  async stop(): Promise<void> {
    await this.pause()
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
    this.#engine ??= openEngine({ store: this.#store, networkId, leaseMs })
    return this.#engine
  }

  /** A candidate looks again when the lease of the root ends. */
  get #pauseMs(): number | undefined {
    const leftMs = this.#seen?.state?.lease.leftMs
    const isWaiting = this.#lease === undefined && this.#fault === undefined
    if (!isWaiting || leftMs === undefined || leftMs > lookMs) return undefined
    return leftMs > 0 ? leftMs : overdueMs
  }

  async #look(): Promise<void> {
    if (this.#node.isStopping) return
    if (this.#lease !== undefined) await this.#renew(this.#lease)
    else if (this.#node.network !== undefined) await this.#tryFor(this.#node.network.registry)
    this.#follow()
    await this.#attend()
  }

  /** Brings the database the older entries that it lacks. */
  async #fill(signal: AbortSignal): Promise<void> {
    const [engine, lease, registry] = [this.#engine, this.#lease, this.#node.network?.registry]
    const state = this.#seen?.state
    if (engine === undefined || lease === undefined || state === undefined || registry?.root === undefined) return
    const { root, replica } = registry
    if (root.refusal === undefined && lackingEntries(replica, state) > 0)
      await fillHistory(engine, lease, { replica, signal })
  }

  /** Tells the others of this process, and looks how it is with the database. */
  async #attend(): Promise<void> {
    const engine = this.#engine
    if (engine === undefined) return
    const nowMs = this.#node.clock.monotonic()
    this.#seen = { state: await engine.state(), atMs: nowMs }
    if (this.#fault !== undefined || nowMs - this.#attendedAt < attendMs) return
    this.#attendedAt = nowMs
    this.#others = await engine.attend(peerIdText(this.#node.key.publicKey))
    const weaknesses = await engine.weaknesses()
    if (weaknesses.length > 0 && weaknesses.join() !== this.#weaknesses.join()) {
      this.#node.logging.logger.warn({ settings: weaknesses }, 'the database of the log may lose what it has answered')
    }
    this.#weaknesses = weaknesses
  }

  async #renew(lease: RootLease): Promise<void> {
    const nowMs = this.#node.clock.monotonic()
    try {
      await this.#engine?.renew(lease)
      this.#renewedAt = nowMs
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error
      if (this.#lease?.term === lease.term) this.#hold(undefined)
    }
  }

  async #tryFor(registry: Registry): Promise<void> {
    const { replica } = registry
    const { key, config } = this.#node
    const engine = this.#engineOf(replica.networkId)
    this.#fault = standingFault({ publicKey: key.publicKey, logKey: dataFiles(config.paths.data).logKey }, replica)
    if (this.#fault !== undefined) return
    const holder = peerIdText(this.#node.key.publicKey)
    const state = await engine.state()
    this.#fault = state && clockFault(this.#node.clock, replica, state)
    if (this.#fault !== undefined) return
    const { lease, fault } = await takeLog(registry, { engine, store: this.#store, holder })
    this.#fault = fault
    this.#hold(lease)
  }

  #hold(lease: RootLease | undefined): void {
    if (lease === undefined && this.#lease === undefined) return
    this.#lease = lease
    this.#fault = undefined
    this.#renewedAt = this.#node.clock.monotonic()
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

/** The lease has less time left than when it was seen. */
const stateAt = (
  seen: { readonly state: RootLogState | undefined; readonly atMs: number } | undefined,
  nowMs: number
): RootLogState | undefined => {
  if (seen?.state === undefined) return undefined
  const { state, atMs } = seen
  return { ...state, lease: { ...state.lease, leftMs: Math.max(0, state.lease.leftMs - (nowMs - atMs)) } }
}
