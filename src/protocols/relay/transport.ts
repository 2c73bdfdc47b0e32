import {
  type ComponentLogger,
  type Connection,
  type DialTransportOptions,
  type Listener,
  type Startable,
  type Transport,
  transportSymbol,
  type Upgrader
} from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { circuitVia, isRelayed, parseCircuit } from '../../address/circuit.ts'
import { within } from '../../runtime/abort.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, NotAllowedError, UnavailableError } from '../../runtime/errors.ts'
import { StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { type Exchange, type Served, serve } from '../engine/protocol.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { countApart } from '../engine/waiting-bytes.ts'
import { circuitConnection } from './circuit-connection.ts'
import { openCircuit } from './client.ts'
import { stopProtocol } from './descriptor.ts'
import { readCircuit, taken } from './messages.ts'

export interface RelayTransportInit {
  trust: ConnectionTrust
  limits: ProtocolLimits
  /** Tells whether this node has a reservation at that member. */
  isReservedAt: (peerId: string) => boolean
  clock?: Clock
  logger?: Logger
}

interface Components {
  registrar: Registrar
  upgrader: Upgrader
  logger: ComponentLogger
}

const retryMs = 5_000

/**
 * Connections through a member: Noise and the muxer run from end to end over a stream to it. It dials nobody itself: there has to be a
 * connection to the relay, which has proved that it is a member.
 */
class RelayTransport implements Transport, Startable {
  readonly [transportSymbol] = true as const
  readonly [Symbol.toStringTag] = 'trustnet-relay'
  readonly #components: Components
  readonly #init: RelayTransportInit
  #served: Served | undefined

  constructor(components: Components, init: RelayTransportInit) {
    this.#components = components
    this.#init = init
  }

  async start(): Promise<void> {
    const init = { ...this.#init, registrar: this.#components.registrar }
    this.#served = await serve(init, stopProtocol(init.limits), (exchange) => this.#take(exchange))
  }

  async stop(): Promise<void> {
    await this.#served?.close()
    this.#served = undefined
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const circuit = parseCircuit(address)
    if (circuit === undefined) throw new InvalidPayloadError('it is no address of a member behind a relay')
    const relay = this.#wayTo(circuit.relay)
    if (relay === undefined) throw new UnavailableError(`there is no connection to the relay ${circuit.relay}`, retryMs)
    const { limits } = this.#init
    const frames = await openCircuit(relay, circuit.peerId, { limits, signal: options.signal })
    const connection = await this.#connectionOn(frames, address, 'outbound')
    try {
      return await this.#components.upgrader.upgradeOutbound(connection, options)
    } catch (error) {
      connection.abort(error instanceof Error ? error : new StreamEndedError('the handshake failed'))
      throw error
    }
  }

  /** Nothing is listened on: circuits come over the connections to relays. */
  createListener(): Listener {
    throw new TypeError('a relay is asked for a reservation instead')
  }

  listenFilter(): Multiaddr[] {
    return []
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => parseCircuit(address) !== undefined)
  }

  /** Takes a circuit that a relay brings, and holds its stream for as long as it lasts. */
  async #take({ frames, connection, remoteId, signal }: Exchange): Promise<void> {
    const { limits, isReservedAt } = this.#init
    const bytes = await frames.read({ signal: within(limits.relay.openMs, signal) })
    if (bytes === undefined) return
    const source = readCircuit(bytes)
    if (!isReservedAt(remoteId)) throw new NotAllowedError('this node has no reservation there')
    if (isRelayed(connection)) throw new NotAllowedError('what was relayed is not relayed once more')
    await frames.write(taken())
    const address = multiaddr(`${circuitVia(remoteId)}/p2p/${source}`)
    const circuit = await this.#connectionOn(frames, address, 'inbound')
    try {
      await this.#components.upgrader.upgradeInbound(circuit, { signal: within(limits.relay.openMs, signal) })
    } catch (error) {
      circuit.abort(error instanceof Error ? error : new StreamEndedError('the handshake failed'))
      return
    }
    await frames.closed
  }

  async #connectionOn(frames: FrameStream, remoteAddr: Multiaddr, direction: 'inbound' | 'outbound') {
    const { stream, rest } = await frames.handOver()
    countApart(stream)
    const log = this.#components.logger.forComponent('trustnet:relay')
    const onAltered = (): void => this.#tellAltered(remoteAddr)
    return circuitConnection({ stream, rest, remoteAddr, direction, log, onAltered })
  }

  /** Noise has ended the circuit. Who did it cannot be told apart: the other end may send frames that are none. */
  #tellAltered(remoteAddr: Multiaddr): void {
    const { logger, trust } = this.#init
    const { relay = '', peerId } = parseCircuit(remoteAddr) ?? {}
    const named = [...trust.members()].find(({ connection }) => connection.remotePeer.toString() === relay)
    logger?.warn(
      { relay: named?.member.name ?? relay, peer: peerId },
      'a connection through a relay has ended: what came is not what was sent. The relay, or that member, changes bytes; other ways to it are tried'
    )
  }

  #wayTo(peerId: string): Connection | undefined {
    for (const { connection } of this.#init.trust.members()) {
      const isWay =
        connection.status === 'open' && connection.remotePeer.toString() === peerId && !isRelayed(connection)
      if (isWay) return connection
    }
    return undefined
  }
}

/** The transport of connections through members. */
export const relayTransport =
  (init: RelayTransportInit) =>
  (components: Components): Transport =>
    new RelayTransport(components, init)
