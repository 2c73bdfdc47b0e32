import { unasked } from '../../node/api/stamp.ts'
import { systemErrorText } from '../../runtime/files/system-error.ts'
import type { Terminal } from './terminal.ts'
import { safeJson } from './text.ts'

/** Failure of a command as `--json` tells it: a word for programs, and the message. */
export interface Failure {
  readonly code: string
  readonly message: string
}

/** Failure of the output itself. */
export const lostOutput = (error: NodeJS.ErrnoException): Failure => ({
  code: 'FAILED',
  message: `what this command has to say could not be written: ${systemErrorText(error)}`
})

/** Line for a program that asked for JSON, the last one of stderr; stdout holds answers alone. */
export const failureLine = (failure: Failure): string => safeJson(unasked({ error: failure }))

/** Says what failed, for people. */
export const tellFailure = (terminal: Terminal, { message }: Failure): void =>
  terminal.progress(`${terminal.paintProgress('bad', 'error')}: ${message}`)
