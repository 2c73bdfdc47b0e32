import type { Connection } from '@libp2p/interface'
import type { Role } from '../../identity/role.ts'
import type { Registered, RegistrySession } from '../../protocols/register/index.ts'
import type { BackoffInit } from '../../runtime/backoff.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { RevokedError } from '../../runtime/errors.ts'
import type { SelfRecord } from '../self/record.ts'

/** A registry in another process that proved itself on this connection. */
export interface RegistryPeer {
  readonly connection: Connection
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
}

/** The session as status shows it. */
export interface SessionView {
  readonly peer: RegistryPeer
  readonly session: RegistrySession
  /** By `momentOf`. */
  readonly sinceAt: number
  /** Monotonic. */
  heartbeatAt: number
  leaseMs: number
}

export interface Membership {
  /** Tells whether the own key is a member by the own replica. */
  isMember: () => boolean
  /** The reason why no registry will ever take this key again; undefined: one may. */
  refusal: () => Error | undefined
  /** Parts of a join; undefined when no join can be made (the key is revoked). */
  joinCall: () => { join: Uint8Array } | undefined
  /** The envelope of a renewal request, when it is time for one. */
  renewal: () => Uint8Array | undefined
  /** The same for a membership that ran out, by the word of others too; undefined: there never was one. */
  lateRenewal: () => Uint8Array | undefined
}

/** Registries that can hold the lease. */
export interface LeaseRegistries {
  /** Finds one that is none of these, connected or by dialling; undefined: none is needed. Rejects when nobody answers. */
  find(except: ReadonlySet<string>, signal: AbortSignal): Promise<RegistryPeer | undefined>
  open(connection: Connection, signal: AbortSignal): Promise<RegistrySession>
  /** A connected one that should hold the lease instead of this one. */
  better(than: RegistryPeer): RegistryPeer | undefined
}

/** The node whose lease it is. */
export interface LeaseOwner {
  /** The part of a heartbeat that says what this node knows, and whom. */
  presence(): { checkpoint: Uint8Array | undefined; cosignatures: Uint8Array[]; connected: Uint8Array[] }
  /** The registry accepted us. */
  registered(view: SessionView, answer: Registered): Promise<void>
  lost(view: SessionView, reason: string): void
  /** A registry at which the join waits has told of others: records that nobody has verified. */
  toldRegistries(records: readonly Uint8Array[]): void
  /** A connected registry did not answer in time. */
  unanswered(connection: Connection): void
  /** A registry says that another process uses our key. */
  duplicate(reason: string): void
  /** Nobody answers, or we were refused: `error` says why. undefined: all is well. */
  troubled(error: Error | undefined): void
  /** A newer checkpoint that the registry showed. */
  shown(checkpoint: Uint8Array, by: RegistryPeer, cosignatures: readonly Uint8Array[]): void
}

export interface LeaseClientInit {
  registries: LeaseRegistries
  membership: Membership
  selfRecord: SelfRecord
  owner: LeaseOwner
  clock: Clock
  logger: Logger
  backoff: BackoffInit
  heartbeat: { intervalMs: number; timeoutMs: number }
}

export const errorFrom = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

/** Names who says that the key of this node was revoked: nothing proves it here. */
export const refusalOf = (name: string, error: Error): Error =>
  error instanceof RevokedError
    ? new RevokedError(`${name} says that the key of this node was revoked, for ever: join again with a new key`)
    : error
