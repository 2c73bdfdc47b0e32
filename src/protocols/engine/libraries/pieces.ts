import type { Stream } from '@libp2p/interface'
import { StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { resumeStream } from '../resume-stream.ts'
import { LibraryTurns } from './library-turns.ts'

type Data = Uint8Array | Uint8ArrayList

/** Counts what a library is about to be given, `most` messages at a time. Gives how many of the bytes that is, and what they cost. */
export type Take = (data: Data, most?: number) => { bytes: number; cost: number }

/** One for the process, as its event loop is. */
const ofProcess = new LibraryTurns()

export interface PiecesInit {
  readonly take: Take
  /** Gives the ms to wait after a piece. */
  readonly charge: (cost: number) => number
  /** Ends the stream for a message that may not be. */
  readonly refuse: (error: unknown) => void
  readonly turns?: LibraryTurns
}

/** Largest piece, in bytes and in messages that begin in it: a message of three bytes costs its reader as much as one of a thousand. */
const largest = { bytes: 16 * 1024, messages: 16 }

/**
 * Gives a library what comes on a stream piece by piece, in turns with all other streams and none while its peer has to wait: a library
 * works off whatever it is given before anybody else has a turn. What it was not given yet is held here, and counts as waiting.
 */
export class Pieces {
  readonly #stream: Stream
  readonly #take: Take
  readonly #charge: (cost: number) => number
  readonly #refuse: (error: unknown) => void
  readonly #turns: LibraryTurns
  readonly #held = new Uint8ArrayList()
  #given: StreamMessageEvent | undefined
  #timer: NodeJS.Timeout | undefined
  #isDue = false
  readonly #atTurn = (): void => this.#go()

  constructor(stream: Stream, { take, charge, refuse, turns = ofProcess }: PiecesInit) {
    this.#stream = stream
    this.#take = take
    this.#charge = charge
    this.#refuse = refuse
    this.#turns = turns
  }

  /** Before the library listens, which has to do so in the same turn. */
  start(): void {
    this.#countAsUnread()
    this.#stream.addEventListener('message', (event) => {
      if (event !== this.#given) this.#came(event)
    })
    this.#stream.addEventListener('close', () => this.#drop())
    const waitMs = this.#charge(0)
    if (waitMs > 0) this.#wait(waitMs)
  }

  /** A library that has not been given all of it is not at the end of the stream, though its peer has sent all. */
  #countAsUnread(): void {
    const prototype: object = Object.getPrototypeOf(this.#stream)
    const buffered = (): number => Number(Reflect.get(prototype, 'readBufferLength', this.#stream) ?? 0)
    Object.defineProperty(this.#stream, 'readBufferLength', { get: () => buffered() + this.#held.byteLength })
  }

  get #waits(): boolean {
    return this.#timer !== undefined || this.#isDue
  }

  #came(event: StreamMessageEvent): void {
    event.stopImmediatePropagation()
    this.#held.append(event.data)
    if (!this.#waits) this.#begin()
  }

  /** At once where the turn of the event loop has time. */
  #begin(): void {
    this.#timer = undefined
    if (this.#turns.hasTime) this.#turns.run(this.#atTurn)
    else this.#wait(0)
  }

  /** One piece, unless its peer owes for what it sent before, on whatever stream. */
  #go(): void {
    this.#timer = undefined
    this.#isDue = false
    const waitMs = this.#charge(0) || this.#give()
    if (waitMs > 0 || this.#held.byteLength > 0) this.#wait(waitMs)
    else resumeStream(this.#stream)
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
    if (ms > 0) this.#timer = setTimeout(() => this.#begin(), ms).unref()
    else {
      this.#isDue = true
      this.#turns.add(this.#atTurn)
    }
    // Not inside of a resume that brings these bytes: yamux would take the stream for resumed, and be sent more than it holds.
    queueMicrotask(() => {
      if (this.#waits && this.#stream.readStatus === 'readable') this.#stream.pause()
    })
  }

  #drop(): void {
    clearTimeout(this.#timer)
    this.#turns.drop(this.#atTurn)
    this.#timer = undefined
    this.#isDue = false
    this.#held.consume(this.#held.byteLength)
  }
}
