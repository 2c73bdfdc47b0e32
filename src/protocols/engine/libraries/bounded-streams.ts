import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { LimitError } from '../../../runtime/errors.ts'
import { type Culprit, culpritOf } from '../culprits.ts'
import { FrameTooLargeError, RateLimitedError } from '../errors.ts'
import { Gcra, type Rate } from '../rate-limiter.ts'
import type { ConnectionTrust } from '../trust/connection-trust.ts'
import { FrameCounter } from './frame-counter.ts'
import { Pieces, type Take } from './pieces.ts'

/** Bounds of what a library that reads streams by itself is given of one peer. */
export interface StreamBounds {
  /** Section of the table of limits, to name a culprit by. */
  readonly section: string
  /** Longest message, where messages have a length before them: it is looked at before the library has the message. */
  readonly frameBytes?: number
  /** Messages of a stream; counted where they have a length before them. */
  readonly messages?: number
  /** KiB on all streams; what is more waits in the peer's window. */
  readonly inbound?: Rate
  /** Least bytes that a message counts: it costs more than its bytes. */
  readonly leastBytes?: number
  /** Streams that the peer opens. */
  readonly opens?: Rate
}

/** Held back for so long within a minute, a peer sends what nobody asked for. */
export const heldMs = { count: 3_000, perMs: 60_000 }

/**
 * Stands before libraries that decode whatever comes, as much as comes. It knows peers, not streams: whoever comes again has its debts.
 */
export class BoundedStreams {
  readonly #trust: ConnectionTrust
  readonly #bounds: StreamBounds
  readonly #inbound: Gcra | undefined
  readonly #opens: Gcra | undefined
  readonly #held = new Gcra(heldMs)

  constructor(trust: ConnectionTrust, bounds: StreamBounds) {
    this.#trust = trust
    this.#bounds = bounds
    this.#inbound = bounds.inbound && new Gcra(bounds.inbound)
    this.#opens = bounds.opens && new Gcra(bounds.opens)
  }

  /** false: the peer opens too many, and the stream was reset. */
  accept(stream: Stream, connection: Connection): boolean {
    const waitMs = this.#opens?.take(connection.remotePeer.toString()) ?? 0
    if (waitMs > 0) {
      this.#exceeded('opens', connection)
      stream.abort(new RateLimitedError(`too many streams of ${this.#bounds.section}`, waitMs))
      return false
    }
    const take = this.#taker()
    if (this.#inbound === undefined) this.#check(stream, connection, take)
    else {
      const charge = (bytes: number): number => this.#charge(connection, bytes)
      new Pieces(stream, { take, charge, refuse: this.#cut(stream, connection) }).start()
    }
    return true
  }

  /**
   * Bounds the messages on a stream that was opened here: how many come is for us to say, as we asked for them. It listens when the library
   * does, and not before: who listens first is given what came with the answer to the negotiation.
   */
  opened(stream: Stream, connection: Connection): void {
    const listen = stream.addEventListener.bind(stream)
    stream.addEventListener = (type, listener, options) => {
      if (type === 'message') {
        stream.addEventListener = listen
        this.#check(stream, connection, this.#taker())
      }
      listen(type, listener, options)
    }
  }

  /** Before the library listens, which has to do so in the same turn. */
  #check(stream: Stream, connection: Connection, take: Take): void {
    const cut = this.#cut(stream, connection)
    stream.addEventListener('message', (event: StreamMessageEvent) => {
      try {
        take(event.data)
      } catch (error) {
        event.stopImmediatePropagation()
        cut(error)
      }
    })
  }

  #taker(): Take {
    const { frameBytes, leastBytes = 0, messages = Number.POSITIVE_INFINITY } = this.#bounds
    const counter = frameBytes === undefined ? undefined : new FrameCounter(frameBytes)
    let begun = 0
    return (data, most) => {
      const { bytes, frames } = counter?.push(data, most) ?? { bytes: data.byteLength, frames: 1 }
      begun += frames
      if (counter !== undefined && begun > messages) throw new LimitError(`more than ${messages} messages on a stream`)
      return { bytes, cost: Math.max(bytes, frames * leastBytes) }
    }
  }

  /** Gives the ms for which the peer has to wait before more of it is taken. */
  #charge(connection: Connection, bytes: number): number {
    const peer = connection.remotePeer.toString()
    const waitMs = this.#inbound?.charge(peer, bytes / 1024) ?? 0
    if (waitMs > 0 && this.#held.charge(peer, waitMs) > 0) this.#exceeded('inbound', connection)
    return waitMs
  }

  #cut(stream: Stream, connection: Connection): (error: unknown) => void {
    return (error) => {
      this.#exceeded(error instanceof LimitError ? 'messages' : 'frameBytes', connection)
      stream.abort(error instanceof Error ? error : new FrameTooLargeError('a message that is too long'))
    }
  }

  #exceeded(limit: string, connection: Connection): void {
    const culprit: Culprit = culpritOf(connection)
    this.#trust.culprits.exceeded(`${this.#bounds.section}.${limit}`, culprit)
  }
}
