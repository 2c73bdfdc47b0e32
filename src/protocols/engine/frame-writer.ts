import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { StalledWriteError, StreamEndedError } from './errors.ts'
import { joinFrames, lengthPrefix } from './frame-parser.ts'

/** The bytes of one frame; a list where joining its parts would be a copy of much. What is in it must not change until it was sent. */
export type Frame = Uint8Array | Uint8ArrayList

/**
 * One send carries little more than this: it becomes one buffer, one encryption and one system call. A longer frame is sent in pieces: a slow
 * reader shows with each of them that it reads.
 */
const sendBytes = 128 * 1024

export interface FrameWriterInit {
  writeBufferBytes: number
  stallMs: number
  onStalled: (error: StalledWriteError) => void
}

/** The writing half of a FrameStream: frames of one tick leave in one send, and nothing is sent to a reader that is behind. */
export class FrameWriter {
  readonly #stream: Stream
  readonly #init: FrameWriterInit
  #queue: Frame[] = []
  #queuedBytes = 0
  /** The part of a long frame that was not sent yet. */
  readonly #rest = new Uint8ArrayList()
  #scheduled = false
  #waiters: PromiseWithResolvers<void>[] = []
  #stall: NodeJS.Timeout | undefined
  #failure: Error | undefined

  constructor(stream: Stream, init: FrameWriterInit) {
    this.#stream = stream
    this.#init = init
    stream.maxWriteBufferLength = init.writeBufferBytes
    // Not stream.onDrain(): from its second call on it resolves at once.
    // The stream itself goes on sending in a microtask after the event; what is left then tells whether it is blocked again.
    stream.addEventListener('drain', () => {
      queueMicrotask(() => {
        this.#disarm()
        this.#flush()
      })
    })
  }

  /** The other side is behind: what is written now waits in memory. */
  get congested(): boolean {
    return this.#stream.writableNeedsDrain || this.bytes >= sendBytes
  }

  /** Bytes that were not handed to the stream yet. */
  get bytes(): number {
    return this.#queuedBytes + this.#rest.byteLength
  }

  push(frame: Frame): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#stream.writeStatus !== 'writable') throw new StreamEndedError('the stream is closed for writing')
    this.#queue.push(frame)
    this.#queuedBytes += frame.byteLength
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  /** Resolves when the other side keeps up; rejects when the stream ends first. */
  async ready(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (!this.congested) return
    const waiter = Promise.withResolvers<void>()
    this.#waiters.push(waiter)
    await waiter.promise
  }

  /** Resolves when all that was written has been handed to the muxer. */
  async drained(): Promise<void> {
    while (this.bytes > 0) {
      this.#flush()
      if (this.bytes > 0) await this.ready()
    }
  }

  fail(error: Error): void {
    this.#failure ??= error
    this.#disarm()
    this.#queue = []
    this.#queuedBytes = 0
    this.#rest.consume(this.#rest.byteLength)
    this.#wake()
  }

  #flush(): void {
    while (this.bytes > 0 && !this.#stream.writableNeedsDrain && this.#failure === undefined) {
      try {
        this.#stream.send(this.#nextPiece())
      } catch (error) {
        this.fail(error instanceof Error ? error : new StreamEndedError('the stream failed while it was written'))
        return
      }
    }
    if (this.#stream.writableNeedsDrain) this.#arm()
    if (!this.congested) this.#wake()
    else this.#checkQueue()
  }

  #nextPiece(): Frame {
    if (this.#rest.byteLength === 0) {
      const frames = this.#takeSome()
      const [first] = frames
      if (first === undefined || first.byteLength <= sendBytes) return joinFrames(frames.map((each) => each.subarray()))
      this.#rest.append(lengthPrefix(first.byteLength))
      this.#rest.append(first)
    }
    const piece = this.#rest.sublist(0, Math.min(sendBytes, this.#rest.byteLength))
    this.#rest.consume(piece.byteLength)
    return piece
  }

  /** Several that are short, or one that is long. */
  #takeSome(): Frame[] {
    let bytes = 0
    let count = 0
    for (const { byteLength } of this.#queue) {
      if (bytes >= sendBytes || (count > 0 && byteLength > sendBytes)) break
      bytes += byteLength
      count++
    }
    this.#queuedBytes -= bytes
    return this.#queue.splice(0, count)
  }

  #checkQueue(): void {
    if (this.#queuedBytes <= this.#init.writeBufferBytes) return
    const waiting = `${this.#queuedBytes} bytes wait for a reader that is behind`
    this.#init.onStalled(new StalledWriteError(`${waiting}, at most ${this.#init.writeBufferBytes} may`))
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { resolve, reject } of waiters) {
      if (this.#failure === undefined) resolve()
      else reject(this.#failure)
    }
  }

  #arm(): void {
    if (this.#stall !== undefined || this.#failure !== undefined) return
    this.#stall = setTimeout(() => {
      this.#stall = undefined
      this.#init.onStalled(new StalledWriteError(`the other side read nothing for ${this.#init.stallMs} ms`))
    }, this.#init.stallMs)
    this.#stall.unref()
  }

  #disarm(): void {
    clearTimeout(this.#stall)
    this.#stall = undefined
  }
}
