import type { Connection, PeerId } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { either, within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { type Clock, type Logger, silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { NotMemberError } from '../../runtime/errors.ts'
import { culpritOf } from '../engine/culprits.ts'
import { FrameTooLargeError } from '../engine/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { retryAfterMsOf } from '../engine/status.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import type { Block, BlockExchange, FetchOptions } from './block.ts'
import { Fetch } from './fetch.ts'
import { WrongBlockError } from './messages.ts'
import { Source } from './source.ts'

interface BlockFetcherInit {
  networkId: Uint8Array
  /** This node, which is never asked. */
  self: PeerId
  /** Gives an open connection to the member, or makes one. */
  connect: (peer: PeerId, signal: AbortSignal) => Promise<Connection>
  trust: ConnectionTrust
  limits: ProtocolLimits
  /** Last round trip to a member, ms. */
  rttMs?: (peerId: string) => number | undefined
  clock?: Clock
  logger?: Logger
}

/** Members that are remembered as resting, or for a wrong answer; the one that came first is forgotten beyond it. */
const mostResting = 4_096
/** Streams are kept open for the next fetch. One that ended earlier has failed. */
const lingerMs = 5_000
/** For which one rests at least that asks to be left alone for less. */
const leastRestMs = 1_000

interface BlockFetcherEvents {
  /** A member sent something else than it was asked for. */
  wrong: CustomEvent<{ readonly peer: string; readonly reason: string }>
}

const isUrgent = ({ options }: Fetch): boolean => options.isUrgent === true

/** The exchange of this process: all fetches share its sources, and what is known of them. */
export class BlockFetcher implements BlockExchange, AsyncDisposable {
  readonly events = new TypedEventEmitter<BlockFetcherEvents>()
  readonly #init: BlockFetcherInit
  readonly #clock: Clock
  readonly #logger: Logger
  /** In the order of their turns: one that has asked goes to the end. */
  readonly #fetches = new Set<Fetch>()
  #asksSoon = false
  readonly #sources = new Map<string, Source>()
  readonly #opening = new Set<string>()
  /** Until when a member is not asked, on the monotonic clock. */
  readonly #resting = new Map<string, number>()
  readonly #stopping = new AbortController()
  #linger: NodeJS.Timeout | undefined

  constructor(init: BlockFetcherInit) {
    this.#init = init
    this.#clock = init.clock ?? systemClock
    this.#logger = init.logger ?? silentLogger
  }

  async *fetch(wants: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, options: FetchOptions): AsyncGenerator<Block> {
    const { limits, self } = this.#init
    const signal = either(options.signal, this.#stopping.signal)
    const fetch = new Fetch(
      { ...options, signal },
      {
        self: self.toString(),
        limits: limits.blocks,
        clock: this.#clock,
        open: (each) => this.#open(each),
        askSoon: () => this.#askSoon()
      }
    )
    this.#fetches.add(fetch)
    clearTimeout(this.#linger)
    try {
      yield* fetch.blocks(wants)
    } finally {
      this.#fetches.delete(fetch)
      if (this.#fetches.size === 0) this.#linger = setTimeout(() => this.#closeAll(), lingerMs).unref()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#linger)
    this.#stopping.abort(new Error('the exchange of blocks was stopped'))
    await Promise.all([...this.#sources.values()].map((source) => source.close()))
  }

  #askSoon(): void {
    if (this.#asksSoon) return
    this.#asksSoon = true
    setImmediate(() => {
      this.#asksSoon = false
      this.#ask()
    })
  }

  /** Lets all fetches ask in turns: none has the sources that they share for itself, and those that are urgent come first. */
  #ask(): void {
    const all = [...this.#fetches]
    for (const fetch of [...all.filter(isUrgent), ...all.filter((each) => !isUrgent(each))])
      if (fetch.ask() && this.#fetches.delete(fetch)) this.#fetches.add(fetch)
  }

  /** Gives the fetch those of its sources that are open, and opens others where there is room. Gives those that are being opened. */
  #open(fetch: Fetch): ReadonlySet<string> {
    const peers = new Map(fetch.options.sources().map((peer) => [peer.toString(), peer]))
    fetch.keep(peers)
    let isFull = false
    for (const [id, peer] of peers) {
      const source = this.#sources.get(id)
      if (source !== undefined) fetch.add(source)
      else if (!peer.equals(this.#init.self) && !this.#opening.has(id) && !this.#rests(id)) {
        if (this.#hasRoom(fetch, peers)) inBackground(this.#add(peer, id), 'asking a member for blocks')
        else isFull = true
      }
    }
    if (isFull && fetch.isStarving) this.#makeRoom()
    return new Set([...this.#opening].filter((id) => peers.has(id)))
  }

  /** Beyond the limit each fetch has one, so that none waits for the end of another. */
  #hasRoom(fetch: Fetch, peers: ReadonlyMap<string, PeerId>): boolean {
    const { sources: most } = this.#init.limits.blocks
    const open = this.#sources.size + this.#opening.size
    if (open < most) return true
    const hasNone = fetch.isWithoutSource && ![...this.#opening].some((id) => peers.has(id))
    return hasNone && open < most + this.#fetches.size
  }

  /** Lets somebody else be asked in the place of the source that has lacked everything for longest. */
  #makeRoom(): void {
    const lacking = [...this.#sources].filter(([, { lacksSinceMs }]) => lacksSinceMs !== undefined)
    const [longest] = lacking.toSorted(([, one], [, other]) => (one.lacksSinceMs ?? 0) - (other.lacksSinceMs ?? 0))
    if (longest === undefined) return
    const [id, source] = longest
    this.#rest(id, this.#init.limits.blocks.restMs)
    this.#drop(id, source)
  }

  #rests(id: string): boolean {
    const untilMs = this.#resting.get(id)
    if (untilMs === undefined) return false
    if (this.#clock.monotonic() < untilMs) return true
    this.#resting.delete(id)
    return false
  }

  #rest(id: string, ms: number): void {
    this.#resting.delete(id)
    this.#resting.set(id, this.#clock.monotonic() + ms)
    const oldest = this.#resting.keys().next()
    if (this.#resting.size > mostResting && oldest.done !== true) this.#resting.delete(oldest.value)
  }

  async #add(peer: PeerId, id: string): Promise<void> {
    const { connect, trust, limits, networkId, rttMs } = this.#init
    this.#opening.add(id)
    try {
      const signal = within(limits.blocks.dialMs, this.#stopping.signal)
      const connection = await connect(peer, signal)
      if (!(await trust.settled(connection))) throw new NotMemberError('the connection has not proved membership')
      const source = await Source.open(
        connection,
        { networkId, limits, clock: this.#clock, rttMs: () => rttMs?.(id) },
        signal
      )
      this.#sources.set(id, source)
      inBackground(
        source.closed.then((reason) => this.#ended(source, id, connection, reason)),
        'ending a source of blocks'
      )
      for (const fetch of this.#fetches)
        if (fetch.options.sources().some((each) => each.equals(peer))) fetch.add(source)
    } catch (error) {
      this.#rest(id, limits.blocks.restMs)
      this.#logger.debug({ peer: id, error: reasonOf(error) }, 'a member could not be asked for blocks')
    } finally {
      this.#opening.delete(id)
    }
  }

  #ended(source: Source, id: string, connection: Connection, reason: Error): void {
    const isDropped = this.#sources.get(id) !== source
    if (!isDropped) this.#sources.delete(id)
    for (const fetch of this.#fetches) fetch.remove(source)
    const { blocks } = this.#init.limits
    if (reason instanceof WrongBlockError || reason instanceof FrameTooLargeError) this.#wrong(connection, reason)
    // One that owes nothing may have been idle for too long.
    else if (!isDropped && (source.inFlight > 0 || this.#clock.monotonic() - source.openedAtMs < lingerMs))
      this.#rest(id, Math.max(retryAfterMsOf(reason) || blocks.restMs, leastRestMs))
  }

  #wrong(connection: Connection, reason: Error): void {
    const peer = connection.remotePeer.toString()
    this.#rest(peer, this.#init.limits.blocks.wrongMs)
    this.#init.trust.culprits.exceeded('blocks.wrong', culpritOf(connection))
    const text = `${peer} was asked for blocks and answered wrongly: ${reason.message}; for an hour others are asked in its place`
    this.#logger.warn({ peer, error: reason.message }, text)
    this.events.safeDispatchEvent('wrong', { detail: { peer, reason: reason.message } })
  }

  #closeAll(): void {
    for (const [id, source] of this.#sources) this.#drop(id, source)
  }

  /** From now on it is another one that is opened for this member. */
  #drop(id: string, source: Source): void {
    this.#sources.delete(id)
    for (const fetch of this.#fetches) fetch.remove(source)
    inBackground(source.close(), 'closing a source of blocks')
  }
}
