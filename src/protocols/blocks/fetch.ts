import { hashBytes } from '../../identity/checked-bytes.ts'
import { abortReason, onAbort } from '../../runtime/abort.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import type { Block, FetchOptions } from './block.ts'
import { Choice } from './choice.ts'
import { digestKey } from './messages.ts'
import type { Asker, BlockSource } from './source.ts'
import { Want } from './want.ts'

export interface FetchInit {
  self: string
  limits: ProtocolLimits['blocks']
  clock: Clock
  /** Opens the sources of the fetch, as far as there is room, and calls `add` with each. Gives the PeerIds of those that are being opened. */
  open(fetch: Fetch): ReadonlySet<string>
  /** Calls `ask` soon, once for all that happens in one turn of the event loop, when it is the turn of this fetch. */
  askSoon(): void
}

/** Expected of a block before the first came. */
const usualBytes = 256 * 1024
const tickMs = 100
/** Digests of given blocks that are remembered, so that none is asked for again. */
const mostGiven = 65_536

type Wants = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** One fetch: wants that are not given yet, the sources that may have them, and blocks that its caller has not taken. */
export class Fetch implements Asker {
  readonly options: FetchOptions
  readonly #init: FetchInit
  readonly #choice: Choice
  readonly #wants = new Map<string, Want>()
  readonly #given = new Set<string>()
  readonly #ready: Block[] = []
  #readyBytes = 0
  #largest = usualBytes
  #allKnown = false
  #failure: Error | undefined
  /** Last time at which a block came or was taken, or a source was being opened. */
  #movedAtMs: number
  /** Last time at which a block came or was taken. */
  #gaveAtMs: number
  #change = Promise.withResolvers<void>()

  constructor(options: FetchOptions, init: FetchInit) {
    this.options = options
    this.#init = init
    this.#choice = new Choice(init)
    this.#movedAtMs = init.clock.monotonic()
    this.#gaveAtMs = this.#movedAtMs
  }

  async *blocks(wants: Wants): AsyncGenerator<Block> {
    const iterator = Symbol.asyncIterator in wants ? wants[Symbol.asyncIterator]() : wants[Symbol.iterator]()
    this.options.signal.throwIfAborted()
    using _ = onAbort(this.options.signal, () => this.#fail(abortReason(this.options.signal)))
    const timer = setInterval(() => this.#tick(), tickMs).unref()
    try {
      this.#pull(iterator).catch((error: unknown) => this.#fail(error))
      this.#tick()
      for (;;) {
        const block = await this.#next()
        if (block === undefined) return
        yield block
        this.#moved()
      }
    } finally {
      clearInterval(timer)
      this.#fail(new Error('the fetch has ended'))
      for (const source of this.#choice.sources) source.forget(this)
      // It may be waiting for something that never comes: nobody waits for its end.
      Promise.resolve(iterator.return?.()).catch(() => {})
    }
  }

  get isWithoutSource(): boolean {
    return this.#choice.sources.length === 0
  }

  /** Nobody gives anything, and half of the time has passed after which it would end. */
  get isStarving(): boolean {
    return 2 * (this.#init.clock.monotonic() - this.#gaveAtMs) > this.#init.limits.idleFetchMs
  }

  /** Asks nobody else any more. */
  keep(peers: ReadonlyMap<string, unknown>): void {
    for (const source of this.#choice.sources) if (!peers.has(source.peer.toString())) this.remove(source)
  }

  /** A member that can be asked from now on. */
  add(source: BlockSource): void {
    if (this.#choice.has(source)) return
    this.#choice.add(source, this.#init.clock.monotonic())
    this.#init.askSoon()
  }

  /** A member that is asked no more: others are asked for what it owes. */
  remove(source: BlockSource): void {
    if (!this.#choice.has(source)) return
    this.#choice.remove(source, this.#init.clock.monotonic())
    source.forget(this)
    for (const want of this.#wants.values()) want.lost(source)
    this.#init.askSoon()
  }

  gave(key: string, digest: Uint8Array, bytes: Uint8Array, source: BlockSource): void {
    const nowMs = this.#init.clock.monotonic()
    this.#choice.gave(source, nowMs)
    this.#init.askSoon()
    const want = this.#wants.get(key)
    if (want === undefined) return
    this.#moved()
    this.#largest = Math.max(this.#largest, bytes.byteLength)
    if (this.#ready.length > 0 && this.#readyBytes + bytes.byteLength > this.#init.limits.fetchBytes) {
      // Larger ones came than were expected: it is asked for again when there is room.
      want.asked.delete(source)
      return
    }
    this.#wants.delete(key)
    this.#remember(key)
    this.#readyBytes += bytes.byteLength
    this.#ready.push({ digest, bytes, from: source.peer })
    this.#changed()
  }

  lacks(key: string, source: BlockSource): void {
    const nowMs = this.#init.clock.monotonic()
    this.#choice.lacks(source, nowMs)
    this.#wants.get(key)?.absentAt(source, nowMs)
    this.#init.askSoon()
  }

  async #next(): Promise<Block | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const block = this.#ready.shift()
      if (block !== undefined) {
        this.#readyBytes -= block.bytes.byteLength
        this.#init.askSoon()
        return block
      }
      if (this.#wants.size === 0 ? this.#allKnown : this.#isIdle()) return undefined
      await this.#change.promise
    }
  }

  /** Nobody has given anything for a while, and nobody owes an answer; or for so long that whoever owes one has had its time. */
  #isIdle(): boolean {
    const { idleFetchMs, silenceMs, dialMs } = this.#init.limits
    const nowMs = this.#init.clock.monotonic()
    if (nowMs - this.#gaveAtMs > dialMs + silenceMs + idleFetchMs) return true
    return nowMs - this.#movedAtMs > idleFetchMs && [...this.#wants.values()].every(({ asked }) => asked.size === 0)
  }

  async #pull(iterator: Iterator<Uint8Array> | AsyncIterator<Uint8Array>): Promise<void> {
    for (;;) {
      while (this.#wants.size >= this.#init.limits.lookAhead && this.#failure === undefined) await this.#change.promise
      if (this.#failure !== undefined) return
      const { done, value } = await iterator.next()
      if (done === true) break
      this.#want(value)
    }
    this.#allKnown = true
    this.#changed()
  }

  #want(digest: Uint8Array): void {
    if (digest.length !== hashBytes) throw new TypeError('a digest of a block has 32 bytes')
    const key = digestKey(digest)
    if (this.#wants.has(key) || this.#given.has(key)) return
    if (this.#wants.size === 0) this.#moved()
    this.#wants.set(key, new Want(digest))
    this.#init.askSoon()
  }

  #remember(key: string): void {
    this.#given.add(key)
    const oldest = this.#given.keys().next()
    if (this.#given.size > mostGiven && oldest.done !== true) this.#given.delete(oldest.value)
  }

  #tick(): void {
    const nowMs = this.#init.clock.monotonic()
    const opening = this.#init.open(this)
    this.#choice.expect(opening, nowMs)
    this.#choice.look(this.#wants.values(), nowMs)
    if (opening.size > 0 && (this.isWithoutSource || !this.isStarving)) this.#movedAtMs = nowMs
    this.#init.askSoon()
    this.#changed()
  }

  #moved(): void {
    this.#movedAtMs = this.#init.clock.monotonic()
    this.#gaveAtMs = this.#movedAtMs
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.#changed()
  }

  #changed(): void {
    const { resolve } = this.#change
    this.#change = Promise.withResolvers<void>()
    resolve()
  }

  /** Asks those who have room for what is wanted next. True where somebody was asked. */
  ask(): boolean {
    if (this.#failure !== undefined || this.#wants.size === 0) return false
    const nowMs = this.#init.clock.monotonic()
    let hasAsked = false
    let places = this.#places()
    for (const source of this.#choice.sources) {
      // It sends what others asked for: that is no sign that nobody has anything.
      if (!source.hasRoom) this.#movedAtMs = nowMs
      if (!source.hasRoom || places <= 0) continue
      const picked = this.#choice.pick(source, this.#wants, Math.min(source.room, places), nowMs)
      if (picked.length === 0) continue
      for (const want of picked) want.asked.add(source)
      places -= picked.length
      hasAsked = true
      source.ask(
        picked.map(({ digest }) => digest),
        this
      )
    }
    return hasAsked
  }

  /** Blocks that there is room for, of those that may be larger than all that came. */
  #places(): number {
    let onTheirWay = 0
    for (const { asked } of this.#wants.values()) onTheirWay += asked.size
    return Math.floor((this.#init.limits.fetchBytes - this.#readyBytes) / this.#largest) - onTheirWay
  }
}
