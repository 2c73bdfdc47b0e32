import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'

/** Id that all steps of one question share, at whichever machine they run: 16 bytes that say nothing. */
export const traceBytes = 16

const current = new AsyncLocalStorage<Uint8Array>()

/** Trace of the step that runs now; undefined: it is part of none. */
export const currentTrace = (): Uint8Array | undefined => current.getStore()

/** Runs a step as the first of a trace, or as a part of the one that runs already. */
export const startTrace = <T>(step: () => T): T =>
  currentTrace() === undefined ? current.run(Uint8Array.from(randomBytes(traceBytes)), step) : step()

/** Runs a step as a part of the trace that came with a request. One of another length counts as absent. */
export const underTrace = <T>(trace: Uint8Array | undefined, step: () => T): T =>
  trace?.length === traceBytes ? current.run(trace.slice(), step) : step()

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
