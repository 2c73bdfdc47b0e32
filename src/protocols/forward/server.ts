import type { Duplex } from 'node:stream'
import type { Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { within } from '../../runtime/abort.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { NotAllowedError } from '../../runtime/errors.ts'
import type { ConnectionTrust } from '../engine/connection-trust.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, type Exchange, type Served, serve } from '../engine/protocol.ts'
import { forwardProtocol } from './descriptor.ts'
import type { LiveForwards } from './live-forwards.ts'
import { acceptance, notAllowed, readRequest } from './messages.ts'

export interface ForwardServerInit {
  networkId: Uint8Array
  live: LiveForwards
  /**
   * Connects to a service for a member that may call it.
   * @throws NotAllowedError, which comes first: whoever may not call learns of no service; NotExposedError, UnavailableError
   */
  connect: (publicKey: Uint8Array, service: string, signal: AbortSignal) => Promise<Duplex>
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

export interface ForwardServerComponents {
  registrar: Registrar
}

class ForwardService implements Startable {
  readonly #init: ForwardServerInit
  readonly #components: ForwardServerComponents
  #served: Served | undefined

  constructor(components: ForwardServerComponents, init: ForwardServerInit) {
    this.#components = components
    this.#init = init
  }

  isStarted(): boolean {
    return this.#served !== undefined
  }

  async start(): Promise<void> {
    const init = { ...this.#init, registrar: this.#components.registrar }
    this.#served = await serve(init, forwardProtocol(init.limits), (exchange) => this.#handle(exchange))
  }

  async stop(): Promise<void> {
    await this.#served?.close()
    this.#served = undefined
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { networkId, limits, logger } = this.#init
    const signal = within(limits.forward.connectMs, exchange.signal)
    const bytes = await exchange.frames.read({ signal })
    if (bytes === undefined) return
    const { service, trace } = readRequest(bytes, networkId)
    const traced = { logger, peer: exchange.remoteId, request: 'forward' }
    await answerTraced(trace, traced, () => this.#forward(exchange, service))
  }

  async #forward(exchange: Exchange, service: string): Promise<void> {
    const { frames, connection, remoteKey, remoteId, signal } = exchange
    const facts = { peer: remoteId, publicKey: remoteKey.slice(), service, direction: 'in' as const, connection }
    using forward = this.#init.live.begin(facts)
    const socket = await this.#connect(exchange, service)
    if (socket === undefined) return
    try {
      signal.throwIfAborted()
      await frames.write(acceptance())
    } catch (error) {
      socket.destroy()
      throw error
    }
    await forward.join(frames, socket)
    await forward.done
  }

  /** undefined: the member may not call it, and was told. */
  async #connect({ frames, remoteKey, signal }: Exchange, service: string): Promise<Duplex | undefined> {
    try {
      return await this.#init.connect(remoteKey, service, within(this.#init.limits.forward.connectMs, signal))
    } catch (error) {
      if (!(error instanceof NotAllowedError)) throw error
      await frames.write(notAllowed(error))
      return undefined
    }
  }
}

/** The service that lets members call what is exposed here. */
export function forwardServer(init: ForwardServerInit): (components: ForwardServerComponents) => Startable {
  return (components) => new ForwardService(components, init)
}
