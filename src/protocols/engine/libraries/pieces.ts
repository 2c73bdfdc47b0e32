import type { Stream } from '@libp2p/interface'
import { StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { holds } from '../waiting-bytes.ts'

type Data = Uint8Array | Uint8ArrayList

/** Counts what a library is about to be given, `most` messages at a time. Gives how many of the bytes that is, and what they cost. */
export type Take = (data: Data, most?: number) => { bytes: number; cost: number }

/** Largest piece, in bytes and in messages that begin in it: a message of three bytes costs its reader as much as one of a thousand. */
const largest = { bytes: 16 * 1024, messages: 16 }

/**
 * Gives a library what comes on a stream piece by piece, one in a turn of the event loop and none while its peer has to wait: a library
 * works off whatever it is given before anybody else has a turn. What it was not given yet is held here, and counts as waiting.
 */
export class Pieces {
  readonly #stream: Stream
  readonly #take: Take
  readonly #charge: (cost: number) => number
  readonly #refuse: (error: unknown) => void
  readonly #held = new Uint8ArrayList()
  #given: StreamMessageEvent | undefined
  #timer: NodeJS.Timeout | undefined
  #next: NodeJS.Immediate | undefined

  /** `charge` gives the ms to wait after a piece; `refuse` ends the stream for a message that may not be. */
  constructor(stream: Stream, take: Take, charge: (cost: number) => number, refuse: (error: unknown) => void) {
    this.#stream = stream
    this.#take = take
    this.#charge = charge
    this.#refuse = refuse
  }

  /** Before the library listens, which has to do so in the same turn. */
  start(): void {
    holds(this.#stream, () => ({ arrived: this.#held.byteLength, leaving: 0 }))
    this.#stream.addEventListener('message', (event) => {
      if (event !== this.#given) this.#came(event)
    })
    this.#stream.addEventListener('close', () => this.#drop())
    const waitMs = this.#charge(0)
    if (waitMs > 0) this.#wait(waitMs)
  }

  get #waits(): boolean {
    return this.#timer !== undefined || this.#next !== undefined
  }

  #came(event: StreamMessageEvent): void {
    event.stopImmediatePropagation()
    this.#held.append(event.data)
    if (!this.#waits) this.#go()
  }

  /** One piece, unless its peer owes for what it sent before, on whatever stream. */
  #go(): void {
    this.#timer = undefined
    this.#next = undefined
    const waitMs = this.#charge(0) || this.#give()
    if (waitMs > 0 || this.#held.byteLength > 0) this.#wait(waitMs)
    else if (this.#stream.readStatus === 'paused') this.#stream.resume()
  }

  #give(): number {
    if (this.#held.byteLength === 0) return 0
    const piece = this.#piece()
    if (piece === undefined) return 0
    this.#given = new StreamMessageEvent(piece.data)
    const waitMs = this.#charge(piece.cost)
    this.#stream.dispatchEvent(this.#given)
    return waitMs
  }

  #piece(): { data: Uint8ArrayList; cost: number } | undefined {
    try {
      const most = this.#held.sublist(0, Math.min(largest.bytes, this.#held.byteLength))
      const { bytes, cost } = this.#take(most, largest.messages)
      this.#held.consume(bytes)
      return { data: most.sublist(0, bytes), cost }
    } catch (error) {
      this.#refuse(error)
      return undefined
    }
  }

  #wait(ms: number): void {
    if (ms > 0) this.#timer = setTimeout(() => this.#go(), ms).unref()
    else this.#next = setImmediate(() => this.#go())
    // Not inside of a resume that brings these bytes: yamux would take the stream for resumed, and be sent more than it holds.
    queueMicrotask(() => {
      if (this.#waits && this.#stream.readStatus === 'readable') this.#stream.pause()
    })
  }

  #drop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#next)
    this.#timer = undefined
    this.#next = undefined
    this.#held.consume(this.#held.byteLength)
  }
}
