import type { Connection } from '@libp2p/interface'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { SyncTarget } from '../../protocols/sync/index.ts'
import type { Replica } from '../../registry/log/replica.ts'
import type { LogPosition } from '../../registry/log/state/position.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import type { Config } from '../config/schema.ts'
import type { Staleness } from './staleness.ts'

/** The node whose replica it is. */
export interface ReplicaOwner {
  /** Tells whether others would serve us: we are a member, or were just told so. */
  isServed(): boolean
  /** Key of the registry that holds the lease. */
  leaseHolder(): Uint8Array | undefined
  /** A source was given up for what it sent, or failed to. */
  sourceFailed(source: Uint8Array, error: unknown): void
  /** A source did not go on in time. */
  unanswered(connection: Connection): void
  /** A source has shown that it holds the log up to there. */
  sourceShowed(source: Uint8Array, position: LogPosition): void
  /** One source has given all that it had. */
  caughtUp(): void
}

export interface ReplicatorInit {
  target: SyncTarget & { readonly replica: Pick<Replica, 'events' | 'state'> }
  trust: ConnectionTrust
  limits: ProtocolLimits
  /** A registry subscribes to all others, everybody else to the one that holds its lease. */
  config: Pick<Config, 'role' | 'replication'>
  owner: ReplicaOwner
  /** Finds sources that stand still. */
  lag: Staleness
  clock: Clock
  logger: Logger
}
