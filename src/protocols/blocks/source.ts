import type { Connection, PeerId } from '@libp2p/interface'
import { sha256 } from '../../identity/hash.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { DeadlineError, StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import { changeWindow, lazyWindow } from '../engine/libraries/stream-window.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { openStream } from '../engine/protocol.ts'
import { errorOf, statuses } from '../engine/status.ts'
import { blocksProtocol } from './descriptor.ts'
import { decodeAnswer, digestKey, encodeRequest, WrongBlockError } from './messages.ts'

/** Told what became of the wants that it had asked a source for. */
export interface Asker {
  gave(key: string, digest: Uint8Array, bytes: Uint8Array, source: BlockSource): void
  lacks(key: string, source: BlockSource): void
}

/** The parts of a source that a fetch uses. */
export type BlockSource = Pick<Source, 'peer' | 'room' | 'hasRoom' | 'owesForMs' | 'ask' | 'forget'>

interface Asked {
  readonly atMs: number
  /** Bytes of blocks that had come until then. */
  readonly afterBytes: number
  readonly askers: Set<Asker>
}

export interface SourceInit {
  networkId: Uint8Array
  limits: ProtocolLimits
  clock: Clock
  /** Last round trip to the member, ms; undefined: none was measured. */
  rttMs?: () => number | undefined
}

/** Blocks on their way before anything is known of a source. */
const firstWindow = 4
/** Bytes of blocks that are on their way at least: over a slow link whatever else goes through the connection waits for so many. */
const leastWindowBytes = 64 * 1024
/** A block that takes no longer, but for the round trips that the window costs, says that the source could send more at a time; one that takes four times as long, less. */
const quickMs = 250
const slowMs = 4 * quickMs

/** One member that is asked for blocks, over one stream, with as many on their way as it delivers quickly. Checks each before anybody has it. */
export class Source {
  readonly peer: PeerId
  /** Resolves with the reason when nothing more comes. */
  readonly closed: Promise<Error>
  /** On the monotonic clock. */
  readonly openedAtMs: number
  readonly #frames: FrameStream
  readonly #init: SourceInit
  /** By digest, in the order in which they were asked for. */
  readonly #asked = new Map<string, Asked>()
  #window = firstWindow
  #windowBytes: number
  #receivedBytes = 0
  /** Shortest round trip that was measured: later ones may have waited behind blocks. */
  #leastRttMs = Number.POSITIVE_INFINITY
  #lacksSinceMs: number | undefined
  #silence: NodeJS.Timeout | undefined

  private constructor(connection: Connection, frames: FrameStream, init: SourceInit) {
    this.peer = connection.remotePeer
    this.#frames = frames
    this.#init = init
    this.#windowBytes = init.limits.blocks.windowBytes
    this.openedAtMs = init.clock.monotonic()
    const { promise, resolve } = Promise.withResolvers<Error>()
    this.closed = promise
    const end = (error: unknown): void => {
      clearTimeout(this.#silence)
      const reason = error instanceof Error ? error : new StreamEndedError('the source failed')
      frames.abort(reason)
      resolve(reason)
    }
    this.#read().then(() => end(new StreamEndedError('the source ended its stream')), end)
  }

  static async open(connection: Connection, init: SourceInit, signal: AbortSignal): Promise<Source> {
    const { limits } = init
    const { frameMs } = limits.blocks
    const patient = { ...limits, stream: { ...limits.stream, frameMs } }
    const frames = await openStream(connection, blocksProtocol(limits), { limits: patient, signal })
    lazyWindow(frames.stream, limits.blocks.windowBytes)
    return new Source(connection, frames, init)
  }

  /** Blocks that may be asked for now. */
  get room(): number {
    return Math.max(0, this.#window - this.#asked.size)
  }

  get inFlight(): number {
    return this.#asked.size
  }

  /** Since when it has given nothing, and lacked what it was asked for; undefined: it lacked nothing after the last block that it gave. */
  get lacksSinceMs(): number | undefined {
    return this.#lacksSinceMs
  }

  /** It may be asked for half of its window at least, so that a request is not about one block. */
  get hasRoom(): boolean {
    return 2 * this.#asked.size <= this.#window
  }

  /** Time for which it has owed an answer about this block, ms. */
  owesForMs(key: string): number {
    const asked = this.#asked.get(key)
    return asked === undefined ? 0 : this.#init.clock.monotonic() - asked.atMs
  }

  /** Asks for them; what is on its way already is asked for once. */
  ask(digests: Iterable<Uint8Array>, asker: Asker): void {
    const atMs = this.#init.clock.monotonic()
    const fresh: Uint8Array[] = []
    for (const digest of digests) {
      const key = digestKey(digest)
      const asked = this.#asked.get(key)
      if (asked === undefined) {
        this.#asked.set(key, { atMs, afterBytes: this.#receivedBytes, askers: new Set([asker]) })
        fresh.push(digest)
      } else asked.askers.add(asker)
    }
    const { digests: most } = this.#init.limits.blocks
    for (let at = 0; at < fresh.length; at += most) this.#send(fresh.slice(at, at + most))
    this.#watch(false)
  }

  /** Tells an asker nothing more. */
  forget(asker: Asker): void {
    for (const { askers } of this.#asked.values()) askers.delete(asker)
  }

  async close(): Promise<void> {
    clearTimeout(this.#silence)
    await this.#frames.close()
  }

  #send(digests: Uint8Array[]): void {
    this.#frames.write(encodeRequest(digests, this.#init.networkId)).catch(() => {
      // Whoever reads the stream learns it, too.
    })
  }

  async #read(): Promise<void> {
    for await (const frame of this.#frames) {
      this.#answered(frame)
      this.#watch(true)
    }
  }

  #answered(frame: Uint8Array): void {
    const { status, digest, bytes, absent, retryAfterMs } = decodeAnswer(frame)
    if (status !== statuses.OK) throw errorOf(status, 'the member refused to send blocks', { retryAfterMs })
    const key = digestKey(digest)
    const asked = this.#asked.get(key)
    if (asked === undefined) throw new WrongBlockError('an answer about a block that it was not asked for')
    if (absent) {
      this.#asked.delete(key)
      this.#lacksSinceMs ??= this.#init.clock.monotonic()
      for (const asker of asked.askers) asker.lacks(key, this)
      return
    }
    if (digestKey(sha256(bytes)) !== key) throw new WrongBlockError('bytes that are not those of the digest')
    this.#asked.delete(key)
    this.#lacksSinceMs = undefined
    this.#receivedBytes += bytes.byteLength
    this.#adapt(asked)
    for (const asker of asked.askers) asker.gave(key, digest.slice(), kept(bytes), this)
  }

  #adapt({ atMs, afterBytes }: Asked): void {
    const { window, windowBytes } = this.#init.limits.blocks
    const tookMs = this.#init.clock.monotonic() - atMs
    // Over a long way blocks wait for answers about the window, and not because others are before them.
    const queuedMs = tookMs - this.#rttMs * Math.max(1, (this.#receivedBytes - afterBytes) / this.#windowBytes)
    if (queuedMs < quickMs) {
      if (tookMs < slowMs) this.#window = Math.min(this.#window + 1, window)
      this.#widen(Math.min(2 * this.#windowBytes, windowBytes))
    } else if (queuedMs > slowMs) {
      this.#window = Math.max(this.#window - 1, 1)
      this.#widen(Math.max(this.#windowBytes / 2, leastWindowBytes))
    }
  }

  get #rttMs(): number {
    this.#leastRttMs = Math.min(this.#leastRttMs, this.#init.rttMs?.() ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(this.#leastRttMs) ? this.#leastRttMs : 0
  }

  #widen(bytes: number): void {
    if (bytes === this.#windowBytes) return
    this.#windowBytes = bytes
    changeWindow(this.#frames.stream, bytes)
  }

  /** Each answer gives it time for the next. */
  #watch(isFresh: boolean): void {
    if (this.#asked.size === 0) {
      clearTimeout(this.#silence)
      this.#silence = undefined
    } else if (this.#silence === undefined) {
      const { silenceMs } = this.#init.limits.blocks
      this.#silence = setTimeout(
        () => this.#frames.abort(new DeadlineError(`a source sent nothing for ${silenceMs} ms`)),
        silenceMs
      ).unref()
    } else if (isFresh) this.#silence.refresh()
  }
}

/** A copy of a view that would keep much more than it is. */
const kept = (bytes: Uint8Array): Uint8Array => (2 * bytes.byteLength > bytes.buffer.byteLength ? bytes : bytes.slice())
