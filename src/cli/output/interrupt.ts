import { constants } from 'node:os'
import { failureOf } from '../../runtime/failures.ts'

/** A signal asked this process to stop: the reason of the context's signal. */
export class Interrupted extends Error {
  override readonly name = 'AbortError'
  readonly signal: NodeJS.Signals
  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`)
    this.signal = signal
  }
}

/** 128 + the signal's number, as a shell reports a process that a signal ended. */
export const signalExitCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal]

/** Signal behind an aborted signal; one without a reason counts as Ctrl-C. */
export const signalOf = ({ reason }: AbortSignal): NodeJS.Signals =>
  reason instanceof Interrupted ? reason.signal : 'SIGINT'

/** A command was broken off by a signal or by Ctrl-C: its message says how things are now. */
export class BrokenOffError extends Error {
  override readonly name = 'BrokenOffError'
}

const untouchedText = 'nothing was changed'

/** Work that its signal breaks off, and how things are then. @throws BrokenOffError */
export const breakable = async <T>(signal: AbortSignal, work: Promise<T>, left = untouchedText): Promise<T> => {
  try {
    return await work
  } catch (error) {
    const isNew = isOfSignal(error, signal) && !(error instanceof BrokenOffError)
    throw isNew ? new BrokenOffError(left, { cause: error }) : error
  }
}

/** Errors of a question that was broken off: on a raw terminal Ctrl-C is typed, and no signal. */
const questions: ReadonlySet<string> = new Set(['ExitPromptError', 'AbortPromptError'])

/** State of things after what was broken off; undefined: it is another error. */
export const brokenOff = (error: unknown): string | undefined => {
  if (error instanceof BrokenOffError) return error.message
  return error instanceof Error && questions.has(error.name) ? untouchedText : undefined
}

/** The error is only what the signal has brought about, and says nothing of its own. */
export const isOfSignal = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted &&
  error instanceof Error &&
  (error === signal.reason || failureOf(error).code === 'TIMEOUT' || isOfSignal(error.cause, signal))
