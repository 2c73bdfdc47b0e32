import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../../identity/role.ts'
import type { ConnectionListener, TrustedMember } from '../../protocols/engine/trust/connection-trust.ts'
import { SyncCursors, sync } from '../../protocols/sync/index.ts'
import type { Checkpoint } from '../../registry/objects/checkpoint.ts'
import { either, onAbort, within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { Backoff } from '../../runtime/backoff.ts'
import { sleep } from '../../runtime/sleep.ts'
import { finished, type Running, type Supervisor } from '../../runtime/supervisor.ts'
import { beginStep } from '../../runtime/trace.ts'
import { backoffOf } from '../config/backoff.ts'
import { isTimeout, isUnsupported } from '../errors.ts'
import { errorFrom } from '../session/types.ts'
import type { ReplicatorInit } from './types.ts'

interface Source {
  readonly connection: Connection
  readonly member: TrustedMember
}

interface Subscription extends Source {
  readonly over: AbortController
  caughtUp: boolean
}

const askHolderMs = 500
const followHolderMs = 5_000
const othersAsked = 3
/** Until one that does not serve sync at all is asked again. */
const unsupportedPauseMs = 60_000
/** At a time, from different sources. */
const mostPulls = 3
/** All members of a registry that died ask the same one. */
const perMemberMs = 10

/** Interval of the periodic pull: from 1,000 members on the pulls of all together stay as many as they are. */
export const pullIntervalMs = (leastMs: number, members: number): number => Math.max(leastMs, members * 60)

/** Keeps the replica up to date: a subscription to each registry that counts, and a pull now and then from somebody else. */
export class Replicator {
  readonly #init: ReplicatorInit
  readonly #isRegistry: boolean
  readonly #cursors: SyncCursors
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #over = new AbortController()
  #lastSource: { publicKey: Uint8Array; at: number } | undefined
  /** Sources that are pulled from now, by PeerId, the oldest first. */
  readonly #pulls = new Map<string, AbortController>()
  #pulling: Running | undefined
  #services: Supervisor | undefined

  constructor(init: ReplicatorInit) {
    this.#init = init
    this.#isRegistry = isRegistryRole(init.config.role)
    this.#cursors = new SyncCursors(init.target.replica.events)
  }

  start(services: Supervisor): void {
    const { trust, target, config } = this.#init
    const { replica } = target
    // A registry follows registries alone: thousands of members who come back at once are none of its sources.
    const changed: ConnectionListener = (_, { role }) => {
      if (!this.#isRegistry || isRegistryRole(role)) this.reconcile()
    }
    const stops = [trust.onMember(changed), trust.onGone(changed)]
    onAbort(this.#over.signal, () => {
      for (const stop of stops) stop()
    })
    this.#services = services
    this.reconcile()
    // The truth behind the pushes: a lost push, or a registry that stands still, is made good by somebody else's replica.
    this.#pulling = services.run('sync', {
      everyMs: () =>
        pullIntervalMs(config.replication.intervalMs, replica.state.memberCount) * (0.75 + Math.random() / 2),
      round: () => inBackground(this.#pull(), 'a pull'),
      isToldApart: true
    })
  }

  stop(): void {
    this.#over.abort(new Error('the node stops'))
    inBackground(this.#pulling?.stop(), 'ending the periodic pull')
    for (const { over } of this.#subscriptions.values()) over.abort(this.#over.signal.reason)
    this.#subscriptions.clear()
  }

  /** This replica has a newer head: whoever is followed has had the time to learn of the ones before. */
  advanced(checkpoint: Checkpoint): void {
    const { lag } = this.#init
    lag.advanced(checkpoint)
    for (const { connection, member } of this.#subscriptions.values()) lag.look(connection, member.publicKey)
  }

  /** The source that last gave all that it had, and how long ago (ms). */
  get source(): { publicKey: Uint8Array; ageMs: number } | undefined {
    const last = this.#lastSource
    return last && { publicKey: last.publicKey, ageMs: this.#init.clock.monotonic() - last.at }
  }

  /** Registries that tell this process every change now. */
  get subscriptions(): TrustedMember[] {
    return [...this.#subscriptions.values()].filter(({ caughtUp }) => caughtUp).map(({ member }) => member)
  }

  /** Opens the subscriptions that are missing and ends those that are not wanted any more. */
  reconcile(): void {
    if (this.#over.signal.aborted) return
    const wanted = this.#wanted()
    for (const [id, { over, connection }] of this.#subscriptions) {
      if (wanted.get(id)?.connection === connection) continue
      over.abort(new Error('another registry is followed now'))
      this.#subscriptions.delete(id)
    }
    for (const [id, source] of wanted) if (!this.#subscriptions.has(id)) this.#subscribe(id, source)
  }

  /**
   * The session with a registry ended. Who holds its lease (`holder`; unknown when that is news) sees at the same time what became of it,
   * and perhaps nobody follows that one: it is followed for a moment.
   */
  async lost(holder: Uint8Array | undefined, members: number): Promise<void> {
    this.reconcile()
    const { signal } = this.#over
    await sleep(askHolderMs + Math.random() * members * perMemberMs, signal).catch(() => {})
    const others = this.#sources().filter(({ member }) => !this.#subscriptions.has(peerIdText(member.publicKey)))
    const holders = others.filter(({ member }) => holder !== undefined && equals(member.publicKey, holder))
    const asked = holders.length > 0 ? holders : others.slice(0, othersAsked)
    const moment = within(followHolderMs, signal)
    const follow = async ({ connection, member }: (typeof others)[number]): Promise<void> =>
      await this.#sync(member.publicKey, connection, true, moment)
    await Promise.allSettled(asked.map(follow))
  }

  /** True when somebody pushes every change to this process. */
  get follows(): boolean {
    return this.subscriptions.length > 0
  }

  /** Asks somebody now, `from` when it is connected: there is a newer head that no push has brought. */
  pull(from?: Uint8Array): void {
    inBackground(this.#pull(from), 'pulling')
  }

  #wanted(): Map<string, Source> {
    const { trust, owner } = this.#init
    const isRegistry = this.#isRegistry
    const wanted = new Map<string, Source>()
    if (!owner.isServed()) return wanted
    const holder = owner.leaseHolder()
    let fallback: Source | undefined
    for (const source of trust.members()) {
      const { member, connection } = source
      const id = peerIdText(member.publicKey)
      const counts = isRegistry ? isRegistryRole(member.role) : holder !== undefined && equals(member.publicKey, holder)
      // A connection that is followed already is kept while it lives.
      if (counts && (!wanted.has(id) || this.#subscriptions.get(id)?.connection === connection)) wanted.set(id, source)
      if (servesRegistry(member.role) && connection.status === 'open') fallback ??= source
    }
    if (wanted.size === 0 && fallback !== undefined && !isRegistry)
      wanted.set(peerIdText(fallback.member.publicKey), fallback)
    return wanted
  }

  /** A service of its own for each registry that is followed. */
  #subscribe(id: string, source: Source): void {
    const { connection, member } = source
    const { logger, config } = this.#init
    const init = backoffOf(config)
    const backoff = new Backoff(init)
    const subscription: Subscription = { ...source, over: new AbortController(), caughtUp: false }
    this.#subscriptions.set(id, subscription)
    const isOver = (): boolean => subscription.over.signal.aborted || connection.status !== 'open'
    const following = this.#services?.run(`sync from ${member.name}`, {
      everyMs: 0,
      isPassing: true,
      round: async () => {
        const ended = isOver() ? undefined : await this.#follow(subscription, backoff)
        if (ended !== undefined && !isOver()) throw ended
        if (this.#subscriptions.get(id) === subscription) this.#subscriptions.delete(id)
        return finished
      },
      onFailed: (error) => {
        // It will not serve in a moment what it does not serve now.
        const pauseMs = isUnsupported(error) ? unsupportedPauseMs : init.initialMs + backoff.next()
        const fields = { peer: id, error: String(error), retry_after_seconds: Math.round(pauseMs / 1000) }
        logger.warn(fields, 'a sync subscription ended; the replica stands still until it is opened again')
        return pauseMs
      }
    })
    onAbort(subscription.over.signal, () => inBackground(following?.stop(), 'ending a subscription'))
  }

  /** Gives the reason why it ended. */
  async #follow(subscription: Subscription, backoff: Backoff): Promise<Error> {
    const { connection, member, over } = subscription
    const onCaughtUp = (): void => {
      subscription.caughtUp = true
      backoff.reset()
    }
    try {
      await this.#sync(member.publicKey, connection, true, over.signal, onCaughtUp)
      return new Error('it was ended in order')
    } catch (error) {
      return errorFrom(error)
    } finally {
      subscription.caughtUp = false
    }
  }

  async #sync(
    publicKey: Uint8Array,
    connection: Connection,
    subscribe: boolean,
    signal: AbortSignal,
    onCaughtUp?: () => void
  ): Promise<void> {
    const { target, limits, logger, config, clock } = this.#init
    const step = beginStep(this.#lastSource === undefined ? 'first_sync' : 'delta', { peer: peerIdText(publicKey) })
    const cursors = this.#cursors
    const options = { limits, logger, subscribe, records: config.replication.enabled, cursors, signal }
    const done = step.run(() =>
      sync(connection, target, {
        ...options,
        onShown: (checkpoint) => {
          this.#init.lag.shown(connection, publicKey, checkpoint)
          this.#init.owner.sourceShowed(publicKey, checkpoint)
        },
        onCaughtUp: () => {
          step.end()
          this.#lastSource = { publicKey, at: clock.monotonic() }
          onCaughtUp?.()
          this.#init.owner.caughtUp()
        }
      })
    )
    try {
      await done
    } catch (error) {
      step.end(error)
      // The end of a moment that was planned is none.
      if (isTimeout(error) && !signal.aborted) this.#init.owner.unanswered(connection)
      this.#init.owner.sourceFailed(publicKey, error)
      throw error
    }
  }

  #sources(): Source[] {
    return [...this.#init.trust.members()].filter(
      ({ member, connection }) => servesRegistry(member.role) && connection.status === 'open'
    )
  }

  /** A source that is slow holds up no pull from another one. One that is named gives way to none: the oldest ends for it. */
  async #pull(from?: Uint8Array): Promise<void> {
    if (!this.#init.owner.isServed()) return
    const sources = this.#sources().filter(({ member }) => !this.#pulls.has(peerIdText(member.publicKey)))
    const others = sources.filter(({ member }) => !this.#subscriptions.has(peerIdText(member.publicKey)))
    const named = from && sources.find(({ member }) => equals(member.publicKey, from))
    const source = named ?? others[Math.floor(Math.random() * others.length)]
    if (source === undefined) return
    if (this.#pulls.size >= mostPulls) {
      if (from === undefined) return
      this.#pulls.values().next().value?.abort(new Error('a newer head is fetched from another source'))
    }
    await this.#pullFrom(source)
  }

  async #pullFrom({ member: { publicKey }, connection }: Source): Promise<void> {
    const id = peerIdText(publicKey)
    const over = new AbortController()
    this.#pulls.set(id, over)
    try {
      await this.#sync(publicKey, connection, false, either(this.#over.signal, over.signal))
    } catch (error) {
      const fields = { peer: id, error: String(error) }
      const level = isTimeout(error) ? 'warn' : 'debug'
      this.#init.logger[level](fields, 'a periodic pull failed; the next one asks somebody else')
    } finally {
      this.#pulls.delete(id)
    }
  }
}
