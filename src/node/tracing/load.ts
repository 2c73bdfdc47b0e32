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

const endpoints = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']

/** Exports the steps of this process as OpenTelemetry spans, when its environment names where to; else nothing of it is loaded. */
export const startTracing = async (init: TracingInit): Promise<Tracing | undefined> => {
  const { env } = init
  const isWanted = endpoints.some((name) => (env[name] ?? '') !== '') && env['OTEL_SDK_DISABLED'] !== 'true'
  return isWanted ? (await import('./exporter.ts')).exportSpans(init) : undefined
}
