import { constants } from 'node:os'

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

/** A question was broken off, so nothing that comes after it has begun. */
export class QuestionAbortedError extends Error {
  override readonly name = 'QuestionAbortedError'
}

/** Work that its signal breaks off only as long as it has changed nothing. @throws QuestionAbortedError */
export const untouched = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    throw signal.aborted && error === signal.reason ? new QuestionAbortedError('nothing was changed') : error
  }
}

/** Errors of a question that a signal or Ctrl-C broke off: on a raw terminal Ctrl-C is typed, and no signal. */
const brokenOff: ReadonlySet<string> = new Set(['ExitPromptError', 'AbortPromptError', 'QuestionAbortedError'])

export const isQuestionAborted = (error: unknown): boolean => error instanceof Error && brokenOff.has(error.name)
