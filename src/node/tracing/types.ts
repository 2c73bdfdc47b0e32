import type { Logger } from '../../runtime/clock-and-logger.ts'

export interface TracingInit {
  /** Name of the node, by which its spans are told from those of others. */
  readonly name: string
  readonly logger: Logger
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Tracing {
  /** Sends what is left, or gives it up after a moment. */
  stop(): Promise<void>
}
