import type { Connection, Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { isRelayed } from '../../address/circuit.ts'
import { peerIdText } from '../../identity/keys.ts'
import { within } from '../../runtime/abort.ts'
import { type Clock, type Logger, systemClock } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { LimitError, NotAllowedError, NotFoundError, UnavailableError } from '../../runtime/errors.ts'
import { culpritOf } from '../engine/culprits.ts'
import { StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { type Exchange, openStream, type Served, serve } from '../engine/protocol.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { Circuit } from './circuit.ts'
import { type CircuitPlace, CircuitPlaces } from './circuit-places.ts'
import { hopProtocol, stopProtocol } from './descriptor.ts'
import { bringCircuit, connected, readRequest, readTaken, reserved } from './messages.ts'
import { Reservations } from './reservations.ts'

export interface RelayServerInit {
  trust: ConnectionTrust
  limits: ProtocolLimits
  /** Tells whether this node relays now: the policy may forbid it. */
  mayServe: () => boolean
  clock?: Clock
  logger?: Logger
}

/** Figures of a relay. */
export interface RelayCounts {
  readonly reservations: number
  readonly circuits: number
  /** Bytes that were passed on since the start. */
  readonly bytes: number
  /** Reservations and circuits that were refused since the start, and why the last one was. */
  readonly refused: number
  readonly lastRefusal: string | undefined
}

/** A relay for members of the network. */
export interface RelayServer extends Startable {
  readonly counts: RelayCounts
}

const all = 'all'
const retryMs = 5_000
/** Time in which a circuit can take in no more than its windows. */
const lookMs = 250

type Source = Pick<Exchange, 'frames' | 'remoteId' | 'connection'>

const isRefusal = (error: unknown): boolean =>
  [NotAllowedError, NotFoundError, LimitError, UnavailableError].some((kind) => error instanceof kind)

class RelayService implements RelayServer {
  readonly #init: RelayServerInit
  readonly #registrar: Registrar
  readonly #clock: Clock
  readonly #reservations: Reservations
  readonly #places: CircuitPlaces
  readonly #ofPeer: Gcra
  readonly #ofAll: Gcra
  readonly #stops: (() => void)[] = []
  #served: Served | undefined
  #bytes = 0
  #refused = 0
  #lastRefusal: string | undefined

  constructor({ registrar }: { registrar: Registrar }, init: RelayServerInit) {
    const { limits, clock = systemClock } = init
    this.#init = init
    this.#registrar = registrar
    this.#clock = clock
    this.#reservations = new Reservations(limits.relay, clock)
    this.#places = new CircuitPlaces(limits.relay, clock)
    this.#ofPeer = new Gcra(limits.relay.ofPeer, { clock })
    this.#ofAll = new Gcra(limits.relay.ofAll, { clock })
  }

  get counts(): RelayCounts {
    return {
      reservations: this.#reservations.size,
      circuits: this.#places.size,
      bytes: this.#bytes,
      refused: this.#refused,
      lastRefusal: this.#lastRefusal
    }
  }

  isStarted(): boolean {
    return this.#served !== undefined
  }

  async start(): Promise<void> {
    const { trust, limits } = this.#init
    const init = { ...this.#init, registrar: this.#registrar }
    this.#served = await serve(init, hopProtocol(limits), (exchange) => this.#handle(exchange))
    const look = setInterval(() => this.#look(), lookMs).unref()
    this.#stops.push(() => clearInterval(look))
    // Without its connection a member is not reached: its place is free for another one.
    this.#stops.push(
      trust.onGone((_, { publicKey }) => {
        const peer = peerIdText(publicKey)
        // All may go at once, and looking for another way is as much work as there are connections.
        if (this.#reservations.has(peer) && this.#wayTo(peer) === undefined) this.#reservations.delete(peer)
      })
    )
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    await this.#served?.close()
    this.#served = undefined
  }

  async #handle({ frames, connection, remoteId, signal }: Exchange): Promise<void> {
    const { limits } = this.#init
    const inTime = within(limits.relay.openMs, signal)
    const bytes = await frames.read({ signal: inTime })
    if (bytes === undefined) return
    const target = readRequest(bytes)
    try {
      await this.#serve({ frames, connection, remoteId }, target, inTime)
    } catch (error) {
      if (isRefusal(error)) this.#refusedFor(reasonOf(error))
      throw error
    }
  }

  async #serve(source: Source, target: string | undefined, signal: AbortSignal): Promise<void> {
    const { limits, mayServe } = this.#init
    const { frames, connection, remoteId } = source
    if (!mayServe()) throw new NotAllowedError('this node does not relay: the policy of the network forbids it')
    if (isRelayed(connection)) throw new NotAllowedError('what was relayed is not relayed once more')
    if (target === remoteId) throw new NotAllowedError('a member needs no relay to itself')
    if (target !== undefined) return await this.#connect(source, target, signal)
    this.#reservations.reserve(remoteId)
    await frames.write(reserved(this.#clock.now() + limits.relay.reservationMs))
  }

  #refusedFor(reason: string): void {
    this.#refused++
    this.#lastRefusal = reason
  }

  async #connect(source: Source, target: string, signal: AbortSignal): Promise<void> {
    const { limits, mayServe } = this.#init
    const way = this.#reservations.has(target) ? this.#wayTo(target) : undefined
    if (way === undefined) throw new NotFoundError(`${target} has no reservation here`)
    using place = this.#take(source, target)
    const frames = await this.#bring(way, source.remoteId, signal)
    try {
      place.makeRoom()
      await source.frames.write(connected())
      const charge = (peer: string, bytes: number): number => this.#charge(peer, bytes)
      const circuit = new Circuit(
        { peer: source.remoteId, frames: source.frames },
        { peer: target, frames },
        { clock: this.#clock, limits: limits.relay, charge, mayServe }
      )
      place.circuit = circuit
      await circuit.join()
      await circuit.done
    } catch (error) {
      frames.abort(error instanceof Error ? error : new StreamEndedError('the circuit was not made'))
      throw error
    }
  }

  #look(): void {
    for (const { source } of this.#places.endOverBudget())
      this.#init.trust.culprits.exceeded('relay.waitingBytes', { peer: source })
  }

  #take({ remoteId, connection }: Source, target: string): CircuitPlace {
    try {
      return this.#places.take(remoteId, target)
    } catch (error) {
      // Not for the circuits of others, of which the target or the relay is full.
      if (this.#places.isFull(remoteId))
        this.#init.trust.culprits.exceeded('relay.circuitsOfPeer', culpritOf(connection))
      throw error
    }
  }

  /** @throws UnavailableError whatever the member did: whoever asks for a circuit is not to blame for it. */
  async #bring(way: Connection, source: string, signal: AbortSignal): Promise<FrameStream> {
    const { limits } = this.#init
    let frames: FrameStream | undefined
    try {
      frames = await openStream(way, stopProtocol(limits), { limits, signal })
      await frames.write(bringCircuit(source))
      const answer = await frames.read({ signal })
      if (answer === undefined) throw new StreamEndedError('the member ended without an answer')
      readTaken(answer)
      return frames
    } catch (error) {
      const failure = new UnavailableError(`the member did not take the circuit: ${reasonOf(error)}`, retryMs)
      frames?.abort(failure)
      throw failure
    }
  }

  /** The newest connection that the member has proved, and that is no circuit itself. */
  #wayTo(peer: string): Connection | undefined {
    let found: Connection | undefined
    for (const { connection } of this.#init.trust.members()) {
      const isWay = connection.status === 'open' && connection.remotePeer.toString() === peer && !isRelayed(connection)
      if (isWay) found = connection
    }
    return found
  }

  #charge(peer: string, bytes: number): number {
    this.#bytes += bytes
    const kib = bytes / 1024
    return Math.max(this.#ofPeer.charge(peer, kib), this.#ofAll.charge(all, kib))
  }
}

/** Relays connections between members. */
export const relayServer =
  (init: RelayServerInit) =>
  (components: { registrar: Registrar }): RelayServer =>
    new RelayService(components, init)
