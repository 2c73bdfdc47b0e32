import type { Connection, Stream } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { isPublicKey } from '../../identity/ed25519.ts'
import { onAbort, within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { silentLogger } from '../../runtime/clock-and-logger.ts'
import { NotMemberError } from '../../runtime/errors.ts'
import { beginStep, currentTrace, type Step, traceField, underTrace } from '../../runtime/trace.ts'
import { culpritOf } from './culprits.ts'
import {
  DeadlineError,
  FrameTooLargeError,
  MalformedFrameError,
  RateLimitedError,
  StalledWriteError,
  StreamEndedError,
  UnfinishedFrameError
} from './errors.ts'
import { FrameStream } from './frames.ts'
import type { ProtocolLimits } from './limits.ts'
import type { Rate } from './rate-limiter.ts'
import { Gcra } from './rate-limiter.ts'
import { isOwnFailure, retryAfterMsOf, statusOf, statusText } from './status.ts'
import type { ConnectionTrust } from './trust/connection-trust.ts'

/** A protocol as data: what the engine enforces before and around its handler. */
export interface ProtocolDescriptor {
  readonly id: string
  /** Its section in the table of limits; by default the name in its id. */
  readonly section?: string
  readonly audience: 'anyone' | 'members'
  readonly maxInboundStreams: number
  readonly maxOutboundStreams: number
  /** Longest frame that the serving side reads. */
  readonly maxFrame: number
  /** Longest frame that the dialling side reads. */
  readonly maxAnswerFrame: number
  /** From open to close. Absent: the stream goes on, and its handler watches its progress. */
  readonly deadlineMs?: number
  /** Each side sends one frame, and behind it bytes that are no frames. */
  readonly bytesFollow?: true
  /** Streams opened by one peer. */
  readonly rate: Rate
  /** The frame that tells a refusal; absent where the protocol has none, and the stream is reset. */
  readonly refusal?: (status: number, retryAfterMs: number) => Uint8Array
}

/** One inbound stream with its limits already enforced. */
export interface Exchange {
  readonly frames: FrameStream
  readonly connection: Connection
  /** Raw Ed25519 key that Noise proved. */
  readonly remoteKey: Uint8Array
  /** Its PeerId. */
  readonly remoteId: string
  /** Aborted at the deadline, when the stream closes, and when the protocol is stopped. */
  readonly signal: AbortSignal
}

export type Handler = (exchange: Exchange) => Promise<void>

export interface ServeInit {
  registrar: Pick<Registrar, 'handle' | 'unhandle'>
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

export interface Served {
  /** Takes no more streams and aborts the running ones. */
  close(): Promise<void>
}

/**
 * Serves a protocol. In this order: rate limit, audience, handler, which decodes and then verifies.
 * A handler throws; the engine answers with the status of the error, and logs what is nobody's fault but ours.
 */
export async function serve(init: ServeInit, descriptor: ProtocolDescriptor, handler: Handler): Promise<Served> {
  const server = new ProtocolServer(init, descriptor, handler)
  await init.registrar.handle(descriptor.id, (stream, connection) => server.accept(stream, connection), {
    maxInboundStreams: descriptor.maxInboundStreams,
    maxOutboundStreams: descriptor.maxOutboundStreams
  })
  return {
    close: async () => {
      await init.registrar.unhandle(descriptor.id)
      server.stop()
    }
  }
}

export interface OpenOptions {
  limits: ProtocolLimits
  signal?: AbortSignal | undefined
}

/** Opens a stream of the protocol. The caller closes or aborts it. */
export async function openStream(
  connection: Connection,
  descriptor: ProtocolDescriptor,
  options: OpenOptions
): Promise<FrameStream> {
  const stream = await connection.newStream(descriptor.id, {
    signal: options.signal ?? AbortSignal.timeout(descriptor.deadlineMs ?? options.limits.stream.progressMs),
    maxOutboundStreams: descriptor.maxOutboundStreams
  })
  return new FrameStream(stream, {
    maxFrame: descriptor.maxAnswerFrame,
    limits: options.limits.stream,
    isPreface: descriptor.bytesFollow
  })
}

/** One request, one answer, within the protocol's deadline. */
export async function request(
  connection: Connection,
  descriptor: ProtocolDescriptor,
  bytes: Uint8Array,
  options: OpenOptions
): Promise<Uint8Array> {
  const signal = within(descriptor.deadlineMs ?? options.limits.stream.progressMs, options.signal)
  const frames = await openStream(connection, descriptor, { ...options, signal })
  try {
    await frames.write(bytes)
    const answer = await frames.read({ signal })
    if (answer === undefined) throw new StreamEndedError(`${descriptor.id}: the other side ended without an answer`)
    await frames.close()
    return answer
  } catch (error) {
    frames.abort(error instanceof Error ? error : new StreamEndedError('the request failed'))
    throw error
  }
}

/** Answers a request under the trace that came with it, and says so in the log. An answer that goes on for long ends its step itself. */
export function answerTraced<T>(
  trace: Uint8Array | undefined,
  { logger, ...fields }: { logger: Logger | undefined; peer: string; request: string },
  answer: (step?: Step) => T
): T {
  return underTrace(trace, () => {
    if (currentTrace() === undefined) return answer()
    logger?.debug({ ...fields, ...traceField() }, 'answering a request of a trace')
    return inStep(beginStep('serve', fields), answer)
  })
}

/** Ends the step with the answer, or with the failure of it. */
function inStep<T>(step: Step, answer: (step: Step) => T): T {
  try {
    const result = step.run(() => answer(step))
    if (result instanceof Promise) {
      result.then(
        () => step.end(),
        (error: unknown) => step.end(error)
      )
    } else step.end()
    return result
  } catch (error) {
    step.end(error)
    throw error
  }
}

/** Decodes a frame; bytes that are no such message are the sender's fault, whatever the decoder throws. */
export function decodeFrame<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return decode(bytes)
  } catch {
    throw new MalformedFrameError('a frame that is no message of this protocol')
  }
}

/** The Ed25519 key of the connection's other side, as Noise proved it; undefined for other key types, and for bytes that are no key. */
export function remoteKeyOf(connection: Connection): Uint8Array | undefined {
  const { remotePeer } = connection
  if (remotePeer.type !== 'Ed25519' || !isPublicKey(remotePeer.publicKey.raw)) return undefined
  return remotePeer.publicKey.raw
}

class ProtocolServer {
  readonly #init: ServeInit
  readonly #descriptor: ProtocolDescriptor
  readonly #handler: Handler
  readonly #logger: Logger
  readonly #rate: Gcra
  readonly #refused: Gcra
  readonly #running = new Set<AbortController>()
  #stopped = false

  constructor(init: ServeInit, descriptor: ProtocolDescriptor, handler: Handler) {
    this.#init = init
    this.#descriptor = descriptor
    this.#handler = handler
    this.#logger = init.logger ?? silentLogger
    const options = init.clock === undefined ? {} : { clock: init.clock }
    this.#rate = new Gcra(descriptor.rate, options)
    this.#refused = new Gcra(init.limits.stream.refused, options)
  }

  stop(): void {
    this.#stopped = true
    for (const controller of this.#running) controller.abort(new StreamEndedError('this protocol was stopped'))
  }

  /** Never rejects: libp2p would only abort the stream, without a trace. */
  async accept(stream: Stream, connection: Connection): Promise<void> {
    const { maxFrame, deadlineMs, bytesFollow } = this.#descriptor
    // Before any await: a stream without a listener buffers blindly.
    const frames = new FrameStream(stream, { maxFrame, limits: this.#init.limits.stream, isPreface: bytesFollow })
    const remoteKey = remoteKeyOf(connection)
    if (remoteKey === undefined || this.#stopped) {
      frames.abort(new StreamEndedError('only Ed25519 peers are served, and only while this protocol runs'))
      return
    }
    const controller = new AbortController()
    this.#running.add(controller)
    const deadline = this.#watch(frames, controller, deadlineMs)
    const remoteId = connection.remotePeer.toString()
    try {
      await this.#admit(connection, remoteId)
      await this.#handler({ frames, connection, remoteKey, remoteId, signal: controller.signal })
      await frames.close()
    } catch (error) {
      this.#blame(error, connection)
      await this.#refuse(frames, error, remoteId)
    } finally {
      clearTimeout(deadline)
      this.#running.delete(controller)
    }
  }

  #watch(frames: FrameStream, controller: AbortController, deadlineMs: number | undefined): NodeJS.Timeout | undefined {
    const watch = onAbort(controller.signal, (reason) => frames.abort(reason))
    const onClosed = (error: Error | undefined): void => {
      watch?.[Symbol.dispose]()
      controller.abort(error ?? new StreamEndedError('the stream is closed'))
    }
    inBackground(frames.closed.then(onClosed), 'ending an exchange')
    if (deadlineMs === undefined) return undefined
    const expire = () => controller.abort(new DeadlineError(`${this.#descriptor.id} was not done in ${deadlineMs} ms`))
    return setTimeout(expire, deadlineMs).unref()
  }

  async #admit(connection: Connection, remoteId: string): Promise<void> {
    const waitMs = this.#rate.take(remoteId)
    if (waitMs > 0) throw this.#tooMany(connection, remoteId, waitMs)
    if (this.#descriptor.audience === 'anyone' || this.#init.trust.isMember(connection)) return
    // The other side may have our verdict before we have its: our own hello was answered in the same moment.
    if (await this.#init.trust.settled(connection)) return
    this.#init.trust.refuseEnded(connection)
    throw new NotMemberError('the connection has not proved membership')
  }

  /** Counts a failure against its peer. Whoever is slow once may have slept, or lost its network. */
  #blame(error: unknown, connection: Connection): void {
    const { trust, limits } = this.#init
    if (error instanceof FrameTooLargeError || error instanceof MalformedFrameError) {
      trust.culprits.exceeded(`${this.#name}.frameBytes`, culpritOf(connection))
    } else if (error instanceof UnfinishedFrameError || error instanceof StalledWriteError) {
      trust.culprits.repeated('stream.slow', limits.stream.slow, culpritOf(connection))
    }
  }

  /** A refusal costs us more than it costs the peer: one that wants nothing else has to make a new connection for the next. */
  #tooMany(connection: Connection, remoteId: string, waitMs: number): RateLimitedError {
    const error = new RateLimitedError(`too many streams of ${this.#descriptor.id}`, waitMs)
    this.#init.trust.culprits.exceeded(`${this.#name}.rate`, culpritOf(connection))
    if (this.#refused.take(remoteId) > 0) {
      this.#init.trust.culprits.exceeded('stream.refused', culpritOf(connection))
      connection.abort(error)
    }
    return error
  }

  /** Its section in the table of limits. */
  get #name(): string {
    const { id, section } = this.#descriptor
    return section ?? id.split('/')[2] ?? id
  }

  async #refuse(frames: FrameStream, error: unknown, remoteId: string): Promise<void> {
    const status = statusOf(error)
    const failure = error instanceof Error ? error : new StreamEndedError('the handler failed')
    // A peer that was waited for in vain is not listening either, and that is no failure of ours.
    const broken = frames.stream.writeStatus !== 'writable' || error instanceof DeadlineError
    if (isOwnFailure(error) && !broken) {
      const fields = { peer: remoteId, protocol: this.#descriptor.id, error: failure.message, stack: failure.stack }
      this.#logger.error(
        fields,
        `a request failed here; the other side was told ${statusText(status)} and may ask again`
      )
    } else {
      this.#logger.debug(
        { peer: remoteId, protocol: this.#descriptor.id, error: failure.message },
        'a request was refused'
      )
    }
    if (broken || this.#descriptor.refusal === undefined) {
      frames.abort(failure)
      return
    }
    try {
      await frames.write(this.#descriptor.refusal(status, retryAfterMsOf(error)))
      await frames.close()
    } catch {
      frames.abort(failure)
    }
  }
}
