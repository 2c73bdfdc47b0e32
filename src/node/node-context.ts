import type { DialFailure } from './bootstrap/dial-race.ts'
import type { Config } from './config/schema.ts'
import type { EventBus } from './event-bus.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { ProcessMetrics } from './metrics/reader.ts'
import type { NetworkNode } from './network-node.ts'
import type { NodeParts } from './node-parts.ts'
import type { RootController } from './root/root-controller.ts'
import type { PhaseFacts, PhaseTracker } from './status/phases.ts'

/** The node as its control API, views and actions see it. */
export interface NodeContext extends NodeParts {
  /** Reads the configuration anew; undefined: the program that this node is part of has it. @throws ConfigError */
  readonly readConfig: (() => Config) | undefined
  readonly peerId: string
  readonly phases: PhaseTracker
  /** undefined until the network was found. */
  readonly network: NetworkNode | undefined
  /** Backups and other chores; undefined until the network was found. */
  readonly housekeeping: Housekeeping | undefined
  /** Duties that only a root has; undefined until the network was found. */
  readonly duties: RootController | undefined
  /** Address of the HTTP API; undefined: it is off, or does not listen. */
  readonly httpUrl: string | undefined
  /** undefined: there is no HTTP API that would tell them. */
  readonly metrics: ProcessMetrics | undefined
  readonly events: EventBus
  readonly isStopping: boolean
  /** Failures of the last round of looking for the network. */
  readonly discoveryFailures: readonly DialFailure[]
  /** Aborts when the node stops. */
  readonly signal: AbortSignal
  /** @throws UnavailableError before the network was found */
  readonly attached: NetworkNode
  facts(): PhaseFacts
  /** Resolves when the condition holds; it is looked at after every change. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<void>
  /** Tries again now what was refused or not found. */
  retry(): void
  /** Begins anew inside of this process: the host goes, `change` is made while the store is closed, and it comes back. */
  beginAnew(reason: string, change: () => void | Promise<void>): Promise<void>
  /** Makes the next stop say that this node has left for good. */
  leave(isLeaving?: boolean): void
  stop(reason?: string): Promise<void>
}
