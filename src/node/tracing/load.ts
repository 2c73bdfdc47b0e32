import type { Tracing, TracingInit } from './types.ts'

const endpoints = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']

/** Exports the steps of this process as OpenTelemetry spans, when its environment names where to; else nothing of it is loaded. */
export const startTracing = async (init: TracingInit): Promise<Tracing | undefined> => {
  const { env, logger } = init
  const variable = endpoints.find((name) => (env[name] ?? '') !== '')
  if (variable === undefined || env['OTEL_SDK_DISABLED'] === 'true') return undefined
  if (isHttp(env[variable])) return (await import('./exporter.ts')).exportSpans(init)
  // The value is not shown: it may hold a password. The library would send to localhost.
  logger.warn(
    { variable },
    'no traces are sent, the variable is no http:// or https:// address: mend it, then start again'
  )
  return undefined
}

const isHttp = (url = ''): boolean => /^https?:$/.test(URL.parse(url)?.protocol ?? '')
