import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace'
import { reasonOf } from '../../runtime/error-message.ts'
import { sleep } from '../../runtime/sleep.ts'
import { Throttle } from '../../runtime/throttle.ts'
import { onStep } from '../../runtime/trace.ts'
import { versionInfo } from '../../runtime/version.ts'
import { spanOf } from './span.ts'
import type { Tracing, TracingInit } from './types.ts'

/** Spans that wait for a receiver that is slow or away: some 2 MB. What comes after them is dropped. */
const queue = { maxQueueSize: 2_048, maxExportBatchSize: 512, scheduledDelayMillis: 1_000, exportTimeoutMillis: 10_000 }
/** A receiver that does not answer is given up after this time, with what it was sent. */
const answerMs = 3_000
/** A stop waits no longer for the receiver. */
const flushMs = 500
/** A receiver that is away is named once in this time. */
const tellMs = 60_000

/** Sends the steps of this process to the receiver that OpenTelemetry's own variables name: OTLP, JSON over HTTP. */
export const exportSpans = ({ name, logger, env }: TracingInit, timeoutMillis = answerMs): Tracing => {
  const failures = new Failures(logger)
  const resource = resourceFromAttributes({
    'service.name': env['OTEL_SERVICE_NAME'] ?? 'trustnet',
    'service.instance.id': name,
    'service.version': versionInfo().version
  })
  const exporter = telling(new OTLPTraceExporter({ timeoutMillis }), (error) => failures.failed(error))
  const processor = new BatchSpanProcessor({ ...queue, exporter })
  const stopHearing = onStep((step) => {
    const span = spanOf(step, resource)
    if (span !== undefined) processor.onEnd(span)
  })
  return {
    stop: async () => {
      stopHearing()
      failures.stop()
      await Promise.race([processor.shutdown().catch(() => {}), sleep(flushMs)])
    }
  }
}

/** The exporter, with its failures told here: OpenTelemetry has one handler for all that this process exports. */
const telling = (exporter: SpanExporter, onError: (error: Error) => void): SpanExporter => ({
  export: (spans, done) =>
    exporter.export(spans, (result) => {
      if (result.error !== undefined) onError(result.error)
      done(result)
    }),
  shutdown: () => exporter.shutdown()
})

/** Says at most once a minute that the receiver takes nothing. */
class Failures {
  readonly #logger: TracingInit['logger']
  #error: unknown
  readonly #telling = new Throttle(() => this.#tell(), tellMs)

  constructor(logger: TracingInit['logger']) {
    this.#logger = logger
  }

  failed(error: unknown): void {
    this.#error = error
    this.#telling.ask()
  }

  stop(): void {
    this.#telling.stop()
  }

  #tell(): void {
    const next = 'spans are lost until it does, and the node goes on without them'
    this.#logger.warn(
      { error: reasonOf(this.#error), status: statusOf(this.#error) },
      `the receiver of traces takes nothing: ${next}`
    )
  }
}

/** HTTP status of a receiver that answered: the reason beside it may be empty. */
const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
