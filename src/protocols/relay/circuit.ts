import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { inBackground } from '../../runtime/background.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { NotAllowedError } from '../../runtime/errors.ts'
import { DeadlineError, StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { resumeStream } from '../engine/resume-stream.ts'
import { countApart } from '../engine/waiting-bytes.ts'

/** A member, and the stream over which it is reached. */
interface End {
  /** PeerId. */
  readonly peer: string
  readonly frames: FrameStream
}

export interface CircuitInit {
  clock: Clock
  limits: ProtocolLimits['relay']
  /** Counts bytes of a member; gives the ms until more of it may be taken. */
  charge: (peer: string, bytes: number) => number
  /** Tells whether the policy still lets this node relay. */
  mayServe: () => boolean
}

/** Time for the other side to end when one has. */
const lingerMs = 3_000

/** Two streams at a relay: what comes on one leaves on the other, and nothing is read that the other side does not take. */
export class Circuit {
  /** Resolves when both streams are closed. */
  readonly done: Promise<unknown>
  readonly #init: CircuitInit
  readonly #ends: readonly [End, End]
  #lanes: readonly Lane[] = []
  readonly #look: NodeJS.Timeout
  readonly #beganAt: number

  constructor(source: End, target: End, init: CircuitInit) {
    this.#init = init
    this.#ends = [source, target]
    this.#beganAt = init.clock.monotonic()
    this.done = Promise.all(this.#ends.map(({ frames }) => frames.closed))
    this.#look = setInterval(() => this.#lookOver(), init.limits.idleMs / 2).unref()
    for (const { frames } of this.#ends)
      inBackground(
        frames.closed.then((error) => this.#closed(error)),
        'ending a circuit'
      )
  }

  /** When the last bytes came, at either end; on the monotonic clock. */
  get movedAt(): number {
    return Math.max(this.#beganAt, ...this.#lanes.map((lane) => lane.movedAt))
  }

  /** Bytes that came from either end, and have not left for the other one. */
  get waitingBytes(): number {
    return this.#ends.reduce(
      (sum, { frames: { stream } }) => sum + stream.readBufferLength + stream.writeBufferLength,
      0
    )
  }

  /** Takes both streams over. What waits in them counts here, and not among what else their members have open. */
  async join(): Promise<void> {
    try {
      const [source, target] = this.#ends
      const [from, to] = await Promise.all([source.frames.handOver(), target.frames.handOver()])
      countApart(from.stream)
      countApart(to.stream)
      this.#lanes = [
        new Lane(from.stream, to.stream, source.peer, this.#init),
        new Lane(to.stream, from.stream, target.peer, this.#init)
      ]
      this.#lanes[0]?.start(from.rest)
      this.#lanes[1]?.start(to.rest)
    } catch (error) {
      this.end(error instanceof Error ? error : new StreamEndedError('the circuit could not be joined'))
    }
  }

  /** Ends it at once: both sides see a connection that is reset. */
  end(error: Error): void {
    clearInterval(this.#look)
    for (const lane of this.#lanes) lane.stop()
    for (const { frames } of this.#ends) frames.abort(error)
  }

  /** Whatever ends one side ends the other. An end in order was passed on by the lanes, and what was sent before it may be on its way. */
  #closed(error: Error | undefined): void {
    clearInterval(this.#look)
    if (error !== undefined) this.end(error)
    // A connection that is gone closes its streams as if both sides had ended them.
    else if (this.#lanes.some((lane) => !lane.hasEnded)) this.end(new StreamEndedError('a connection is closed'))
    else setTimeout(() => this.end(new StreamEndedError('the other side does not end')), lingerMs).unref()
  }

  #lookOver(): void {
    const { clock, limits, mayServe } = this.#init
    const now = clock.monotonic()
    if (!mayServe()) this.end(new NotAllowedError('this node relays no more: the policy of the network forbids it'))
    else if (now - this.movedAt > limits.idleMs) this.end(new DeadlineError('nothing moved on the circuit'))
    else if (now - this.#beganAt > limits.circuitMs) this.end(new DeadlineError('the circuit lasted its longest time'))
  }
}

/** One direction of a circuit. */
class Lane {
  movedAt = 0
  /** All was sent, and its end behind it. */
  hasEnded = false
  readonly #from: Stream
  readonly #to: Stream
  readonly #peer: string
  readonly #init: CircuitInit
  #timer: NodeJS.Timeout | undefined
  #isResuming = false

  constructor(from: Stream, to: Stream, peer: string, init: CircuitInit) {
    this.#from = from
    this.#to = to
    this.#peer = peer
    this.#init = init
  }

  /** `rest`: bytes that came before. */
  start(rest: Uint8Array): void {
    if (rest.byteLength > 0) this.#came(rest)
    this.#from.addEventListener('message', ({ data }) => this.#came(data))
    this.#from.addEventListener('remoteCloseWrite', () => this.#endSoon())
    // The stream itself goes on sending in a microtask after the event: before that it looks free, and would be given more than leaves it.
    this.#to.addEventListener('drain', () => queueMicrotask(() => this.#resume()))
    if (this.#from.remoteWriteStatus === 'closed') this.#endSoon()
    this.#resume()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  get #isHeld(): boolean {
    return this.#timer !== undefined || this.#to.writableNeedsDrain
  }

  #came(data: StreamMessageEvent['data']): void {
    this.movedAt = this.#init.clock.monotonic()
    const waitMs = this.#init.charge(this.#peer, data.byteLength)
    if (waitMs > 0) this.#hold(waitMs)
    try {
      if (this.#to.writeStatus === 'writable') this.#to.send(data)
    } catch (error) {
      this.#from.abort(error instanceof Error ? error : new StreamEndedError('the other side takes no more'))
    }
    if (!this.#isResuming) this.#pauseWhenHeld()
  }

  #hold(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#resume()
    }, ms).unref()
  }

  #pauseWhenHeld(): void {
    if (this.#isHeld && this.#from.readStatus === 'readable') this.#from.pause()
  }

  /** A stream that is paused again while it resumes would let as much come as its window has. */
  #resume(): void {
    if (this.#isHeld || this.#from.readStatus !== 'paused') return
    this.#isResuming = true
    try {
      resumeStream(this.#from)
    } finally {
      this.#isResuming = false
    }
    this.#pauseWhenHeld()
  }

  /** The member has sent all: so has this lane, when the last of it was taken. */
  #endSoon(): void {
    // One that is paused and has nothing left tells its end no second time.
    if (this.#from.readStatus === 'paused' && !this.#from.readableEnded) {
      this.#from.addEventListener('end', () => this.#endSoon(), { once: true })
      return
    }
    this.hasEnded = true
    this.#to
      .close()
      .catch((error: unknown) =>
        this.#to.abort(error instanceof Error ? error : new StreamEndedError('the end was not sent'))
      )
  }
}
