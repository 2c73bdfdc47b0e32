import type { Stream } from '@libp2p/interface'
import { FrameTooLargeError, StreamEndedError } from '../../protocols/engine/errors.ts'
import { FrameStream } from '../../protocols/engine/frames.ts'
import { defaultLimits } from '../../protocols/engine/limits.ts'
import type { TrustedMember } from '../../protocols/engine/trust/connection-trust.ts'
import { within } from '../../runtime/abort.ts'
import { LimitError, UnavailableError } from '../../runtime/errors.ts'
import { isTimeout } from '../errors.ts'
import type { MemberHandler } from './protocols.ts'

/** Answers one request of a member. What it throws is logged, and the member learns only that there is no answer. */
export type RequestHandler = (
  request: Uint8Array,
  member: TrustedMember
) => Uint8Array | string | Promise<Uint8Array | string>

export interface RequestOptions {
  /** Default: fires after 10 s. */
  readonly signal?: AbortSignal
  /** Greatest size of a frame. Default: 256 KiB. */
  readonly maxBytes?: number
}

const requestMs = 10_000
const frameBytes = 256 * 1024
/** The greatest a program may ask for: a frame is held in memory as a whole. */
const mostBytes = 4 * 1024 * 1024

/** Length-prefixed messages on a stream, with back pressure: for `handle` and `openStream`. @throws LimitError beyond 4 MiB */
export const framed = (
  stream: Stream,
  { maxBytes = frameBytes }: Pick<RequestOptions, 'maxBytes'> = {}
): FrameStream => {
  if (maxBytes > mostBytes) throw new LimitError(`frames of ${maxBytes} bytes: ${mostBytes} is the most; send several`)
  return new FrameStream(stream, { maxFrame: maxBytes, limits: defaultLimits.stream })
}

/** A handler of streams that carry one request and its answer each. */
export const answering =
  (handler: RequestHandler, options: Pick<RequestOptions, 'maxBytes'> = {}): MemberHandler =>
  async (stream, member) => {
    const frames = framed(stream, options)
    // A member that sends none is no failure of the handler.
    const request = await frames.read({ signal: AbortSignal.timeout(requestMs) }).catch(() => undefined)
    if (request === undefined) {
      frames.abort(new StreamEndedError('no request came'))
      return
    }
    await frames.write(bytesOf(await handler(request.slice(), member)))
    await frames.close()
  }

/** Sends a request on a stream that was opened for it and gives the answer. @throws UnavailableError when there is none, FrameTooLargeError, the reason of the signal */
export async function asking(
  stream: Stream,
  request: Uint8Array | string,
  { peer, signal, ...options }: RequestOptions & { peer: string }
): Promise<Uint8Array> {
  const frames = framed(stream, options)
  try {
    await frames.write(bytesOf(request))
    const answer = await frames.read({ signal: within(requestMs, signal) })
    if (answer === undefined) throw new StreamEndedError('the stream ended without an answer')
    const copy = answer.slice()
    await frames.close()
    return copy
  } catch (error) {
    frames.abort(error instanceof Error ? error : new Error(String(error)))
    signal?.throwIfAborted()
    if (error instanceof FrameTooLargeError) throw error
    const why = isTimeout(error)
      ? `within ${requestMs / 1000} s`
      : 'and ended the stream: its own log says why when a handler failed'
    throw new UnavailableError(`${peer} did not answer ${stream.protocol} ${why}`, 0)
  }
}

export const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content
