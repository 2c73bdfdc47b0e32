import type { PeerId, Startable } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { equals } from 'uint8arrays/equals'
import { scopeOf } from '../../address/ipv6.ts'
import { decodeAddr, parseAddr } from '../../address/multiaddr.ts'
import { isPublicKey } from '../../identity/ed25519.ts'
import { peerIdText } from '../../identity/keys.ts'
import { either, within } from '../../runtime/abort.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import {
  InvalidPayloadError,
  UnavailableError,
  UnsupportedVersionError,
  WrongNetworkError
} from '../../runtime/errors.ts'
import { RateLimitedError, StreamEndedError } from '../engine/errors.ts'
import { closeConnection } from '../engine/libraries/close-connection.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, decodeFrame, type Exchange, type Served, serve } from '../engine/protocol.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { type DialFailure, probeProtocol, probeVersion } from './descriptor.ts'
import { dialFailureOf } from './dial-failure.ts'
import { type DialResult, encodeResult, encodeTold, type ProbedMember } from './messages.ts'
import { ProbeRequest } from './pb/probe.ts'
import { Places } from './places.ts'

export interface ProbeServerInit {
  networkId: Uint8Array
  /** Addresses of the newest record of a member, signed by it: nobody is dialled for somebody else. */
  addrsOf: (publicKey: Uint8Array) => readonly string[]
  /** Absent: nobody is dialled but who asks. */
  others?: ProbeOthers
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

/** Probes of members that a registry asks for, and what it was told. */
export interface ProbeOthers {
  /** True for a root or secondary: no other member has somebody else dialled. */
  isRegistry(publicKey: Uint8Array): boolean
  /** True where this node announces a loopback address itself: elsewhere such an address is a port of this machine, whoever's record names it. */
  dialsLoopback(): boolean
  /** Words of members about the addresses of one, or of all, the worst first. */
  told(publicKey: Uint8Array | undefined): Iterable<ProbedMember>
}

export interface ProbeServerComponents {
  registrar: Registrar
  connectionManager: ConnectionManager
}

/** Service that dials members for others. */
export interface ProbeServer extends Startable {
  /** Dials for this node itself, within the same limits. @throws RateLimitedError, UnavailableError, InvalidPayloadError */
  dial(addr: string, target: PeerId, signal: AbortSignal): Promise<DialResult>
}

const retryMs = 5_000
const own = 'self'

class ProbeService implements ProbeServer {
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

  dial(addr: string, target: PeerId, signal: AbortSignal): Promise<DialResult> {
    return this.#dial(addr, target, { asker: own, signal })
  }

  async #handle({ frames, remoteKey, connection, signal }: Exchange): Promise<void> {
    const bytes = await frames.read({ signal })
    if (bytes === undefined) throw new StreamEndedError('a probe without a question')
    const { addr, target, trace } = this.#decode(bytes)
    const asker = connection.remotePeer.toString()
    if (addr === undefined) {
      await frames.write(this.#told(target))
      return
    }
    this.#mayDial(addr, remoteKey, target)
    const peerId = target === undefined ? connection.remotePeer : peerIdFromString(peerIdText(target))
    const traced = { logger: this.#init.logger, peer: asker, request: 'probe' }
    const result = await answerTraced(trace, traced, () => this.#dial(addr, peerId, { asker, signal }))
    await frames.write(encodeResult(result))
  }

  /** `addr` is undefined for a question about what is known. */
  #decode(bytes: Uint8Array): { addr: string | undefined; target: Uint8Array | undefined; trace?: Uint8Array } {
    const { version, networkId, addr, target, trace } = decodeFrame((frame) => ProbeRequest.decode(frame), bytes)
    if (version > probeVersion) throw new UnsupportedVersionError(`a probe of version ${version}`)
    if (!equals(networkId, this.#init.networkId)) throw new WrongNetworkError('a probe in another network')
    if (target.length > 0 && !isPublicKey(target)) throw new InvalidPayloadError('the target is no key')
    return {
      addr: addr.length === 0 ? undefined : decodeAddr(addr),
      target: target.length === 0 ? undefined : target,
      ...(trace && { trace })
    }
  }

  /** @throws InvalidPayloadError */
  #mayDial(addr: string, asker: Uint8Array, target: Uint8Array | undefined): void {
    const { addrsOf, others } = this.#init
    if (!addrsOf(target ?? asker).includes(addr)) {
      throw new InvalidPayloadError("only an address of the member's own record is dialled")
    }
    if (target !== undefined && others?.isRegistry(asker) !== true) {
      throw new InvalidPayloadError('only a registry has other members dialled')
    }
  }

  #told(target: Uint8Array | undefined): Uint8Array {
    return encodeTold(this.#init.others?.told(target) ?? [], this.#init.limits.probe.answerBytes)
  }

  /** A new connection: one that is open says nothing about the address. */
  async #dial(addr: string, peerId: PeerId, { asker, signal }: { asker: string; signal: AbortSignal }) {
    const { limits, others } = this.#init
    const { probe } = limits
    if (others?.dialsLoopback() === false && scopeOf(parseAddr(addr)?.ip ?? '') === 'loopback') {
      throw new InvalidPayloadError('a loopback address of somebody else is not dialled')
    }
    const waitMs = this.#targets.take(addr) || this.#targetHosts.take(parseAddr(addr)?.ip ?? addr)
    if (waitMs > 0) throw new RateLimitedError('this address, or others of its host, were dialled a moment ago', waitMs)
    using place = this.#places.take(asker)
    const ends = either(signal, place.signal)
    const begin = performance.now()
    const result = (failure?: DialFailure): DialResult => ({ failure, tookMs: Math.round(performance.now() - begin) })
    try {
      const options = { force: true, signal: within(probe.dialMs, ends) }
      const target = multiaddr(`${addr}/p2p/${peerId.toString()}`)
      const made = await this.#components.connectionManager.openConnection(target, options)
      if (!`${made.remoteAddr.toString()}/`.startsWith(`${addr}/`)) throw new OtherAddressError()
      await closeConnection(made)
      return result()
    } catch (error) {
      ends.throwIfAborted()
      if (error instanceof OtherAddressError) throw error
      return result(dialFailureOf(error))
    }
  }
}

/** libp2p joined a dial to the same peer that was under way, and that one came through at another address: nothing was learned of this one. */
class OtherAddressError extends UnavailableError {
  constructor() {
    super('this peer was being dialled at another address', retryMs)
  }
}

/** The service that dials members back, for them to learn whether others can. */
export function probeServer(init: ProbeServerInit): (components: ProbeServerComponents) => ProbeServer {
  return (components) => new ProbeService(components, init)
}
