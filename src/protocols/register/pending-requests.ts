import { onAbort } from '../../runtime/abort.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import { DeadlineError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import { SessionFrame } from './pb/register.ts'

/** Requests in flight on one stream, each with its id and deadline; at most `maxInFlight`, the others wait their turn. */
export class Requests {
  readonly #frames: FrameStream
  readonly #maxInFlight: number
  readonly #asked = new Map<number, PromiseWithResolvers<SessionFrame>>()
  /** Those that wait for their turn, the first to come first. */
  readonly #turns = new Set<PromiseWithResolvers<void>>()
  #lastId = 0
  #ended: Error | undefined

  constructor(frames: FrameStream, maxInFlight: number) {
    this.#frames = frames
    this.#maxInFlight = maxInFlight
  }

  /**
   * Resolves with the answer to this request. The deadline counts from the moment it is sent.
   * @throws DeadlineError as soon as the signal fires, too; a request that still waits for its turn is not sent any more
   */
  async ask(body: Omit<SessionFrame, 'id'>, timeoutMs: number, signal?: AbortSignal): Promise<SessionFrame> {
    signal?.throwIfAborted()
    const answer = Promise.withResolvers<SessionFrame>()
    using _ = onAbort(signal, () => answer.reject(new DeadlineError('the request was given up')))
    const id = this.#newId()
    let timer: NodeJS.Timeout | undefined
    try {
      while (this.#ended === undefined && (this.#isFull || this.#frames.congested)) await this.#turn(answer.promise)
      if (this.#ended !== undefined) throw this.#ended
      this.#asked.set(id, answer)
      timer = setTimeout(() => answer.reject(new DeadlineError(`no answer within ${timeoutMs} ms`)), timeoutMs)
      this.#frames.write(SessionFrame.encode({ id, ...body, ...carriedTrace() })).catch(answer.reject)
      return await answer.promise
    } finally {
      clearTimeout(timer)
      this.#asked.delete(id)
      this.#next()
    }
  }

  /** Takes an answer. One to nothing that is asked (it came too late) is dropped. */
  answer(frame: SessionFrame): void {
    this.#asked.get(frame.id)?.resolve(frame)
  }

  /** Nothing is answered any more. */
  end(error: Error): void {
    this.#ended = error
    for (const { reject } of this.#asked.values()) reject(error)
    for (const { resolve } of this.#turns) resolve()
  }

  get #isFull(): boolean {
    return this.#asked.size >= this.#maxInFlight
  }

  #newId(): number {
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1
    return this.#lastId
  }

  /** Waits until one more may be sent, perhaps. Rejects as soon as the answer is given up. */
  async #turn(answer: Promise<unknown>): Promise<void> {
    if (!this.#isFull) {
      await Promise.race([this.#frames.ready(), answer])
      return
    }
    const turn = Promise.withResolvers<void>()
    this.#turns.add(turn)
    try {
      await Promise.race([turn.promise, answer])
    } finally {
      this.#turns.delete(turn)
    }
  }

  #next(): void {
    if (this.#isFull) return
    const [first] = this.#turns
    if (first === undefined) return
    this.#turns.delete(first)
    first.resolve()
  }
}
