import type { SigningKey } from '../identity/keys.ts'
import type { ConnectionTrust } from '../protocols/engine/connection-trust.ts'
import type { ProtocolLimits } from '../protocols/engine/limits.ts'
import type { Invite } from '../registry/objects/invite.ts'
import type { Registry } from '../registry/registry.ts'
import type { Clock, Logger } from '../runtime/clock-and-logger.ts'
import type { Supervisor } from '../runtime/supervisor.ts'
import type { Candidates } from './bootstrap/candidates.ts'
import type { Config } from './config/schema.ts'
import type { Gater } from './host/gater.ts'
import type { LibraryOutlets } from './host/libp2p.ts'
import type { Traffic } from './host/traffic.ts'
import type { PingMonitor } from './peers/ping-monitor.ts'
import type { CheckpointWatch } from './replication/checkpoint-watch.ts'
import type { SelfRecord } from './self/record.ts'
import type { SessionView } from './session/lease-client.ts'

export interface NetworkNodeInit {
  config: Config
  key: SigningKey
  software: string
  registry: Registry
  candidates: Candidates
  invite: () => Invite | undefined
  /** false: this key shall not ask to be admitted as a new member. */
  mayJoin: () => boolean
  clock: Clock
  logger: Logger
  library: LibraryOutlets
  instance: Uint8Array
  portWaitMs?: number | undefined
  services: Supervisor
  /** Something that a view shows has changed. */
  onChange: () => void
}

/** The parts of a node in its network that its services are made of. */
export interface NetworkParts {
  readonly registry: Registry
  readonly trust: ConnectionTrust
  readonly limits: ProtocolLimits
  readonly heads: CheckpointWatch
  readonly traffic: Traffic
  readonly gater: Gater
  readonly selfRecord: SelfRecord
  readonly announced: readonly string[]
  readonly session: SessionView | undefined
  readonly pingMonitor: PingMonitor | undefined
  isMember(): boolean
}
