import { ControlError } from '../../node/api/errors.ts'
import { exitNameOf, failureOf } from '../../runtime/failures.ts'
import { isOperatorMatter } from '../../runtime/files/system-error.ts'

/** Exit codes, for the shell. */
export const exitCodes = {
  fine: 0,
  failure: 1,
  usage: 2,
  notRunning: 3,
  noMatch: 4,
  degraded: 5,
  refused: 6,
  timeout: 7
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A command line that cannot be carried out as it is: says what is wrong and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Ends the command with that code; the message goes to stderr when there is one. */
export class ExitError extends Error {
  override readonly name = 'ExitError'
  readonly code: ExitCode
  constructor(code: ExitCode, message: string) {
    super(message)
    this.code = code
  }
}

const codeByStatus: Readonly<Record<number, ExitCode>> = {
  400: exitCodes.usage,
  403: exitCodes.refused,
  404: exitCodes.noMatch,
  503: exitCodes.timeout,
  504: exitCodes.timeout
}

export const exitCodeOf = (error: unknown): ExitCode => {
  if (error instanceof ExitError) return error.code
  if (error instanceof ControlError) return codeByStatus[error.status] ?? exitCodes.failure
  if (isOperatorMatter(error)) return exitCodes.usage
  return exitCodes[exitNameOf(error)]
}

const codeByExit: Readonly<Record<ExitCode, string>> = {
  0: 'FINE',
  1: 'FAILED',
  2: 'USAGE',
  3: 'NOT_RUNNING',
  4: 'NO_MATCH',
  5: 'DEGRADED',
  6: 'REFUSED',
  7: 'TIMEOUT'
}

/** The word for programs that `--json` says of an error. */
export const errorCodeOf = (error: unknown): string => {
  if (error instanceof ExitError) return codeByExit[error.code]
  if (error instanceof ControlError) return error.code
  return isOperatorMatter(error) ? 'MACHINE' : failureOf(error).code
}
