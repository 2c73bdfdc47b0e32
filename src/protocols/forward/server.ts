import type { Duplex } from 'node:stream'
import type { Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { within } from '../../runtime/abort.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { NotAllowedError } from '../../runtime/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, type Exchange, type Served, serve } from '../engine/protocol.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { forwardProtocol } from './descriptor.ts'
import type { LiveForwards } from './live-forwards.ts'
import { acceptance, notAllowed, readRequest } from './messages.ts'

/** Connects to a service. @throws UnavailableError when it does not answer */
export type Connect = (signal: AbortSignal) => Promise<Duplex>

export interface ForwardServerInit {
  networkId: Uint8Array
  live: LiveForwards
  /**
   * Finds the way to a service for a member that may call it. Asked before the member is given a place, which others may have to leave.
   * @throws NotAllowedError, which comes first: whoever may not call learns of no service; NotExposedError
   */
  find: (publicKey: Uint8Array, service: string) => Connect
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
    await answerTraced(trace, traced, () => this.#answer(exchange, service))
  }

  /** A refusal by the rules names their entry, of which the engine does not know. */
  async #answer(exchange: Exchange, service: string): Promise<void> {
    try {
      await this.#forward(exchange, service)
    } catch (error) {
      if (!(error instanceof NotAllowedError)) throw error
      await exchange.frames.write(notAllowed(error))
    }
  }

  async #forward({ frames, connection, remoteKey, remoteId, signal }: Exchange, service: string): Promise<void> {
    const { find, live, limits } = this.#init
    const connect = find(remoteKey, service)
    const facts = { peer: remoteId, publicKey: remoteKey.slice(), service, direction: 'in' as const, connection }
    using forward = live.begin(facts)
    const socket = await connect(within(limits.forward.connectMs, signal))
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
}

/** The service that lets members call what is exposed here. */
export function forwardServer(init: ForwardServerInit): (components: ForwardServerComponents) => Startable {
  return (components) => new ForwardService(components, init)
}
