import type { Command } from 'commander'
import type { Conduct } from './conduct.ts'
import type { ExitCode } from './exit.ts'
import type { Terminal } from './terminal.ts'

/** Context that every command is given. */
export interface Context {
  readonly terminal: Terminal
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal
  /** Ends the command with another code than 0 without an error message. */
  exit(code: ExitCode): void
  /** Calls the listener for each SIGHUP from now on, which then ends nothing. */
  onHangup(listener: () => void): void
  /** Says that from now on the command behaves in that way. */
  conduct(conduct: Conduct): void
}

/** Adds one command with its options, help and action to the program. */
export type AddCommand = (program: Command, context: Context) => void
