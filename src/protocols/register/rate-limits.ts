import type { Connection } from '@libp2p/interface'
import { isRegistryRole, type Role } from '../../identity/role.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { type Culprits, culpritOf } from '../engine/culprits.ts'
import { RateLimitedError } from '../engine/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import { prefixesOf } from '../engine/trust/eviction.ts'

export type RequestKind = 'frame' | 'register' | 'heartbeat' | 'put' | 'request'

/** Proof that a stranger shows with its request: an invite that is open here, the membership that it had, or nothing. */
export type StrangerProof = 'invite' | 'renewal' | 'none'

const limitOf: Record<RequestKind, string> = {
  frame: 'frames',
  register: 'registers',
  heartbeat: 'heartbeats',
  put: 'puts',
  request: 'requests'
}

const strangers = 'all strangers'

/** Rates of what one peer, all strangers together, and one /64 may ask for. Outlives sessions: a reconnect begins nothing anew. */
export class RegisterRates {
  readonly #own: Record<RequestKind, Gcra>
  readonly #registries: Gcra
  readonly #strangerJoins: Gcra
  readonly #uninvitedJoins: Gcra
  readonly #uninvitedOfSite: Gcra
  readonly #failedProofs: Gcra
  readonly #culprits: Culprits

  constructor(limits: ProtocolLimits['register'], clock: Clock, culprits: Culprits) {
    this.#culprits = culprits
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
    this.#uninvitedOfSite = new Gcra(limits.uninvitedOfSite, options)
    this.#failedProofs = new Gcra(limits.failedProofs, options)
  }

  /** @throws RateLimitedError */
  take(kind: RequestKind, connection: Connection, role: Role | undefined): void {
    const isRegistry = role !== undefined && isRegistryRole(role)
    // A registry's own registrations are as rare as everybody's.
    const isOwn = !isRegistry || kind === 'register'
    const waitMs = (isOwn ? this.#own[kind] : this.#registries).take(connection.remotePeer.toString())
    if (waitMs === 0) return
    this.#culprits.exceeded(`register.${isOwn ? limitOf[kind] : 'registryRequests'}`, culpritOf(connection))
    throw new RateLimitedError(`too many ${kind}s of this peer`, waitMs)
  }

  /**
   * Before a stranger's join or renewal is verified. Whoever shows an open invite pays for no failed proof of a neighbour: the /64 is not
   * its own. @throws RateLimitedError
   */
  takeJoin(connection: Connection, proof: StrangerProof): void {
    if (proof !== 'invite') this.#refuseProofs(connection)
    // First, so that those without an invite take nothing from the others.
    if (proof === 'none') this.#takeUninvited(connection)
    refuse(this.#strangerJoins.take(strangers), 'too many joins at once')
  }

  #takeUninvited(connection: Connection): void {
    refuse(
      this.#uninvitedOfSite.take(prefixesOf(connection).site),
      'too many joins without an invite from this /48 at once'
    )
    refuse(this.#uninvitedJoins.take(strangers), 'too many joins without an invite at once')
  }

  #refuseProofs(connection: Connection): void {
    refuse(this.#failedProofs.peek(prefixesOf(connection).net), 'too many failed proofs from this /64')
  }

  failedProof(connection: Connection): void {
    this.#failedProofs.take(prefixesOf(connection).net)
  }
}

function refuse(waitMs: number, message: string): void {
  if (waitMs > 0) throw new RateLimitedError(message, waitMs)
}
