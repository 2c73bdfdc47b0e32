import { within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import {
  DuplicateInstanceError,
  PendingError,
  StaleRecordError,
  UnsupportedVersionError
} from '../../runtime/errors.ts'
import { DeadlineError, StreamEndedError } from '../engine/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, decodeFrame, type Exchange } from '../engine/protocol.ts'
import { isOwnFailure, retryAfterMsOf, statuses, statusOf, statusText } from '../engine/status.ts'
import { answerOf, none, refusedBeat } from './answers.ts'
import type { SessionActions } from './handlers.ts'
import { SessionFrame } from './pb/register.ts'
import type { Pinged, Pinger } from './pinger.ts'

/** Content of a frame. */
type Body = Omit<SessionFrame, 'id'>

export interface ServerSessionInit {
  exchange: Exchange
  actions: SessionActions
  pinger: Pinger
  limits: ProtocolLimits['register']
  logger: Logger
  /** The peer has a lease through this session now. */
  onRegistered: () => void
  /** Another process with the peer's key was refused. */
  onDuplicate: () => void
  /** The peer's join waits for the root or the operator. */
  onPending: () => void
}

/** One peer's session stream: requests are worked on side by side, answered by id, and bounded in number. */
export class ServerSession implements Pinged {
  readonly #init: ServerSessionInit
  #inFlight = 0
  #slot: PromiseWithResolvers<void> | undefined

  constructor(init: ServerSessionInit) {
    this.#init = init
  }

  get remoteId(): string {
    return this.#init.exchange.remoteId
  }

  /** Until the peer ends the session, breaks it or falls silent. */
  async run(): Promise<void> {
    const { exchange, pinger, limits } = this.#init
    const { frames } = exchange
    const first = await frames.read({
      signal: within(limits.requestMs, exchange.signal)
    })
    if (first === undefined) return
    pinger.add(this)
    try {
      for (let frame: Uint8Array | undefined = first; frame !== undefined; ) {
        pinger.heard(this)
        this.#init.actions.countFrame()
        this.#receive(frame)
        if (this.#inFlight >= limits.inFlight) await this.#freeSlot()
        if (frames.congested) await frames.ready()
        frame = frames.tryRead() ?? (await frames.read())
      }
      this.#end('session ended without a goodbye')
    } catch (error) {
      this.#end(error instanceof Error ? error.message : 'stream lost')
      throw error
    } finally {
      pinger.remove(this)
    }
  }

  /** A newer session of the same process has the lease. */
  replaced(): void {
    this.#init.actions.dropLease()
    this.#init.exchange.frames.abort(new StreamEndedError('a newer session of this node took over'))
  }

  /** Another process with the same key asked for the lease. */
  tellDuplicate(): void {
    this.#write({ id: 0, answer: answerOf(statuses.DUPLICATE_INSTANCE) })
  }

  tellAdmitted(status: number, admit: Uint8Array): void {
    this.#write({ id: 0, admitted: { status, admit } })
  }

  ping(number: number, nextMs: number): void {
    this.#write({ id: number, ping: nextMs })
  }

  answered(rttMs: number): void {
    this.#init.actions.lease?.probeAnswered(rttMs)
  }

  unanswered(): void {
    this.#init.actions.lease?.probeUnanswered()
  }

  silent(ms: number): void {
    this.#init.exchange.frames.abort(new DeadlineError(`nothing was heard for ${ms} ms`))
  }

  #end(reason: string): void {
    this.#init.actions.lease?.lost(reason)
    this.#init.actions.dropLease()
  }

  #receive(bytes: Uint8Array): void {
    const frame = decodeFrame(SessionFrame.decode, bytes)
    if (frame.pong !== undefined) this.#init.pinger.pong(this, frame.id)
    else if (frame.ping !== undefined) this.#write({ id: frame.id, pong: true })
    else if (frame.id > 0) {
      this.#inFlight++
      inBackground(this.#work(frame), 'answering a request of a session')
    }
  }

  async #work(frame: SessionFrame): Promise<void> {
    try {
      const traced = { logger: this.#init.logger, peer: this.remoteId, request: requestOf(frame) }
      const answer = answerTraced(frame.trace, traced, () => this.#perform(frame))
      this.#write({ id: frame.id, ...(await answer) })
    } catch (error) {
      this.#write({ id: frame.id, ...this.#refusal(frame, error) })
      if (error instanceof PendingError && frame.register !== undefined) this.#tellRegistries(frame.register.join)
    } finally {
      this.#inFlight--
      this.#slot?.resolve()
      this.#slot = undefined
    }
  }

  async #perform(frame: SessionFrame): Promise<Body> {
    const { actions, onRegistered } = this.#init
    if (frame.put !== undefined) return { answer: await actions.put(frame.put) }
    if (frame.heartbeat !== undefined) return { heartbeatAnswer: actions.heartbeat(frame.heartbeat) }
    if (frame.register !== undefined) {
      const registered = await actions.register(frame.register)
      onRegistered()
      return { registered }
    }
    if (frame.renew !== undefined) return { answer: await actions.renew(frame.renew.request) }
    if (frame.forget !== undefined) return { answer: await actions.forget(frame.forget.request) }
    if (frame.rotate !== undefined) return { answer: await actions.rotate(frame.rotate) }
    if (frame.forward !== undefined) return { answer: await actions.forward(frame.forward) }
    if (frame.handOver !== undefined) return { answer: await actions.handOver(frame.handOver) }
    if (frame.deregister !== undefined) return { answer: await actions.deregister(frame.deregister) }
    throw new UnsupportedVersionError('a request that this version does not know')
  }

  #refusal(frame: SessionFrame, error: unknown): Body {
    const { exchange, logger, onDuplicate, onPending } = this.#init
    const status = statusOf(error)
    const message = error instanceof Error ? error.message : 'unknown'
    if (isOwnFailure(error)) {
      const fields = {
        peer: exchange.remoteId,
        error: message,
        stack: error instanceof Error ? error.stack : undefined
      }
      logger.error(fields, `a session request failed here; the node was told ${statusText(status)} and may ask again`)
    } else logger.debug({ peer: exchange.remoteId, status, error: message }, 'a session request was refused')
    if (error instanceof DuplicateInstanceError) onDuplicate()
    if (error instanceof PendingError && frame.register !== undefined) onPending()
    if (frame.heartbeat !== undefined) return { heartbeatAnswer: refusedBeat(status) }
    const record = error instanceof StaleRecordError ? error.held : none
    return { answer: answerOf(status, { retryAfterMs: retryAfterMsOf(error), record }) }
  }

  #tellRegistries(join: Uint8Array): void {
    const registered = this.#init.actions.registriesFor(join)
    if (registered !== undefined) this.#write({ id: 0, registered })
  }

  #freeSlot(): Promise<void> {
    this.#slot ??= Promise.withResolvers<void>()
    return this.#slot.promise
  }

  #write(frame: SessionFrame): void {
    // A stream that is gone ends the reading loop, which tells why.
    this.#init.exchange.frames.write(SessionFrame.encode(frame)).catch(() => {})
  }
}

/** The body that is set. */
const requestOf = (frame: SessionFrame): string =>
  Object.keys(frame).find((field) => field !== 'id' && field !== 'trace') ?? 'unknown'
