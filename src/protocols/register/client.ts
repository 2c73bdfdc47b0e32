import type { Connection } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { equals } from 'uint8arrays/equals'
import type { RotateProofs } from '../../registry/objects/rotate.ts'
import { within } from '../../runtime/abort.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { DeadlineError, StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame, openStream } from '../engine/protocol.ts'
import { errorOf, refusalText, statuses, statusText } from '../engine/status.ts'
import { none } from './answers.ts'
import { registerDescriptor } from './descriptor.ts'
import { Keepalive } from './keepalive.ts'
import { type Answer, type RegisterAnswer, SessionFrame } from './pb/register.ts'
import { Requests } from './pending-requests.ts'
import type {
  ForwardCall,
  HeartbeatCall,
  HeartbeatResult,
  RegisterCall,
  Registered,
  RegistrySession,
  RegistrySessionEvents,
  SessionCallOptions,
  SessionEnd
} from './session-types.ts'

export interface OpenSessionOptions {
  limits: ProtocolLimits
  clock?: Clock | undefined
  signal?: AbortSignal | undefined
}

/** Opens the session stream on a connection; nothing is registered yet. */
export async function openRegisterSession(
  connection: Connection,
  options: OpenSessionOptions
): Promise<RegisterSession> {
  const { limits } = options
  const signal = within(limits.register.requestMs, options.signal)
  const frames = await openStream(connection, registerDescriptor(limits), { limits, signal })
  return new RegisterSession(frames, limits.register, options.clock ?? systemClock)
}

const orNothing = (bytes: Uint8Array): Uint8Array | undefined => (bytes.byteLength > 0 ? bytes : undefined)

/** A session with a remote registry: requests in flight side by side, pings answered, silence noticed. */
export class RegisterSession implements RegistrySession {
  readonly events = new TypedEventEmitter<RegistrySessionEvents>()
  readonly closed: Promise<SessionEnd>
  readonly #frames: FrameStream
  readonly #limits: ProtocolLimits['register']
  readonly #clock: Clock
  readonly #requests: Requests
  readonly #keepalive: Keepalive
  #rttMs: number | undefined
  #notice: number | undefined
  #shown: Uint8Array | undefined
  /** Cosignatures that went with it. */
  #words = 0

  constructor(frames: FrameStream, limits: ProtocolLimits['register'], clock: Clock) {
    this.#frames = frames
    this.#limits = limits
    this.#clock = clock
    this.#requests = new Requests(frames, limits.inFlight)
    this.#keepalive = new Keepalive({
      limits,
      clock,
      probe: () => this.#write({ id: 0, ping: 0 }),
      onSilent: (ms) => frames.abort(new DeadlineError(`the registry said nothing for ${ms} ms`))
    })
    this.closed = this.#run()
  }

  get rttMs(): number | undefined {
    return this.#rttMs
  }

  async register(call: RegisterCall, options: SessionCallOptions = {}): Promise<Registered> {
    const { record, join = none, instance } = call
    const timeoutMs = this.#limits.joinMs
    const answer = await this.#ask({ register: { record, join, instance } }, timeoutMs, options)
    const registered = answer.registered
    if (registered === undefined) throw refusedBy(answer.answer, 'the registry refused the registration')
    if (registered.status !== statuses.OK) throw refusedBy(registered, 'the registry refused the registration')
    this.#shown = orNothing(registered.checkpoint)
    return registeredOf(registered)
  }

  async heartbeat(call: HeartbeatCall, options: SessionCallOptions = {}): Promise<HeartbeatResult> {
    const { checkpoint, cosignatures = [], seq, connected = [] } = call
    const isOther = checkpoint !== undefined && (this.#shown === undefined || !equals(checkpoint, this.#shown))
    // The word about a checkpoint may come behind it.
    const changed = isOther || (checkpoint !== undefined && cosignatures.length > this.#words)
    const sentAt = this.#clock.monotonic()
    const beat = {
      checkpoint: changed ? checkpoint : none,
      cosignatures: changed ? cosignatures : [],
      seq,
      connected: connected.slice(0, this.#limits.connected),
      rttMs: Math.round(this.#rttMs ?? 0)
    }
    const { heartbeatAnswer, answer } = await this.#ask({ heartbeat: beat }, this.#limits.requestMs, options)
    if (heartbeatAnswer?.status !== statuses.OK) {
      throw refusedBy(heartbeatAnswer ?? answer, 'the registry refused the heartbeat')
    }
    this.#rttMs = this.#clock.monotonic() - sentAt
    if (changed) this.#shown = checkpoint
    if (changed) this.#words = cosignatures.length
    const { leaseMs, heartbeatMs, replicaAgeMs, contested } = heartbeatAnswer
    const news = orNothing(heartbeatAnswer.checkpoint)
    if (news !== undefined) this.#shown = news
    if (news !== undefined) this.#words = 0
    const words = heartbeatAnswer.cosignatures
    return { leaseMs, heartbeatMs, replicaAgeMs, contested, checkpoint: news, cosignatures: words }
  }

  async put(record: Uint8Array, options: SessionCallOptions = {}): Promise<void> {
    await this.#command({ put: { record } }, 'the registry refused the record', options)
  }

  async renew(request: Uint8Array, options: SessionCallOptions = {}): Promise<Uint8Array> {
    return this.#command({ renew: { request } }, 'the registry refused the renewal', options)
  }

  async forget(request: Uint8Array, options: SessionCallOptions = {}): Promise<Uint8Array> {
    return this.#command({ forget: { request } }, 'the registry refused to forget the key', options)
  }

  async rotate({ proofOld, proofNew }: RotateProofs, options: SessionCallOptions = {}): Promise<Uint8Array> {
    return this.#command({ rotate: { proofOld, proofNew } }, 'the registry refused the new key', options)
  }

  async forwardJoin(call: ForwardCall, options: SessionCallOptions = {}): Promise<Uint8Array> {
    const { join, receipt = none } = call
    return this.#command({ forward: { join, receipt } }, 'the root refused the join', options)
  }

  async handOver(entry: Uint8Array, options: SessionCallOptions = {}): Promise<Uint8Array> {
    return this.#command({ handOver: { entry } }, 'the root did not take the entry over', options)
  }

  async deregister(reason: string, record: Uint8Array = none, options: SessionCallOptions = {}): Promise<void> {
    const told = reason.slice(0, this.#limits.reasonChars)
    await this.#command({ deregister: { reason: told, record } }, 'the registry refused the goodbye', options)
    await this.close()
  }

  async release(options: SessionCallOptions = {}): Promise<void> {
    const moved = { reason: '', record: none, moved: true }
    await this.#command({ deregister: moved }, 'the registry refused to give up the lease', options)
    await this.close()
  }

  async close(): Promise<void> {
    this.#keepalive.stop()
    await this.#frames.close()
  }

  async #command(body: Omit<SessionFrame, 'id'>, refusal: string, options: SessionCallOptions): Promise<Uint8Array> {
    const { answer } = await this.#ask(body, this.#limits.requestMs, options)
    if (answer?.status !== statuses.OK) throw refusedBy(answer, refusal)
    return answer.entry
  }

  #ask(body: Omit<SessionFrame, 'id'>, timeoutMs: number, options: SessionCallOptions): Promise<SessionFrame> {
    return this.#requests.ask(body, timeoutMs, options.signal)
  }

  /** Reads until the session is over, whatever ends it. */
  async #run(): Promise<SessionEnd> {
    let reason = 'the registry ended the session'
    try {
      for await (const bytes of this.#frames) this.#receive(decodeFrame(SessionFrame.decode, bytes))
    } catch (error) {
      const failure = error instanceof Error ? error : new StreamEndedError('the session broke')
      reason = failure.message
      this.#frames.abort(failure)
    }
    this.#keepalive.stop()
    if (this.#notice !== undefined) reason = `the registry answered ${statusText(this.#notice)}`
    this.#requests.end(
      this.#notice === undefined
        ? new StreamEndedError(reason)
        : errorOf(this.#notice, 'the registry refused the session')
    )
    await this.#frames.close()
    return { reason, status: this.#notice }
  }

  #receive(frame: SessionFrame): void {
    this.#keepalive.heard()
    if (frame.ping !== undefined) {
      this.#keepalive.pinged(frame.ping)
      this.#write({ id: frame.id, pong: true })
    } else if (frame.admitted !== undefined) {
      const { status, admit } = frame.admitted
      this.events.dispatchEvent(new CustomEvent('admitted', { detail: { status, admit } }))
    } else if (frame.id > 0) this.#requests.answer(frame)
    else if (frame.registered !== undefined) {
      const records = frame.registered.registries.slice(0, this.#limits.registries)
      this.events.dispatchEvent(new CustomEvent('registries', { detail: { records } }))
    } else if (frame.answer?.status === statuses.DUPLICATE_INSTANCE)
      this.events.dispatchEvent(new CustomEvent('duplicate'))
    else if (frame.answer !== undefined) this.#notice = frame.answer.status
  }

  #write(frame: SessionFrame): void {
    // A stream that is gone ends the reading loop, which tells why.
    this.#frames.write(SessionFrame.encode(frame)).catch(() => {})
  }
}

function refusedBy(answer: Partial<Answer> | undefined, message: string): Error {
  const { status = statuses.INTERNAL, retryAfterMs = 0, record = none } = answer ?? {}
  return errorOf(status, refusalText(status, message), {
    ...(retryAfterMs > 0 && { retryAfterMs }),
    ...(record.byteLength > 0 && { held: record })
  })
}

function registeredOf(answer: RegisterAnswer): Registered {
  const { admit, leaseMs, heartbeatMs, peers, registries, replicaAgeMs } = answer
  return {
    admit,
    leaseMs,
    heartbeatMs,
    peers,
    registries,
    replicaAgeMs,
    checkpoint: orNothing(answer.checkpoint),
    observed: orNothing(answer.observed),
    record: orNothing(answer.record)
  }
}
