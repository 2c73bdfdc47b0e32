import { randomBytes } from 'node:crypto'
import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { reasonOf } from '../../runtime/error-message.ts'
import { type FinishedStep, type StepName, traceBytes } from '../../runtime/trace.ts'

/** Steps outside of any trace that are spans of their own; of the others there are too many. */
const alone: ReadonlySet<StepName> = new Set(['push'])

const answers: ReadonlySet<StepName> = new Set(['serve', 'push'])

/** A step as OpenTelemetry has it; undefined: it is measured only. */
export const spanOf = (step: FinishedStep, resource: Resource): ReadableSpan | undefined => {
  const { name, fields, error } = step
  if (step.place === undefined && !alone.has(name)) return undefined
  const { trace, span, parent } = step.place ?? { trace: randomBytes(traceBytes), span: randomBytes(8) }
  const contextOf = (id: Uint8Array) => ({ traceId: hex(trace), spanId: hex(id), traceFlags: TraceFlags.SAMPLED })
  const status =
    error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: reasonOf(error) }
  return {
    name: name === 'serve' ? `serve ${fields['request'] ?? ''}` : name,
    kind: answers.has(name) ? SpanKind.SERVER : SpanKind.CLIENT,
    spanContext: () => contextOf(span),
    ...(parent !== undefined && { parentSpanContext: contextOf(parent) }),
    startTime: hrTime(step.startedMs),
    endTime: hrTime(step.startedMs + step.durationMs),
    duration: hrTime(step.durationMs),
    status,
    attributes: { ...fields },
    resource,
    instrumentationScope: { name: 'trustnet' },
    ended: true,
    ...none
  }
}

const none = { links: [], events: [], droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), Math.floor((ms % 1000) * 1e6)]
