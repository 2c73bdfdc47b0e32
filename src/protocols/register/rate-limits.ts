import type { Connection } from '@libp2p/interface'
import { isRegistryRole, type Role } from '../../identity/role.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { RateLimitedError } from '../engine/errors.ts'
import { prefixesOf } from '../engine/eviction.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { Gcra } from '../engine/rate-limiter.ts'

export type RequestKind = 'frame' | 'register' | 'heartbeat' | 'put' | 'request'

const strangers = 'all strangers'

/** What one peer, all strangers together, and one /64 may ask for. Outlives sessions: a reconnect begins nothing anew. */
export class RegisterRates {
  readonly #own: Record<RequestKind, Gcra>
  readonly #registries: Gcra
  readonly #strangerJoins: Gcra
  readonly #uninvitedJoins: Gcra
  readonly #failedProofs: Gcra

  constructor(limits: ProtocolLimits['register'], clock: Clock) {
    const options = { clock }
    this.#own = {
      frame: new Gcra(limits.frames, options),
      register: new Gcra(limits.registers, options),
      heartbeat: new Gcra(limits.heartbeats, options),
      put: new Gcra(limits.puts, options),
      request: new Gcra(limits.requests, options)
    }
    this.#registries = new Gcra(limits.registryRequests, options)
    this.#strangerJoins = new Gcra(limits.strangerJoins, options)
    this.#uninvitedJoins = new Gcra(limits.uninvitedJoins, options)
    this.#failedProofs = new Gcra(limits.failedProofs, options)
  }

  /** @throws RateLimitedError */
  take(kind: RequestKind, remoteId: string, role: Role | undefined): void {
    const isRegistry = role !== undefined && isRegistryRole(role)
    // A registry's own registrations are as rare as everybody's.
    const rate = isRegistry && kind !== 'register' ? this.#registries : this.#own[kind]
    refuse(rate.take(remoteId), `too many ${kind}s of this peer`)
  }

  /** Before a stranger's join or renewal is verified. @throws RateLimitedError */
  takeJoin(connection: Connection, isInvited: boolean): void {
    refuse(this.#failedProofs.peek(prefixesOf(connection).net), 'too many failed proofs from this /64')
    // First, so that those without an invite take nothing from the others.
    if (!isInvited) refuse(this.#uninvitedJoins.take(strangers), 'too many joins without an invite at once')
    refuse(this.#strangerJoins.take(strangers), 'too many joins at once')
  }

  failedProof(connection: Connection): void {
    this.#failedProofs.take(prefixesOf(connection).net)
  }
}

function refuse(waitMs: number, message: string): void {
  if (waitMs > 0) throw new RateLimitedError(message, waitMs)
}
