import { DeadlineError, StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import { SessionFrame } from './pb/register.ts'

const givenUp = 'the request was given up'

interface Asked {
  resolve: (frame: SessionFrame) => void
  reject: (error: Error) => void
}

/** Requests in flight on one stream, each with its id and deadline; at most `maxInFlight`, the others wait their turn. */
export class Requests {
  readonly #frames: FrameStream
  readonly #maxInFlight: number
  readonly #asked = new Map<number, Asked>()
  readonly #turns: Asked[] = []
  #lastId = 0
  #ended: Error | undefined

  constructor(frames: FrameStream, maxInFlight: number) {
    this.#frames = frames
    this.#maxInFlight = maxInFlight
  }

  /** Resolves with the answer to this request. The deadline counts from the moment it is sent. */
  async ask(body: Omit<SessionFrame, 'id'>, timeoutMs: number, signal?: AbortSignal): Promise<SessionFrame> {
    signal?.throwIfAborted()
    while (this.#asked.size >= this.#maxInFlight) await this.#turn()
    while (this.#frames.congested) await this.#frames.ready()
    if (this.#ended !== undefined) throw this.#ended
    if (signal?.aborted === true) {
      this.#next()
      throw new DeadlineError(givenUp)
    }
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1
    const id = this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<SessionFrame>()
    this.#asked.set(id, { resolve, reject })
    const timer = setTimeout(() => reject(new DeadlineError(`no answer within ${timeoutMs} ms`)), timeoutMs)
    const onAbort = () => reject(new DeadlineError(givenUp))
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      this.#frames.write(SessionFrame.encode({ id, ...body })).catch(reject)
      return await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      this.#asked.delete(id)
      this.#next()
    }
  }

  /** An answer to nothing that is asked (it came too late) is dropped. */
  answer(frame: SessionFrame): void {
    this.#asked.get(frame.id)?.resolve(frame)
  }

  /** Nothing is answered any more. */
  end(error: Error): void {
    this.#ended = error
    for (const { reject } of this.#asked.values()) reject(error)
    for (const { reject } of this.#turns.splice(0)) reject(error)
  }

  #next(): void {
    this.#turns.shift()?.resolve({ id: 0 })
  }

  async #turn(): Promise<void> {
    if (this.#ended !== undefined) throw new StreamEndedError(this.#ended.message)
    const { promise, resolve, reject } = Promise.withResolvers<SessionFrame>()
    this.#turns.push({ resolve, reject })
    await promise
  }
}
