import { peerIdText } from '../../identity/keys.ts'
import { retryAfterMsOf } from '../../protocols/engine/status.ts'
import { abortReason, either } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { Backoff } from '../../runtime/backoff.ts'
import { isForGood } from '../../runtime/failures.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { beginStep, type Step } from '../../runtime/trace.ts'
import { isTimeout, JustTriedError, NoCandidateError } from '../errors.ts'
import { hold } from './heartbeat.ts'
import { type Entered, enter, RetryError } from './register.ts'
import { errorFrom, type LeaseClientInit, type RegistryPeer, refusalOf, type SessionView } from './types.ts'

export type { RegistryPeer, SessionView } from './types.ts'

/** After a refusal that will be the same in a moment a registry is asked again only so often. */
const refusedPauseMs = 30_000
const betterLookMs = 5_000
/** One that ends sooner counts as a failed try, so that registries which take us and drop us are not asked in a circle. */
const settledMs = 5_000
/** A goodbye that is not answered by then is given up. */
const goodbyeMs = 1_500

/**
 * Holds this node's lease at one registry in another process, for ever: registers, beats, renews, and moves on when the
 * registry falls silent. The first try at another one has no pause.
 */
export class LeaseClient {
  readonly #init: LeaseClientInit
  readonly #over = new AbortController()
  readonly #backoff: Backoff
  /** PeerIds of registries that failed since one held the lease for a while, or since nobody else was left. */
  readonly #tried = new Set<string>()
  /** An answer that says more than that nobody else is there: one for good, or the last one of any kind. */
  #refusal: Error | undefined
  #lastRefusal: Error | undefined
  /** A registry connected to us while others were looked for. */
  #isNews = false
  #view: SessionView | undefined
  /** From the loss of the lease until a registry holds it again. */
  #failover: Step | undefined
  /** Aborted to end a pause; `#retry` ends the wait of a joiner, too, and `#wakeBetter` the one for a better registry. */
  #wake = new AbortController()
  #wakeBetter = new AbortController()
  #retry = new AbortController()
  #running: Running | undefined

  constructor(init: LeaseClientInit) {
    this.#init = init
    this.#backoff = new Backoff({ clock: init.clock, ...init.backoff })
  }

  /** undefined: no registry holds the lease now. */
  get view(): SessionView | undefined {
    return this.#view
  }

  start(services: Supervisor): void {
    this.#running ??= services.run('lease', {
      everyMs: 0,
      round: () => this.#round(),
      onFailed: (error) => this.#failed(error),
      isToldApart: true
    })
  }

  /** A registry is there that was not: the pause is over. `isNews`: it came by itself, so that also the next pause is left out. */
  kick({ isNews = false } = {}): void {
    if (isNews) this.#isNews = true
    this.#wake.abort()
  }

  /** A root or secondary is there that was not: one that stands in for it holds the lease no longer than needed. */
  kickBetter(): void {
    this.#wakeBetter.abort()
  }

  /** There is a new invite, or somebody asked for a new try now. */
  retry(): void {
    this.#tried.clear()
    this.#retry.abort()
    this.kick()
  }

  /** Says goodbye, with the record that says so, and ends. */
  async stop(reason: string, record?: Uint8Array): Promise<void> {
    const view = this.#view
    this.#over.abort(new Error('the node stops'))
    const ended = this.#running?.stop()
    if (view !== undefined) {
      const signal = AbortSignal.timeout(goodbyeMs)
      await view.session.deregister(reason, record, { signal }).catch(() => view.session.close().catch(() => {}))
    }
    await ended
  }

  /** Sends the newest own record to the registry; without a session it goes with the next registration. */
  async put(): Promise<void> {
    const record = this.#init.selfRecord.current
    if (this.#view === undefined || record === undefined || !this.#init.membership.isMember()) return
    try {
      await this.#view.session.put(record.bytes, { signal: this.#over.signal })
    } catch (error) {
      this.#init.logger.warn(
        { error: String(error), peer: idOf(this.#view?.peer) },
        'the registry did not take the new record; it gets it with the next registration'
      )
    }
  }

  /** From looking for a registry to the end of the session with it. */
  async #round(): Promise<void> {
    const { signal } = this.#over
    const refusal = this.#init.membership.refusal()
    if (refusal !== undefined) {
      this.#init.owner.troubled(refusal)
      await this.#pause(refusedPauseMs)
      // A new epoch may have made void what this replica holds: whoever answers shows it in its hello.
      this.#tried.clear()
      await this.#init.registries.find(this.#tried, signal)
      return
    }
    this.#isNews = false
    const peer = await this.#init.registries.find(this.#tried, signal)
    if (peer === undefined) {
      this.#tried.clear()
      if (!this.#isNews) await this.#pause(this.#backoff.next())
      return
    }
    let entered: Entered | undefined = await this.#enter(peer)
    while (entered !== undefined) entered = await this.#keep(entered)
  }

  /** Its pause is over when it resolves. */
  async #failed(error: Error): Promise<number> {
    this.#init.owner.troubled(this.#refusal ?? (isNobodyElse(error) ? this.#lastRefusal : undefined) ?? error)
    this.#refusal = undefined
    this.#lastRefusal = undefined
    this.#tried.clear()
    if (this.#isNews) return 0
    const ms = isForGood(error) ? refusedPauseMs : this.#backoff.next()
    const fields = { error: error.message, retry_after_seconds: Math.round(ms / 1000) }
    this.#init.logger.warn(
      fields,
      'no registry holds the lease of this node; it goes on with what it knows and tries again'
    )
    await this.#pause(ms)
    return 0
  }

  async #pause(ms: number): Promise<void> {
    this.#wake = new AbortController()
    await sleep(ms, either(this.#over.signal, this.#wake.signal)).catch(() => {})
  }

  /** undefined: it refused us; the pause that follows from it is over. */
  async #enter(peer: RegistryPeer): Promise<Entered | undefined> {
    const { signal } = this.#over
    this.#retry = new AbortController()
    try {
      const ask = (): Promise<Entered> => enter(this.#init, peer, signal, this.#retry.signal)
      return await (this.#failover?.run(ask) ?? ask())
    } catch (error) {
      if (!signal.aborted) await this.#refused(peer, refusalOf(peer.name, errorFrom(error)))
      return undefined
    }
  }

  async #refused(peer: RegistryPeer, error: Error): Promise<void> {
    const { logger, owner } = this.#init
    if (error instanceof RetryError) return
    owner.troubled(error)
    if (isTimeout(error)) owner.unanswered(peer.connection)
    this.#tried.add(idOf(peer))
    const isFinal = isForGood(error)
    if (isFinal) this.#refusal = error
    this.#lastRefusal = error
    const ms = isFinal ? refusedPauseMs : Math.min(refusedPauseMs, retryAfterMsOf(error))
    if (error.name === 'DuplicateInstanceError')
      owner.duplicate(
        `the registry ${idOf(peer)} refused this process: it says that another one with its key is online`
      )
    logger.warn(
      { peer: idOf(peer), error: String(error), retry_after_seconds: Math.round(ms / 1000) },
      isFinal
        ? 'the registry refused this node; it asks again later'
        : 'no session with this registry; another one is tried'
    )
    if (ms > 0) await this.#pause(ms)
  }

  /** Until the session ends, or a better registry has taken over: then that one's. */
  async #keep({ view, answer }: Entered): Promise<Entered | undefined> {
    const { signal } = this.#over
    this.#view = view
    this.#failover?.end()
    this.#failover = undefined
    this.#refusal = undefined
    this.#lastRefusal = undefined
    this.#init.owner.troubled(undefined)
    const over = new AbortController()
    const living = either(signal, over.signal)
    const heldFrom = this.#init.clock.monotonic()
    try {
      await this.#registered({ view, answer })
      const next = await Promise.race([
        hold(this.#init, view, answer.heartbeatMs, living),
        this.#lookForBetter(view, living)
      ])
      inBackground(this.#release(view), 'releasing a lease')
      return next
    } catch (error) {
      this.#view = undefined
      // A better one that takes the lease only now would hold it for nobody.
      over.abort(new Error('the session is over'))
      if (!signal.aborted) await this.#lost(view, heldFrom, errorFrom(error).message)
      return undefined
    } finally {
      over.abort(new Error('the session is over'))
    }
  }

  /** The lease stands whatever becomes of what follows from it here. */
  async #registered({ view, answer }: Entered): Promise<void> {
    try {
      await this.#init.owner.registered(view, answer)
    } catch (error) {
      this.#init.logger.error(
        { error: String(error), peer: idOf(view.peer) },
        'what the registry told could not be stored here; the session goes on, and the next sync brings it again'
      )
    }
  }

  async #lost(view: SessionView, heldFrom: number, reason: string): Promise<void> {
    const { clock, owner } = this.#init
    if (clock.monotonic() - heldFrom >= settledMs) {
      this.#backoff.reset()
      this.#tried.clear()
    }
    this.#tried.add(idOf(view.peer))
    this.#failover = beginStep('failover', { from: idOf(view.peer) })
    owner.lost(view, reason)
    await view.session.close().catch(() => {})
  }

  async #release({ session }: SessionView): Promise<void> {
    await session.release({ signal: AbortSignal.timeout(goodbyeMs) }).catch(() => session.close().catch(() => {}))
  }

  /** A member that stands in for a registry gives the lease back once a root or secondary has really taken it. */
  async #lookForBetter(view: SessionView, signal: AbortSignal): Promise<Entered> {
    const { backoff, registries, logger } = this.#init
    const pauses = new Backoff({ ...backoff, initialMs: betterLookMs })
    for (let pauseMs = 0; ; ) {
      // The pause for one that refuses grows no faster because others come.
      await sleep(pauseMs, signal)
      this.#wakeBetter = new AbortController()
      await sleep(betterLookMs, either(signal, this.#wakeBetter.signal)).catch(() => {})
      if (signal.aborted) throw abortReason(signal)
      const peer = registries.better(view.peer)
      if (peer === undefined) continue
      try {
        return await this.#change(peer, signal)
      } catch (error) {
        if (signal.aborted) throw abortReason(signal)
        if (isTimeout(errorFrom(error))) this.#init.owner.unanswered(peer.connection)
        pauseMs = pauses.next()
        const fields = { peer: idOf(peer), error: String(error), retry_after_seconds: Math.round(pauseMs / 1000) }
        logger.info(fields, 'a registry did not take the lease over; it stays where it is')
      }
    }
  }

  async #change(peer: RegistryPeer, signal: AbortSignal): Promise<Entered> {
    const entered = await enter(this.#init, peer, signal, signal)
    if (!signal.aborted) return entered
    await entered.view.session.close()
    throw abortReason(signal)
  }
}

/** All who answered were asked already. */
const isNobodyElse = (error: Error): boolean =>
  error instanceof NoCandidateError && error.failures.every((failure) => failure.error instanceof JustTriedError)

const idOf = (peer: RegistryPeer | undefined): string => (peer === undefined ? '' : peerIdText(peer.publicKey))
