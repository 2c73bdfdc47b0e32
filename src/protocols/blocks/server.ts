import type { Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { sleep } from '../../runtime/sleep.ts'
import { AnswerTurns } from '../engine/answer-turns.ts'
import { DeadlineError } from '../engine/errors.ts'
import { FewLines } from '../engine/few-lines.ts'
import type { Frame } from '../engine/frame-writer.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, type Exchange, type Served, serve } from '../engine/protocol.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import type { BlockReader } from './block.ts'
import { blocksProtocol } from './descriptor.ts'
import { encodeAnswer, readRequest } from './messages.ts'

export interface BlocksServerInit {
  networkId: Uint8Array
  /** Asked one after the other. */
  readers: readonly BlockReader[]
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

export interface BlocksServerComponents {
  registrar: Registrar
}

/** Key of what all peers share. */
const all = ''
/** Blocks that are as short are read together and leave in one send: each alone would cost more than its bytes do. */
const shortBytes = 16 * 1024
const shortAtOnce = 16

class BlocksService implements Startable {
  readonly #init: BlocksServerInit
  readonly #components: BlocksServerComponents
  /** KiB that a peer is sent, and that all are. */
  readonly #ofPeer: Gcra
  readonly #ofAll: Gcra
  /** Blocks of a peer that it has not taken, and those of all that are being read. */
  readonly #untaken: AnswerTurns
  readonly #reading: AnswerTurns
  readonly #lines: FewLines | undefined
  #served: Served | undefined

  constructor(components: BlocksServerComponents, init: BlocksServerInit) {
    const { blocks } = init.limits
    const options = init.clock === undefined ? {} : { clock: init.clock }
    this.#components = components
    this.#init = init
    this.#ofPeer = new Gcra(blocks.ofPeer, options)
    this.#ofAll = new Gcra(blocks.ofAll, options)
    this.#untaken = new AnswerTurns(blocks.untakenOfPeer)
    this.#reading = new AnswerTurns(blocks.reading)
    this.#lines = init.logger && new FewLines(init.logger, init.clock)
  }

  isStarted(): boolean {
    return this.#served !== undefined
  }

  async start(): Promise<void> {
    const { limits } = this.#init
    const { writeBufferBytes, stallMs } = limits.blocks
    const init = {
      ...this.#init,
      registrar: this.#components.registrar,
      limits: { ...limits, stream: { ...limits.stream, writeBufferBytes, stallMs } }
    }
    this.#served = await serve(init, blocksProtocol(limits), (exchange) => this.#handle(exchange))
  }

  async stop(): Promise<void> {
    await this.#served?.close()
    this.#served = undefined
  }

  /** The next request is read when the last is answered: a list of wants without end waits on its own side. */
  async #handle(exchange: Exchange): Promise<void> {
    const { networkId, limits, logger } = this.#init
    let isShort = false
    for (;;) {
      const bytes = await this.#next(exchange.frames)
      if (bytes === undefined) return
      const { digests, trace } = readRequest(bytes, networkId, limits.blocks)
      const traced = { logger, peer: exchange.remoteId, request: 'blocks' }
      const pieces = piecesOf(digests, isShort ? shortAtOnce : 1)
      const long = await answerTraced(trace, traced, () => this.#answer(exchange, pieces))
      isShort = long.length === 0
    }
  }

  async #next(frames: Exchange['frames']): Promise<Uint8Array | undefined> {
    const { idleMs } = this.#init.limits.blocks
    const timer = setTimeout(() => frames.abort(new DeadlineError(`no request for ${idleMs} ms`)), idleMs)
    timer.unref()
    try {
      return await frames.read()
    } finally {
      clearTimeout(timer)
    }
  }

  /** Some are read while others are written. Gives those that were long. */
  async #answer(exchange: Exchange, pieces: readonly Uint8Array[][]): Promise<Uint8Array[]> {
    const wants = pieces.values()
    const long: Uint8Array[] = []
    const lanes = Array.from({ length: this.#init.limits.blocks.untakenOfPeer }, async () => {
      for (const digests of wants) long.push(...(await this.#give(exchange, digests)))
    })
    await Promise.all(lanes)
    return long
  }

  /** Gives those that are short at once, and the others one after the other. Gives back the latter. */
  async #give(exchange: Exchange, digests: Uint8Array[]): Promise<Uint8Array[]> {
    const long: Uint8Array[] = []
    // The first of them is sent: it is no more than what is sent alone.
    await this.#send(exchange, digests, (digest) => long.push(digest) > 1)
    for (const digest of long.slice(1)) await this.#send(exchange, [digest], () => false)
    return long
  }

  /** Sends them together, but for those that are long and are to be left out. */
  async #send(
    { frames, remoteId, signal }: Exchange,
    digests: Uint8Array[],
    isLeftOut: (long: Uint8Array) => boolean
  ): Promise<void> {
    await this.#untaken.run(remoteId, async () => {
      await this.#afford(remoteId, signal)
      await frames.ready()
      const make = async (digest: Uint8Array): Promise<Frame | undefined> => {
        const bytes = await this.#read(digest)
        this.#charge(remoteId, bytes?.byteLength ?? 0)
        // At once: of many that are read none is kept that is long.
        if (bytes !== undefined && bytes.byteLength > shortBytes && isLeftOut(digest)) return undefined
        return encodeAnswer(digest, bytes)
      }
      const made = await Promise.all(digests.map((digest) => this.#reading.run(all, () => make(digest))))
      for (const frame of made) if (frame !== undefined) await frames.write(frame)
    })
  }

  /** Waits until what the peer was sent before is paid for, and what all were sent. */
  async #afford(remoteId: string, signal: AbortSignal): Promise<void> {
    const waitMs = Math.max(this.#ofPeer.peek(remoteId), this.#ofAll.peek(all))
    if (waitMs > 0) await sleep(waitMs, signal)
  }

  #charge(remoteId: string, bytes: number): void {
    const kib = Math.max(this.#init.limits.blocks.leastKiB, bytes / 1024)
    this.#ofPeer.charge(remoteId, kib)
    this.#ofAll.charge(all, kib)
  }

  /** A block that cannot be read is not here: others may have it. */
  async #read(digest: Uint8Array): Promise<Uint8Array | undefined> {
    const { readers, limits } = this.#init
    for (const reader of readers) {
      try {
        const bytes = await reader.read(digest)
        if (bytes !== undefined && bytes.byteLength <= limits.blocks.blockBytes) return bytes
      } catch (error) {
        const fields = { digest: Buffer.from(digest).toString('hex'), error: reasonOf(error) }
        this.#lines?.info(
          fields,
          'a block that a member asked for could not be read here; it was told that it is absent'
        )
      }
    }
    return undefined
  }
}

const piecesOf = (digests: Uint8Array[], most: number): Uint8Array[][] =>
  Array.from({ length: Math.ceil(digests.length / most) }, (_, piece) =>
    digests.slice(piece * most, (piece + 1) * most)
  )

/** The service that gives members the blocks of its readers. */
export function blocksServer(init: BlocksServerInit): (components: BlocksServerComponents) => Startable {
  return (components) => new BlocksService(components, init)
}
