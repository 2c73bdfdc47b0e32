import type { Command } from 'commander'
import type { ExitCode } from './exit.ts'
import type { Terminal } from './terminal.ts'

/** What every command is given. */
export interface Context {
  terminal: Terminal
  /** Aborted by the first SIGINT or SIGTERM. */
  signal: AbortSignal
  /** Ends the command with another code than 0 without an error message. */
  exit(code: ExitCode): void
}

/** Adds one command with its options, help and action to the program. */
export type AddCommand = (program: Command, context: Context) => void
