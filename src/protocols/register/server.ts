import type { Connection, Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { peerIdText } from '../../identity/keys.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { type Exchange, type Served, serve } from '../engine/protocol.ts'
import { statuses } from '../engine/status.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import type { RegisterBackend } from './backend.ts'
import { registerDescriptor } from './descriptor.ts'
import { SessionActions } from './handlers.ts'
import { Pinger } from './pinger.ts'
import { RegisterRates } from './rate-limits.ts'
import { ServerSession } from './session.ts'

export interface RegisterInit {
  backend: RegisterBackend
  trust: ConnectionTrust
  limits: ProtocolLimits
  /** A session that said nothing for so long is given up: the lease. */
  silentMs: number
  /** A member showed a checkpoint that is newer than ours, if it is genuine, or has words of witnesses. */
  onCheckpoint?: (checkpoint: Uint8Array, remoteKey: Uint8Array, cosignatures: readonly Uint8Array[]) => void
  clock?: Clock
  logger?: Logger
}

export interface RegisterComponents {
  registrar: Registrar
}

/** Serves `/trustnet/register/1.0.0`: joins, registrations, leases, records. */
export interface Register extends Startable {
  /** Open sessions. */
  readonly sessions: number
}

interface Waiting {
  session: ServerSession
  connection: Connection
}

export class RegisterService implements Register {
  readonly #components: RegisterComponents
  readonly #init: RegisterInit
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #rates: RegisterRates
  readonly #pinger: Pinger
  readonly #holders = new Map<string, ServerSession>()
  readonly #waiting = new Map<string, Waiting>()
  #served: Served | undefined

  constructor(components: RegisterComponents, init: RegisterInit) {
    this.#components = components
    this.#init = init
    this.#clock = init.clock ?? systemClock
    this.#logger = init.logger ?? silentLogger
    this.#rates = new RegisterRates(init.limits.register, this.#clock, init.trust.culprits)
    this.#pinger = new Pinger(init.limits.register, init.silentMs, this.#clock)
  }

  get sessions(): number {
    return this.#pinger.size
  }

  async start(): Promise<void> {
    const { backend, trust, limits } = this.#init
    const init = { registrar: this.#components.registrar, trust, limits, clock: this.#clock, logger: this.#logger }
    this.#served = await serve(init, registerDescriptor(limits), (exchange) => this.#session(exchange))
    backend.events.addEventListener('admitted', this.#onAdmitted)
    backend.events.addEventListener('rejected', this.#onRejected)
  }

  async stop(): Promise<void> {
    this.#init.backend.events.removeEventListener('admitted', this.#onAdmitted)
    this.#init.backend.events.removeEventListener('rejected', this.#onRejected)
    await this.#served?.close()
    this.#served = undefined
    this.#pinger.stop()
  }

  async #session(exchange: Exchange): Promise<void> {
    const { backend, trust, limits, onCheckpoint } = this.#init
    const { connection, remoteId, remoteKey } = exchange
    const actions = new SessionActions({
      backend,
      trust,
      rates: this.#rates,
      limits: limits.register,
      connection,
      remoteKey,
      remoteId,
      onCheckpoint: (checkpoint, cosignatures) => onCheckpoint?.(checkpoint, remoteKey, cosignatures)
    })
    const session: ServerSession = new ServerSession({
      exchange,
      actions,
      pinger: this.#pinger,
      limits: limits.register,
      logger: this.#logger,
      onRegistered: () => this.#registered(session),
      onDuplicate: () => this.#duplicate(remoteId),
      // Only as many as may wait on their connections; the others come back by themselves.
      onPending: () => {
        if (trust.keepWaiting(connection)) this.#waiting.set(remoteId, { session, connection })
      }
    })
    try {
      await session.run()
    } finally {
      if (this.#holders.get(remoteId) === session) this.#holders.delete(remoteId)
      if (this.#waiting.get(remoteId)?.session === session) this.#waiting.delete(remoteId)
    }
  }

  #registered(session: ServerSession): void {
    const before = this.#holders.get(session.remoteId)
    this.#holders.set(session.remoteId, session)
    this.#waiting.delete(session.remoteId)
    if (before !== undefined && before !== session) before.replaced()
  }

  #duplicate(remoteId: string): void {
    const holder = this.#holders.get(remoteId)
    const message =
      'two processes use the same key: the second was refused, and both were told; stop one, or give it a key of its own'
    this.#logger.warn({ peer: remoteId }, message)
    holder?.tellDuplicate()
  }

  readonly #onAdmitted = (event: CustomEvent<{ publicKey: Uint8Array; admit: Uint8Array }>): void => {
    const { publicKey, admit } = event.detail
    const waiting = this.#waiting.get(peerIdText(publicKey))
    if (waiting === undefined) return
    this.#waiting.delete(peerIdText(publicKey))
    const { backend, trust } = this.#init
    const member = backend.member(publicKey)
    if (member !== undefined) trust.prove(waiting.connection, member)
    waiting.session.tellAdmitted(statuses.OK, admit)
  }

  readonly #onRejected = (event: CustomEvent<{ publicKey: Uint8Array; reason: string }>): void => {
    const waiting = this.#waiting.get(peerIdText(event.detail.publicKey))
    if (waiting === undefined) return
    this.#waiting.delete(peerIdText(event.detail.publicKey))
    waiting.session.tellAdmitted(statuses.REJECTED, new Uint8Array())
  }
}
