import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import type { Registered, RegistrySession, SessionEnd } from '../protocols/register/index.ts'
import { StaleRecordError } from '../registry/errors.ts'
import { peerIdText } from '../registry/keys.ts'
import type { Clock, Logger } from '../registry/ports.ts'
import type { Role } from '../registry/role.ts'
import { abortReason } from './abort-reason.ts'
import { Backoff, type BackoffInit } from './backoff.ts'
import type { SelfRecord } from './self-record.ts'
import { sleep } from './sleep.ts'

/** A registry in another process that proved itself on this connection. */
export interface RegistryPeer {
  readonly connection: Connection
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
}

/** The session as status shows it. */
export interface SessionView {
  readonly peer: RegistryPeer
  readonly session: RegistrySession
  readonly sinceMs: number
  /** Monotonic. */
  heartbeatAt: number
  leaseMs: number
}

export interface Membership {
  /** Whether the own key is a member by the own replica. */
  isMember: () => boolean
  /** What a join needs; undefined when no join can be made (the key is revoked). */
  joinCall: () => { join: Uint8Array; grant?: Uint8Array | undefined } | undefined
  /** The envelope of a renewal request, when it is time for one. */
  renewal: () => Uint8Array | undefined
}

export interface SessionKeeperInit {
  /** Finds a registry other than `except`, connected or by dialling; undefined: nobody answers. */
  find: (except: Uint8Array | undefined, signal: AbortSignal) => Promise<RegistryPeer | undefined>
  open: (connection: Connection, signal: AbortSignal) => Promise<RegistrySession>
  /** A registry that should hold the lease instead; looked up while the present one is no root or secondary. */
  better: (than: RegistryPeer) => boolean
  membership: Membership
  selfRecord: SelfRecord
  instance: Uint8Array
  clock: Clock
  logger: Logger
  backoff: BackoffInit
  heartbeatTimeoutMs: number
  checkpoint: () => Uint8Array | undefined
  connected: () => Uint8Array[]
  /** The registry accepted us; also called again when a joiner was admitted later. */
  onRegistered: (view: SessionView, answer: Registered) => Promise<void>
  onLost: (view: SessionView, reason: string) => void
  /** The registry says that another process uses our key. */
  onDuplicate: (reason: string) => void
  /** Nobody answers, or we were refused: `error` says why. undefined: all is well. */
  onTrouble: (error: Error | undefined) => void
  /** A newer checkpoint that the registry showed. */
  onCheckpoint: (checkpoint: Uint8Array) => void
}

/** After a refusal that will be the same tomorrow the same registry is asked again only so often. */
const refusedPauseMs = 30_000
const renewalLookMs = 60_000
const betterLookMs = 5_000

const answersForGood = new Set([
  'InviteRequiredError',
  'InviteInvalidError',
  'InviteExpiredError',
  'InviteUsedError',
  'NameTakenError',
  'JoinRejectedError',
  'RevokedError',
  'DuplicateInstanceError'
])

/**
 * Holds this node's lease at one registry in another process, for ever: registers, beats, renews, and moves on when the
 * registry falls silent. The first try at another one has no pause.
 */
export class SessionKeeper {
  readonly #init: SessionKeeperInit
  readonly #over = new AbortController()
  readonly #backoff: Backoff
  #view: SessionView | undefined
  #kick = Promise.withResolvers<void>()
  #running: Promise<void> | undefined

  constructor(init: SessionKeeperInit) {
    this.#init = init
    this.#backoff = new Backoff(init.backoff)
  }

  /** undefined: no registry holds the lease now. */
  get view(): SessionView | undefined {
    return this.#view
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Something changed that may end a pause: a new invite, a new registry. */
  kick(): void {
    this.#kick.resolve()
    this.#kick = Promise.withResolvers()
  }

  /** Says goodbye, with the record that says so, and ends. */
  async stop(reason: string, record?: Uint8Array): Promise<void> {
    const view = this.#view
    this.#over.abort(new Error('the node stops'))
    if (view !== undefined) {
      const signal = AbortSignal.timeout(1500)
      await view.session.deregister(reason, record, { signal }).catch(() => view.session.close().catch(() => {}))
    }
    await this.#running
  }

  /** Sends the newest own record to the registry; without a session it goes with the next registration. */
  async put(): Promise<void> {
    const record = this.#init.selfRecord.current
    if (this.#view === undefined || record === undefined || !this.#init.membership.isMember()) return
    try {
      await this.#view.session.put(record.bytes)
    } catch (error) {
      this.#init.logger.warn(
        { error: String(error), peer: peerIdText(this.#view.peer.publicKey) },
        'the registry did not take the new record; it gets it with the next registration'
      )
    }
  }

  async #run(): Promise<void> {
    let previous: SessionView | undefined
    let failed: Uint8Array | undefined
    const { signal } = this.#over
    while (!signal.aborted) {
      const peer = await this.#init.find(failed, signal).catch((error: Error) => this.#trouble(error))
      if (peer === undefined) {
        failed = undefined
        if (!signal.aborted) await this.#pause(this.#backoff.next())
        continue
      }
      const replaced = previous
      previous = undefined
      const outcome = await this.#hold(peer, replaced)
      failed = outcome.move === 'better' ? undefined : peer.publicKey
      if (outcome.move === 'better') previous = outcome.view
      if (outcome.move === 'wait') await this.#pause(outcome.ms)
    }
    await previous?.session.close().catch(() => {})
  }

  #trouble(error: Error): undefined {
    if (!this.#over.signal.aborted) this.#init.onTrouble(error)
    return undefined
  }

  async #pause(ms: number): Promise<void> {
    const woken = new AbortController()
    void this.#kick.promise.then(() => woken.abort())
    await sleep(ms, AbortSignal.any([this.#over.signal, woken.signal])).catch(() => {})
  }

  async #hold(peer: RegistryPeer, replaced: SessionView | undefined): Promise<Outcome> {
    const { signal } = this.#over
    let session: RegistrySession
    let answer: Registered
    try {
      session = await this.#init.open(peer.connection, signal)
    } catch (error) {
      return this.#refused(peer, error)
    }
    try {
      answer = await this.#register(peer, session)
    } catch (error) {
      await session.close().catch(() => {})
      return this.#refused(peer, error)
    } finally {
      await replaced?.session.close().catch(() => {})
    }
    const { clock } = this.#init
    const view: SessionView = {
      peer,
      session,
      sinceMs: clock.now(),
      heartbeatAt: clock.monotonic(),
      leaseMs: answer.leaseMs
    }
    this.#view = view
    this.#backoff.reset()
    this.#init.onTrouble(undefined)
    await this.#init.onRegistered(view, answer)
    return await this.#keep(view, answer.heartbeatMs)
  }

  #refused(peer: RegistryPeer, error: unknown): Outcome {
    const failure = error instanceof Error ? error : new Error(String(error))
    if (this.#over.signal.aborted) return { move: 'on' }
    this.#init.onTrouble(failure)
    const final = answersForGood.has(failure.name)
    const ms = final ? refusedPauseMs : this.#backoff.next()
    this.#init.logger.warn(
      { peer: peerIdText(peer.publicKey), error: String(failure), retry_after_seconds: Math.round(ms / 1000) },
      final
        ? 'the registry refused this node; it asks again later'
        : 'no session with this registry; another one is tried'
    )
    return { move: 'wait', ms }
  }

  /** Registers, once more with a higher seq when the registry holds a newer record of ours, and after the wait of a joiner. */
  async #register(peer: RegistryPeer, session: RegistrySession): Promise<Registered> {
    const { selfRecord, membership, instance } = this.#init
    const { signal } = this.#over
    const current = selfRecord.current?.value
    const stays = current?.registryKey !== undefined && equals(current.registryKey, peer.publicKey) && !current.left
    const record =
      stays && selfRecord.current !== undefined
        ? selfRecord.current
        : await selfRecord.issue({ registryKey: peer.publicKey })
    const call = { instance, ...(membership.isMember() ? {} : membership.joinCall()) }
    try {
      return await session.register({ ...call, record: record.bytes }, { signal })
    } catch (error) {
      if (error instanceof StaleRecordError && selfRecord.learn(error.held)) {
        const newer = await selfRecord.issue({ registryKey: peer.publicKey })
        return await session.register({ ...call, record: newer.bytes }, { signal })
      }
      if (!(error instanceof Error) || error.name !== 'PendingError') throw error
      this.#init.onTrouble(error)
      this.#init.logger.info(
        { peer: peerIdText(peer.publicKey) },
        'the join waits for approval or for the root; this session waits for the answer'
      )
      await this.#admitted(session)
      return await session.register({ ...call, record: record.bytes }, { signal })
    }
  }

  async #admitted(session: RegistrySession): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAdmitted = (event: CustomEvent<{ status: number }>): void => {
      if (event.detail.status === 0) resolve()
      else reject(Object.assign(new Error('the join was rejected'), { name: 'JoinRejectedError' }))
    }
    const ended = (end: SessionEnd): void => reject(new Error(`the session ended while the join waited: ${end.reason}`))
    session.events.addEventListener('admitted', onAdmitted)
    void session.closed.then(ended)
    const onAbort = (): void => reject(abortReason(this.#over.signal))
    this.#over.signal.addEventListener('abort', onAbort, { once: true })
    void this.#kick.promise.then(() => reject(new Error('a new try was asked for')))
    try {
      await promise
    } finally {
      session.events.removeEventListener('admitted', onAdmitted)
      this.#over.signal.removeEventListener('abort', onAbort)
    }
  }

  async #keep(view: SessionView, firstIntervalMs: number): Promise<Outcome> {
    const { session } = view
    const ended = new AbortController()
    void session.closed.then((end) => ended.abort(new Error(end.reason)))
    session.events.addEventListener('duplicate', () =>
      this.#init.onDuplicate('another process with this key asked for the lease')
    )
    const signal = AbortSignal.any([this.#over.signal, ended.signal])
    const outcome = await Promise.race([
      this.#beat(view, firstIntervalMs, signal),
      this.#lookForBetter(view, signal),
      this.#renewInTime(session, signal)
    ]).catch((error: Error): Outcome => ({ move: 'on', reason: error.message }))
    ended.abort(new Error('over'))
    if (this.#over.signal.aborted) return { move: 'on' }
    this.#view = undefined
    if (outcome.move === 'better') return { ...outcome, view }
    this.#init.onLost(view, outcome.move === 'on' ? (outcome.reason ?? 'the session ended') : 'the session ended')
    await session.close().catch(() => {})
    return outcome
  }

  async #beat(view: SessionView, firstIntervalMs: number, signal: AbortSignal): Promise<Outcome> {
    let intervalMs = 0
    for (;;) {
      await sleep(intervalMs * (0.9 + Math.random() * 0.2), signal)
      const { checkpoint, connected, selfRecord, heartbeatTimeoutMs, clock } = this.#init
      const call = { checkpoint: checkpoint(), seq: selfRecord.current?.value.seq ?? 0, connected: connected() }
      const timeout = AbortSignal.timeout(heartbeatTimeoutMs)
      const answer = await view.session.heartbeat(call, { signal: AbortSignal.any([signal, timeout]) })
      view.heartbeatAt = clock.monotonic()
      view.leaseMs = answer.leaseMs
      if (answer.checkpoint !== undefined) this.#init.onCheckpoint(answer.checkpoint)
      if (answer.contested) this.#init.onDuplicate('another process with this key asked for the lease and was refused')
      intervalMs = answer.heartbeatMs > 0 ? answer.heartbeatMs : firstIntervalMs
    }
  }

  /** A member that stands in for a registry gives the lease back as soon as a root or secondary can hold it. */
  async #lookForBetter(view: SessionView, signal: AbortSignal): Promise<Outcome> {
    do await sleep(betterLookMs, signal)
    while (!this.#init.better(view.peer))
    return { move: 'better' }
  }

  async #renewInTime(session: RegistrySession, signal: AbortSignal): Promise<Outcome> {
    for (;;) {
      const request = this.#init.membership.renewal()
      if (request !== undefined) {
        await session.renew(request, { signal }).catch((error: Error) => {
          if (signal.aborted) throw error
          this.#init.logger.warn(
            { error: String(error) },
            'the membership was not renewed; it is tried again in a minute'
          )
        })
      }
      await sleep(renewalLookMs, signal)
    }
  }
}

type Outcome = { move: 'on'; reason?: string } | { move: 'better'; view?: SessionView } | { move: 'wait'; ms: number }
