import type { Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { equals } from 'uint8arrays/equals'
import { StreamEndedError } from '../../../src/protocols/engine/errors.ts'
import type { ProtocolLimits } from '../../../src/protocols/engine/limits.ts'
import { decodeFrame, type Exchange, type Served, serve } from '../../../src/protocols/engine/protocol.ts'
import { statuses } from '../../../src/protocols/engine/status.ts'
import type { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import type { Clock, Logger } from '../../../src/runtime/clock-and-logger.ts'
import { UnsupportedVersionError, WrongNetworkError } from '../../../src/runtime/errors.ts'
import { uptimeProtocol, uptimeVersion } from './descriptor.ts'
import { UptimeAnswer, UptimeRequest } from './pb/uptime.ts'

export interface UptimeServerInit {
  networkId: Uint8Array
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock: Clock
  logger?: Logger
}

class UptimeService implements Startable {
  readonly #init: UptimeServerInit
  readonly #registrar: Registrar
  readonly #startedAt: number
  #served: Served | undefined

  constructor(registrar: Registrar, init: UptimeServerInit) {
    this.#init = init
    this.#registrar = registrar
    this.#startedAt = init.clock.monotonic()
  }

  async start(): Promise<void> {
    const init = { ...this.#init, registrar: this.#registrar }
    this.#served = await serve(init, uptimeProtocol, (exchange) => this.#handle(exchange))
  }

  async stop(): Promise<void> {
    await this.#served?.close()
  }

  /** Throws what is wrong: the engine answers with its status. */
  async #handle({ frames, signal }: Exchange): Promise<void> {
    const bytes = await frames.read({ signal })
    if (bytes === undefined) throw new StreamEndedError('a stream without a question')
    const { version, networkId } = decodeFrame((frame) => UptimeRequest.decode(frame), bytes)
    if (version > uptimeVersion) throw new UnsupportedVersionError(`a question of version ${version}`)
    if (!equals(networkId, this.#init.networkId)) throw new WrongNetworkError('a question in another network')
    const upMs = Math.round(this.#init.clock.monotonic() - this.#startedAt)
    await frames.write(UptimeAnswer.encode({ status: statuses.OK, upMs, retryAfterMs: 0 }))
  }
}

/** The service that tells members for how long it has run. */
export const uptimeServer =
  (init: UptimeServerInit) =>
  ({ registrar }: { registrar: Registrar }): Startable =>
    new UptimeService(registrar, init)
