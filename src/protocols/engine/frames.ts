import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { DeadlineError, MalformedFrameError, StreamEndedError, UnfinishedFrameError } from './errors.ts'
import { FrameParser } from './frame-parser.ts'
import { type Frame, FrameWriter } from './frame-writer.ts'
import { boundDataFrames } from './libraries/stream-window.ts'
import type { ProtocolLimits } from './limits.ts'
import { resumeStream } from './resume-stream.ts'
import { holds } from './waiting-bytes.ts'

export interface FrameStreamInit {
  /** Bytes of the longest frame that is read. */
  maxFrame: number
  limits: ProtocolLimits['stream']
  /** One frame comes, and behind it bytes that are none: see `handOver`. */
  isPreface?: boolean | undefined
}

export interface ReadOptions {
  signal?: AbortSignal | undefined
}

/**
 * Length-prefixed frames over a libp2p stream, with back pressure both ways. The only reader and writer of its stream:
 * construct it synchronously in the stream's handler, before any await, since a stream without a listener buffers blindly.
 * Frames are views of larger buffers: copy what is kept.
 */
export class FrameStream implements AsyncIterable<Uint8Array> {
  /** Resolves when both directions are closed: with the reason when it was not an orderly end. */
  readonly closed: Promise<Error | undefined>
  readonly stream: Stream
  readonly #limits: ProtocolLimits['stream']
  readonly #parser: FrameParser
  readonly #writer: FrameWriter
  #queue: Uint8Array[] = []
  #head = 0
  #queuedBytes = 0
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined
  #ended = false
  /** The other side ended while frames of it were held. */
  #endDue = false
  #failure: Error | undefined
  #slow: NodeJS.Timeout | undefined
  #framesSeen = 0
  #discards = false
  readonly #isPreface: boolean
  readonly #onMessage = (event: StreamMessageEvent): void => this.#receive(event.data)

  constructor(stream: Stream, init: FrameStreamInit) {
    this.stream = stream
    boundDataFrames(stream)
    this.#limits = init.limits
    this.#isPreface = init.isPreface ?? false
    this.#parser = new FrameParser(init.maxFrame, (frame) => this.#enqueue(frame))
    this.#writer = new FrameWriter(stream, {
      writeBufferBytes: init.limits.writeBufferBytes,
      stallMs: init.limits.stallMs,
      onStalled: (error) => this.abort(error)
    })
    holds(stream, () => ({ arrived: this.#queuedBytes + this.#parser.bytes, leaving: this.#writer.bytes }))
    const closed = Promise.withResolvers<Error | undefined>()
    this.closed = closed.promise
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('end', () => this.#end())
    stream.addEventListener('close', (event) => {
      const reason = this.#failure ?? this.#brokenOff(event.error)
      this.#fail(reason ?? new StreamEndedError('the stream is closed'), reason !== undefined)
      closed.resolve(reason)
    })
    // A stream that is gone already sends no event.
    if (stream.status === 'closed' || stream.status === 'reset' || stream.status === 'aborted') {
      this.#fail(new StreamEndedError(`the stream is ${stream.status}`), stream.status !== 'closed')
      closed.resolve(this.#failure)
    } else if (stream.readableEnded) this.#end()
  }

  /** The other side is behind: what is written now waits in memory, and beyond the limit the stream is aborted. */
  get congested(): boolean {
    return this.#writer.congested
  }

  /** Frames that are here and were not read. */
  get queued(): number {
    return this.#queue.length - this.#head
  }

  /** The next frame; undefined when the other side has ended in order. One reader at a time. */
  async read(options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const frame = this.tryRead()
    if (frame !== undefined) return frame
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ended) return undefined
    if (this.#reader !== undefined) throw new TypeError('a FrameStream has one reader at a time')
    options.signal?.throwIfAborted()
    const reader = Promise.withResolvers<Uint8Array | undefined>()
    this.#reader = reader
    using _ = onAbort(options.signal, (reason) => reader.reject(deadlineOf(reason)))
    try {
      return await reader.promise
    } finally {
      if (this.#reader === reader) this.#reader = undefined
    }
  }

  /** A frame that is here already. */
  tryRead(): Uint8Array | undefined {
    const frame = this.#queue[this.#head]
    if (frame === undefined) return undefined
    this.#head++
    this.#queuedBytes -= frame.byteLength
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
      this.#refill()
    }
    return frame
  }

  /** Ends when the other side does. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let frame = await this.read(); frame !== undefined; frame = await this.read()) yield frame
  }

  /** Queues a frame; those of one tick leave together. Resolves when more may be written. */
  async write(frame: Frame): Promise<void> {
    this.#writer.push(frame)
    if (this.#writer.congested) await this.#writer.ready()
  }

  /** Resolves when the other side keeps up. */
  ready(): Promise<void> {
    return this.#writer.ready()
  }

  /** Done with the stream: sends what is queued, ends our direction, reads no more; the other side has `lingerMs` to end its own. */
  async close(): Promise<void> {
    this.#discard()
    if (this.#failure !== undefined || this.stream.writeStatus !== 'writable') return
    const linger = setTimeout(
      () => this.abort(new StreamEndedError('the other side did not close its direction')),
      this.#limits.stallMs + this.#limits.lingerMs
    )
    linger.unref()
    inBackground(
      this.closed.then(() => clearTimeout(linger)),
      'closing a stream'
    )
    try {
      await this.#writer.drained()
      await this.stream.close({ signal: AbortSignal.timeout(this.#limits.stallMs) })
    } catch (error) {
      this.abort(error instanceof Error ? error : new StreamEndedError('the stream could not be closed'))
    }
  }

  /**
   * Gives the stream to whoever reads and writes its bytes from now on, paused, and those that came behind the frame which was read. From here
   * on this object closes and aborts the stream, and nothing else.
   */
  async handOver(): Promise<{ stream: Stream; rest: Uint8Array }> {
    const { stream } = this
    if (stream.readStatus === 'readable') stream.pause()
    await this.#writer.drained()
    stream.removeEventListener('message', this.#onMessage)
    this.#writer.fail(new StreamEndedError('the stream was handed over'))
    return { stream, rest: this.#parser.takeRest() }
  }

  /** Resets the stream. The other side learns no reason. */
  abort(error: Error): void {
    this.#fail(error, true)
    this.stream.abort(error)
  }

  /** The parts of a list are not joined here: the parser copies each frame once. */
  #receive(data: Uint8Array | Uint8ArrayList): void {
    if (this.#failure !== undefined || this.#discards) return
    this.#cut(() => {
      for (const part of data instanceof Uint8Array ? [data] : data) this.#parser.push(plain(part))
    })
  }

  #cut(parse: () => void): void {
    const seen = this.#framesSeen
    try {
      parse()
    } catch (error) {
      this.abort(error instanceof Error ? error : new MalformedFrameError('a frame that cannot be read'))
      return
    }
    this.#watchPartial(this.#framesSeen > seen)
  }

  /** false: enough is queued, the parser holds the rest. */
  #enqueue(frame: Uint8Array): boolean {
    this.#framesSeen++
    if (this.#reader !== undefined) {
      const reader = this.#reader
      this.#reader = undefined
      reader.resolve(frame)
      // Bytes behind it wait on the other side until the stream is handed over.
      if (this.#isPreface && this.stream.readStatus === 'readable') this.stream.pause()
      return !this.#isPreface
    }
    this.#queue.push(frame)
    this.#queuedBytes += frame.byteLength
    const { readAheadBytes, readAheadFrames } = this.#limits
    const full = this.#isPreface || this.#queuedBytes >= readAheadBytes || this.#queue.length >= readAheadFrames
    if (full && this.stream.readStatus === 'readable') this.stream.pause()
    return !full
  }

  /** The queue is empty: first what the parser holds, then what the stream has. */
  #refill(): void {
    if (this.#parser.held && !this.#isPreface) this.#cut(() => this.#parser.resume())
    if (this.#parser.held || this.#failure !== undefined) return
    if (this.#endDue) this.#end()
    if (this.stream.readStatus !== 'paused' || this.#queue.length > 0) return
    resumeStream(this.stream)
    this.#watchPartial(true)
  }

  #discard(): void {
    this.#discards = true
    this.#queue = []
    this.#head = 0
    this.#queuedBytes = 0
    clearTimeout(this.#slow)
    this.#slow = undefined
    resumeStream(this.stream)
  }

  /** Each frame has its own deadline, which does not run while it is us who do not read. */
  #watchPartial(fresh: boolean): void {
    if (!this.#parser.partial || this.stream.readStatus === 'paused' || this.#discards) {
      clearTimeout(this.#slow)
      this.#slow = undefined
    } else if (this.#slow === undefined) {
      this.#slow = setTimeout(
        () => this.abort(new UnfinishedFrameError(`a frame was not whole after ${this.#limits.frameMs} ms`)),
        this.#limits.frameMs
      )
      this.#slow.unref()
    } else if (fresh) {
      this.#slow.refresh()
    }
  }

  #end(): void {
    // A reset and an abort dispatch 'end' too, before their 'close'.
    if (this.stream.status === 'aborted' || this.stream.status === 'reset') return
    if (this.#parser.held && !this.#discards) {
      this.#endDue = true
      return
    }
    if (this.#parser.partial && !this.#discards) {
      this.abort(new MalformedFrameError('the stream ended within a frame'))
      return
    }
    this.#ended = true
    this.#reader?.resolve(undefined)
    this.#reader = undefined
  }

  /** The reason why the stream was closed: a reset by the other side can leave a frame unfinished. */
  #brokenOff(error: Error | undefined): Error | undefined {
    const isWithinFrame = error?.name === 'StreamResetError' && this.#parser.partial && !this.#discards
    return isWithinFrame ? new UnfinishedFrameError('the stream was reset within a frame') : error
  }

  #fail(error: Error, unexpected: boolean): void {
    clearTimeout(this.#slow)
    this.#slow = undefined
    this.#writer.fail(error)
    if (unexpected) {
      this.#failure ??= error
      this.#reader?.reject(this.#failure)
      this.#reader = undefined
      return
    }
    if (this.stream.readableEnded || this.stream.readStatus === 'closed') this.#end()
  }
}

/** Not a Buffer, whose slice() is a view: what is sliced off a frame must be a copy. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const deadlineOf = (reason: Error): Error =>
  reason.name === 'TimeoutError' ? new DeadlineError('no answer before the deadline') : reason
