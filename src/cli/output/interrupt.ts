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

/** Names of the errors by which prompts and readline say that Ctrl-C was typed: on a raw terminal it is no signal. */
const typedCtrlC: ReadonlySet<string> = new Set(['ExitPromptError', 'AbortPromptError', 'AbortError'])

export const isCtrlC = (error: unknown): boolean => error instanceof Error && typedCtrlC.has(error.name)
