import type { Connection, PeerId, Startable } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { multiaddr } from '@multiformats/multiaddr'
import { equals } from 'uint8arrays/equals'
import { decodeAddr, parseAddr } from '../../address/multiaddr.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, UnsupportedVersionError, WrongNetworkError } from '../../runtime/errors.ts'
import type { ConnectionTrust } from '../engine/connection-trust.ts'
import { RateLimitedError, StreamEndedError } from '../engine/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, decodeFrame, type Exchange, type Served, serve } from '../engine/protocol.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import { statuses } from '../engine/status.ts'
import { outcomes, probeProtocol, probeVersion } from './descriptor.ts'
import { ProbeAnswer, ProbeRequest } from './pb/probe.ts'
import { Places } from './places.ts'

export interface ProbeServerInit {
  networkId: Uint8Array
  /** Addresses of the newest record of a member, signed by it: nobody is dialled for somebody else. */
  addrsOf: (publicKey: Uint8Array) => readonly string[]
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

export interface ProbeServerComponents {
  registrar: Registrar
  connectionManager: ConnectionManager
}

const closeMs = 1_000

class ProbeService implements Startable {
  readonly #init: ProbeServerInit
  readonly #components: ProbeServerComponents
  readonly #targets: Gcra
  /** By IPv6 address. */
  readonly #targetHosts: Gcra
  readonly #places: Places
  #served: Served | undefined

  constructor(components: ProbeServerComponents, init: ProbeServerInit) {
    this.#init = init
    this.#components = components
    const options = init.clock === undefined ? {} : { clock: init.clock }
    this.#targets = new Gcra(init.limits.probe.target, options)
    this.#targetHosts = new Gcra(init.limits.probe.targetHost, options)
    this.#places = new Places(init.limits.probe, (peer) => init.trust.culprits.exceeded('probe.running', { peer }))
  }

  isStarted(): boolean {
    return this.#served !== undefined
  }

  async start(): Promise<void> {
    const init = { ...this.#init, registrar: this.#components.registrar }
    this.#served = await serve(init, probeProtocol(this.#init.limits), (exchange) => this.#handle(exchange))
  }

  async stop(): Promise<void> {
    await this.#served?.close()
    this.#served = undefined
  }

  async #handle({ frames, remoteKey, connection, signal }: Exchange): Promise<void> {
    const bytes = await frames.read({ signal })
    if (bytes === undefined) throw new StreamEndedError('a probe without a question')
    const { addr, trace } = this.#decode(bytes)
    if (!this.#init.addrsOf(remoteKey).includes(addr)) {
      throw new InvalidPayloadError('only an address of the own record is dialled')
    }
    const traced = { logger: this.#init.logger, peer: connection.remotePeer.toString(), request: 'probe' }
    const reached = await answerTraced(trace, traced, () => this.#dialBack(addr, connection.remotePeer, signal))
    const outcome = reached ? outcomes.reached : outcomes.failed
    await frames.write(ProbeAnswer.encode({ status: statuses.OK, outcome, retryAfterMs: 0 }))
  }

  #decode(bytes: Uint8Array): { addr: string; trace: Uint8Array | undefined } {
    const { version, networkId, addr, trace } = decodeFrame((frame) => ProbeRequest.decode(frame), bytes)
    if (version > probeVersion) throw new UnsupportedVersionError(`a probe of version ${version}`)
    if (!equals(networkId, this.#init.networkId)) throw new WrongNetworkError('a probe in another network')
    return { addr: decodeAddr(addr), trace }
  }

  /** A new connection: the one that the question came on says nothing about the address. */
  async #dialBack(addr: string, peerId: PeerId, signal: AbortSignal): Promise<boolean> {
    const { probe } = this.#init.limits
    const waitMs = this.#targets.take(addr) || this.#targetHosts.take(parseAddr(addr)?.ip ?? addr)
    if (waitMs > 0) throw new RateLimitedError('this address, or others of its host, were dialled a moment ago', waitMs)
    using place = this.#places.take(peerId.toString())
    const ends = AbortSignal.any([signal, place.signal])
    try {
      const options = { force: true, signal: AbortSignal.any([ends, AbortSignal.timeout(probe.dialMs)]) }
      const target = multiaddr(`${addr}/p2p/${peerId.toString()}`)
      const made = await this.#components.connectionManager.openConnection(target, options)
      const isThere = `${made.remoteAddr.toString()}/`.startsWith(`${addr}/`)
      if (isThere) await close(made)
      return isThere
    } catch {
      ends.throwIfAborted()
      return false
    }
  }
}

const close = async (connection: Connection): Promise<void> => {
  try {
    await connection.close({ signal: AbortSignal.timeout(closeMs) })
  } catch (error) {
    connection.abort(error instanceof Error ? error : new Error(String(error)))
  }
}

/** The service that dials members back, for them to learn whether others can. */
export function probeServer(init: ProbeServerInit): (components: ProbeServerComponents) => Startable {
  return (components) => new ProbeService(components, init)
}
