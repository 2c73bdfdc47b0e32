import type { SigningKey } from '../identity/keys.ts'
import type { Clock } from '../runtime/clock-and-logger.ts'
import type { Supervisor } from '../runtime/supervisor.ts'
import type { PendingInvite } from './bootstrap/pending-invite.ts'
import type { Config } from './config/schema.ts'
import type { ForwardParts } from './forward/forwards.ts'
import type { LibraryMetrics } from './host/libp2p.ts'
import type { Link } from './link/link.ts'
import type { Logging } from './logging.ts'
import type { Program } from './program/program.ts'
import type { Resolvers } from './resolve/resolvers.ts'
import type { RootSeat } from './root/store/root-seat.ts'
import type { KeyRotation } from './self/key-rotation.ts'
import type { AnnouncedServices } from './services/announced-services.ts'

/** The parts of a process that last longer than its host. */
export interface NodeParts {
  /** A reload changes it in place. */
  readonly config: Config
  readonly configFile: string | undefined
  readonly key: SigningKey
  /** The way to the next key. */
  readonly rotation: KeyRotation
  readonly software: string
  readonly clock: Clock
  readonly logging: Logging
  readonly services: Supervisor
  readonly resolvers: Resolvers
  /** Members on the links of this machine; undefined: the configuration wants none. */
  readonly link: Link | undefined
  readonly invites: PendingInvite
  /** Place among those that may be the root; undefined: the log is in the store of the root. */
  readonly seat: RootSeat | undefined
  /** Services that this node offers to the others. */
  readonly announced: AnnouncedServices
  /** Services that members use of each other. */
  readonly forwards: ForwardParts
  /** Protocols, topics and services of the program around this node. */
  readonly program: Program
  /** Network id of the invite or the configuration. */
  readonly pin: Uint8Array | undefined
  /** Time for which an address that is not there is waited for, and by root and secondary a port that is taken. */
  readonly portWaitMs: number | undefined
  /** Figures of libp2p; undefined: nobody asks for any. */
  readonly metrics: { forHost(): LibraryMetrics } | undefined
  /** It has left, and stops in a moment. */
  readonly isLeaving: boolean
  /** Something that a view shows has changed. */
  changed(): void
  /** Stands for the place of the root at another database, or at none. */
  useSeat(seat: RootSeat | undefined): void
  /** Goes on with another key, inside of this process. */
  useKey(key: SigningKey): Promise<void>
}
