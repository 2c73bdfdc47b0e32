import type { ProtocolLimits } from '../protocols/engine/limits.ts'
import type { ConnectionTrust } from '../protocols/engine/trust/connection-trust.ts'
import type { Registry } from '../registry/registry.ts'
import type { DialHistory } from './host/dial-history.ts'
import type { Gater } from './host/gater.ts'
import type { Traffic } from './host/traffic.ts'
import type { Matrix } from './matrix/matrix.ts'
import type { MatrixProber } from './matrix/matrix-prober.ts'
import type { NameResolver } from './names/resolver.ts'
import type { Connector } from './peers/connector.ts'
import type { PeerClocks } from './peers/peer-clocks.ts'
import type { PingMonitor } from './peers/ping-monitor.ts'
import type { RecordOrigins } from './peers/record-origins.ts'
import type { PinholeKeeper } from './pinhole/pinhole-keeper.ts'
import type { RelayClient } from './relay/relay-client.ts'
import type { CheckpointWatch } from './replication/checkpoint-watch.ts'
import type { Replicator } from './replication/replicator.ts'
import type { SelfPublisher } from './self/publisher.ts'
import type { LeaseClient, SessionView } from './session/lease-client.ts'
import type { RootForwarder } from './session/root-forwarder.ts'
import type { Stores } from './stores/stores.ts'

/** The parts of a node in its network that its host is made with. */
export interface HostedParts {
  readonly registry: Registry
  /** Connections of members. */
  readonly trust: ConnectionTrust
  readonly limits: ProtocolLimits
  /** Gate for connections, in and out. */
  readonly gater: Gater
  readonly traffic: Traffic
  /** Dials of this process and how they ended. */
  readonly dials: DialHistory
  /** Ways in which the records came. */
  readonly origins: RecordOrigins
  /** Checkpoints that others show. */
  readonly heads: CheckpointWatch
  /** Clocks of others. */
  readonly clocks: PeerClocks
  /** The own record, and who is told of it. */
  readonly self: SelfPublisher
  /** Members that reach each other's addresses, as they say. */
  readonly matrix: Matrix
  /** The way of requests to the root. */
  readonly forwarder: RootForwarder
  /** Folders of content that are shared, followed or kept here. */
  readonly stores: Stores
}

/** The parts that run on top of its host; undefined before it is started. */
export interface NetworkParts extends HostedParts {
  readonly sync: Replicator | undefined
  readonly peers: Connector | undefined
  readonly pingMonitor: PingMonitor | undefined
  /** Has this node reached through others. */
  readonly relays: RelayClient | undefined
  /** Has members probed by others; undefined too where this node is no registry. */
  readonly matrixProber: MatrixProber | undefined
  /** Answers names of members; undefined too where the configuration does not want it. */
  readonly names: NameResolver | undefined
  /** Has routers let others in; undefined too where the configuration does not want it. */
  readonly pinholes: PinholeKeeper | undefined
  readonly lease: LeaseClient | undefined
  /** undefined: no registry holds the lease now. */
  readonly session: SessionView | undefined
  isMember(): boolean
  /** All that one source had was applied at least once since the start. */
  readonly caughtUp: boolean
}
