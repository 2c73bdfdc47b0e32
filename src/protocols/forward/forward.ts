import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import { lazyWindow } from '../engine/libraries/stream-window.ts'
import { countApart } from '../engine/waiting-bytes.ts'
import type { Sender, SendTurns } from './send-turns.ts'

/** The facts about a forward that do not change. */
export interface ForwardFacts {
  /** PeerId of the other side. */
  readonly peer: string
  readonly publicKey: Uint8Array
  readonly service: string
  /** in: a service of this node is used there; out: one of theirs here. */
  readonly direction: 'in' | 'out'
  readonly connection: Connection
}

export interface ForwardInit {
  turns: SendTurns
  clock: Clock
  windowBytes: number
  onEnd: (forward: Forward) => void
}

/** As much as Node reads of a socket before somebody takes it. */
const pieceBytes = 64 * 1024

/** A service of one member in use by another: a stream and a socket, and what comes at one leaves at the other. */
export class Forward implements Sender, ForwardFacts {
  readonly peer: string
  readonly publicKey: Uint8Array
  readonly service: string
  readonly direction: 'in' | 'out'
  readonly connection: Connection
  /** On the monotonic clock. */
  readonly beganAt: number
  /** Resolves when it is over: with the reason when that was no orderly end. */
  readonly done: Promise<Error | undefined>
  movedAt: number
  /** Bytes that came from the peer, and that it was sent. */
  bytesIn = 0
  bytesOut = 0
  readonly #init: ForwardInit
  readonly #settle: (reason: Error | undefined) => void
  #frames: FrameStream | undefined
  #stream: Stream | undefined
  #socket: Duplex | undefined
  #held: Uint8Array | undefined
  #isOver = false
  /** It waits for its turn to send. */
  #isWaiting = false
  #isResuming = false
  /** The other side has sent all. */
  #hasEnded = false
  /** The socket has ended. */
  #isEnding = false
  /** All of it was sent, and its end behind it. */
  #isClosing = false

  constructor(facts: ForwardFacts, init: ForwardInit) {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    this.peer = facts.peer
    this.publicKey = facts.publicKey
    this.service = facts.service
    this.direction = facts.direction
    this.connection = facts.connection
    this.beganAt = this.movedAt = init.clock.monotonic()
    this.done = promise
    this.#settle = resolve
    this.#init = init
  }

  /** The answer was given, and bytes go both ways. */
  get isOpen(): boolean {
    return this.#stream !== undefined && !this.#isOver
  }

  get isBlocked(): boolean {
    // A stream whose window is used up looks free when its connection is: what it is given then waits in it, and leaves out of turn.
    return this.#stream === undefined || this.#stream.writableNeedsDrain || this.#stream.writeBufferLength > 0
  }

  /** Bytes that came on either side and were not taken on the other. */
  get waitingBytes(): number {
    const stream = (this.#stream?.readBufferLength ?? 0) + (this.#stream?.writeBufferLength ?? 0)
    const piece = Math.min((this.#held?.byteLength ?? 0) + (this.#socket?.readableLength ?? 0), pieceBytes)
    return stream + piece + (this.#socket?.writableLength ?? 0)
  }

  /** Joins a stream, behind whose frames bytes come, to a socket. Takes both over, also when it fails. */
  async join(frames: FrameStream, socket: Duplex): Promise<void> {
    this.#frames = frames
    this.#socket = socket
    socket.on('error', (error) => this.end(error))
    if (this.#isOver) return this.#drop(new StreamEndedError('the forward has ended'))
    try {
      const { stream, rest } = await frames.handOver()
      if (this.#isOver) return
      countApart(stream)
      lazyWindow(stream, this.#init.windowBytes)
      this.#stream = stream
      // Before its end, which may have come, too.
      if (rest.byteLength > 0) this.#came(rest)
      this.#listen(stream, socket)
      this.#resume()
    } catch (error) {
      this.end(asError(error, 'the forward failed'))
    }
  }

  /** Ends it at once: both sides see a connection that is reset. */
  end(error: Error): void {
    if (this.#isOver) return
    this.#over(error)
    this.#drop(error)
  }

  /** Releases the place of a forward that was never joined. */
  [Symbol.dispose](): void {
    if (this.#frames === undefined) this.#over(undefined)
  }

  sendPiece(): void {
    this.#isWaiting = false
    this.#send()
    this.#sendOn()
  }

  #listen(stream: Stream, socket: Duplex): void {
    this.#hasEnded = stream.remoteWriteStatus === 'closed' && stream.status === 'open'
    stream.addEventListener('message', ({ data }) => this.#came(data))
    for (const event of ['drain', 'idle'] as const) stream.addEventListener(event, () => this.#init.turns.wake())
    stream.addEventListener('remoteCloseWrite', () => {
      this.#hasEnded = true
    })
    stream.addEventListener('end', () => this.#endSocket())
    stream.addEventListener('close', ({ error }) => {
      // A connection that is gone closes its streams as if both sides had ended them.
      const isOrderly = error === undefined && this.#hasEnded && this.#isClosing
      if (isOrderly) this.#lookOver()
      else this.end(error ?? new StreamEndedError('the connection is closed'))
    })
    socket.on('readable', () => this.#sendOn())
    socket.on('end', () => {
      this.#isEnding = true
      this.#sendOn()
    })
    socket.on('drain', () => this.#resume())
    socket.on('close', () => {
      if (socket.readableEnded && socket.writableFinished) this.#lookOver()
      else this.end(new StreamEndedError('the socket was closed'))
    })
    if (stream.status !== 'open') this.end(new StreamEndedError(`the stream is ${stream.status}`))
    else if (socket.destroyed) this.end(new StreamEndedError('the socket was closed'))
    else if (stream.readableEnded) this.#endSocket()
  }

  /** Sends what is there, a piece at each turn. What comes while it waits stays in the socket, and is one piece then. */
  #sendOn(): void {
    if (this.#isWaiting || this.#isOver) return
    while (this.#hasPiece()) {
      if (this.#init.turns.take(this)) this.#send()
      else {
        this.#isWaiting = true
        this.#init.turns.wait(this)
        return
      }
    }
    if (this.#isEnding) this.#closeStream()
  }

  /** True: there is something to send. */
  #hasPiece(): boolean {
    // A socket tells of its end, and of what comes next, to whoever has found it empty.
    if (this.#held === undefined && this.#socket?.readableLength === 0) this.#held = this.#read()
    return this.#held !== undefined || (this.#socket?.readableLength ?? 0) > 0
  }

  #read(): Uint8Array | undefined {
    const bytes: unknown = this.#socket?.read()
    return bytes instanceof Uint8Array ? bytes : undefined
  }

  #send(): void {
    const bytes = this.#held ?? this.#read()
    if (bytes === undefined || this.#isOver) return
    const piece = bytes.subarray(0, pieceBytes)
    this.#held = piece.byteLength < bytes.byteLength ? bytes.subarray(pieceBytes) : undefined
    this.movedAt = this.#init.clock.monotonic()
    this.bytesOut += piece.byteLength
    try {
      this.#stream?.send(piece)
    } catch (error) {
      this.end(asError(error, 'the stream takes no more'))
    }
  }

  #came(data: StreamMessageEvent['data']): void {
    const socket = this.#socket
    if (socket === undefined || this.#isOver) return
    this.movedAt = this.#init.clock.monotonic()
    this.bytesIn += data.byteLength
    if (data instanceof Uint8Array) socket.write(data)
    else {
      socket.cork()
      for (const part of data) socket.write(part)
      socket.uncork()
    }
    if (!this.#isResuming) this.#pauseWhenFull()
  }

  #pauseWhenFull(): void {
    if (this.#socket?.writableNeedDrain === true && this.#stream?.readStatus === 'readable') this.#stream.pause()
  }

  /** A stream that is paused again while it resumes would let as much come as its window has. */
  #resume(): void {
    const stream = this.#stream
    if (stream?.readStatus !== 'paused' || this.#socket?.writableNeedDrain === true) return
    this.#isResuming = true
    try {
      stream.resume()
    } catch (error) {
      this.end(asError(error, 'the connection is closed'))
    } finally {
      this.#isResuming = false
    }
    this.#pauseWhenFull()
  }

  /** All that came was written. */
  #endSocket(): void {
    if (this.#hasEnded && !this.#isOver) this.#socket?.end()
  }

  #closeStream(): void {
    this.#isClosing = true
    // It waits for all that was sent: when it fails, a part of it is lost.
    this.#stream?.close().catch((error: unknown) => this.end(asError(error, 'the end was not sent')))
  }

  /** Over in order: both sides have ended, and each has all. */
  #lookOver(): void {
    if (this.#socket?.closed === true && this.#stream?.status === 'closed') this.#over(undefined)
  }

  #over(reason: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#held = undefined
    this.#init.turns.leave(this)
    this.#init.onEnd(this)
    this.#settle(reason)
  }

  #drop(error: Error): void {
    this.#frames?.abort(error)
    if (this.#socket !== undefined) cutOff(this.#socket, error)
  }
}

/** Ends a socket by a reset, where it knows one: an end would look like all of it. */
export function cutOff(socket: Duplex, error?: Error): void {
  if (socket instanceof Socket && socket.remoteAddress !== undefined) socket.resetAndDestroy()
  else socket.destroy(error)
}

const asError = (error: unknown, otherwise: string): Error =>
  error instanceof Error ? error : new StreamEndedError(otherwise)
