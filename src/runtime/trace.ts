import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'

/** Id that all steps of one question share, at whichever machine they run: 16 bytes that say nothing. */
export const traceBytes = 16
/** Id of a step in its trace. */
const spanBytes = 8

/** Steps of a trace; `serve` answers one that runs on another machine. */
export type TracedStep = 'join' | 'register' | 'first_sync' | 'delta' | 'failover' | 'lookup' | 'order' | 'serve'

/** Work whose time is measured, in a trace or without one. */
export type StepName = TracedStep | 'heartbeat' | 'push' | 'commit'

export type StepFields = Readonly<Record<string, string | number>>

/** Place of a step in its trace. */
interface Place {
  readonly trace: Uint8Array
  /** undefined: the step that asked runs on another machine. */
  readonly span: Uint8Array | undefined
  /** Its step has ended: what goes on behind it, as a subscription does, is part of no trace. */
  isOver?: true
}

/** A step that has ended, as those hear of it who listen. */
export interface FinishedStep {
  readonly name: StepName
  /** Absent for a step outside of any trace. `parent` is absent at the first step. */
  readonly place?: { readonly trace: Uint8Array; readonly span: Uint8Array; readonly parent: Uint8Array | undefined }
  /** Wall clock of the machine, ms. */
  readonly startedMs: number
  readonly durationMs: number
  /** The reason why it failed. */
  readonly error?: unknown
  readonly fields: StepFields
}

const current = new AsyncLocalStorage<Place | undefined>()
const finished = channel('trustnet:step')

/** Hears of each step of this process that ends, whichever of its nodes made it. Returns how to stop. */
export const onStep = (listener: (step: FinishedStep) => void): (() => void) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this file writes to the channel
  const hear = (message: unknown): void => listener(message as FinishedStep)
  finished.subscribe(hear)
  return () => finished.unsubscribe(hear)
}

/** Trace of the step that runs now; undefined: it is part of none. */
export const currentTrace = (): Uint8Array | undefined => currentPlace()?.trace

const currentPlace = (): Place | undefined => {
  const place = current.getStore()
  return place?.isOver === true ? undefined : place
}

/** A step that goes on. */
export interface Step {
  /** Runs a part of it: what is asked of others meanwhile belongs to it. */
  run<T>(part: () => T): T
  /** Ends it; with the reason when it failed. Only the first call counts. */
  end(error?: unknown): void
}

/** Begins a step, the first one of a trace or a part of the one that runs already. */
export const beginStep = (name: TracedStep, fields: StepFields = {}): Step => {
  const around = currentPlace()
  const trace = around?.trace ?? Uint8Array.from(randomBytes(traceBytes))
  const span = around === undefined ? firstSpan(trace) : Uint8Array.from(randomBytes(spanBytes))
  const parent = around === undefined ? undefined : (around.span ?? firstSpan(trace))
  const begun = { startedMs: Date.now(), at: performance.now() }
  const place: Place = { trace, span }
  return {
    run: (part) => current.run(place, part),
    end: (error) => {
      if (place.isOver === true) return
      place.isOver = true
      if (!finished.hasSubscribers) return
      tell({ name, place: { trace, span, parent }, ...lasted(begun), fields, error })
    }
  }
}

/** Id of the first step of a trace: made from the trace, so that another machine knows it, whose request carries the trace alone. */
const firstSpan = (trace: Uint8Array): Uint8Array => trace.subarray(0, spanBytes)

const lasted = ({ startedMs, at }: { startedMs: number; at: number }) => ({
  startedMs,
  durationMs: performance.now() - at
})

const tell = (step: FinishedStep): void => finished.publish(step)

/** Runs a whole step, the first one of a trace or a part of the one that runs already. */
export const startTrace = async <T>(name: TracedStep, fields: StepFields, run: () => Promise<T>): Promise<T> => {
  const step = beginStep(name, fields)
  try {
    const result = await step.run(run)
    step.end()
    return result
  } catch (error) {
    step.end(error ?? new Error('failed'))
    throw error
  }
}

/** Tells of a step outside of any trace that ends now. `began` is its `performance.now()`. */
export const measured = (name: StepName, began: number, fields: StepFields = {}, error?: unknown): void => {
  if (!finished.hasSubscribers) return
  const durationMs = performance.now() - began
  tell({ name, startedMs: Date.now() - durationMs, durationMs, fields, error })
}

/** Begins what goes on for longer than the step that begins it, and is no part of its trace. */
export const outsideTraces = <T>(begin: () => T): T => current.run(undefined, begin)

/** Runs a step as a part of the trace that came with a request. One of another length counts as absent. */
export const underTrace = <T>(trace: Uint8Array | undefined, step: () => T): T =>
  trace?.length === traceBytes ? current.run({ trace: trace.slice(), span: undefined }, step) : step()

/** Field of a request that is sent now. */
export const carriedTrace = (): { trace?: Uint8Array } => {
  const trace = currentTrace()
  return trace === undefined ? {} : { trace }
}

/** Field of log lines. */
export const traceField = (): { trace?: string } => {
  const trace = currentTrace()
  return trace === undefined ? {} : { trace: Buffer.from(trace).toString('hex') }
}
