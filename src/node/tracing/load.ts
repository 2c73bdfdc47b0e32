import type { Tracing, TracingInit } from './types.ts'

const endpoints = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']

/** Exports the steps of this process as OpenTelemetry spans, when its environment names where to; else nothing of it is loaded. */
export const startTracing = async (init: TracingInit): Promise<Tracing | undefined> => {
  const { env } = init
  const isWanted = endpoints.some((name) => (env[name] ?? '') !== '') && env['OTEL_SDK_DISABLED'] !== 'true'
  return isWanted ? (await import('./exporter.ts')).exportSpans(init) : undefined
}
