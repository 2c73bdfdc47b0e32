import type { ProgramSource } from './program.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly timeoutMs?: number
}

/** Tools that actions work with. */
export interface Tools {
  readonly signal: AbortSignal
  readonly program: ProgramSource
  /** Runs a program of the system to its end, however it ends. @throws CommandError when it cannot be run at all */
  readonly run: (command: readonly string[], options?: RunOptions) => Promise<Ran>
  /** Progress inside a step: replaced by the next. */
  readonly say: (text: string) => void
  /** Something that stays on the screen: what was kept, and what the operator has to know. */
  readonly tell: (text: string) => void
  /** Keys and data go, too. */
  readonly purge: boolean
  /** Environment that secrets of providers come from. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Opens the recovery kit of a network that is made here. */
  readonly passphrase: string
  /** Processes that the installer itself keeps running, by node. */
  readonly children: Map<string, ForegroundChild>
}

export interface ForegroundChild {
  readonly pid: number
  /** Its exit code. */
  readonly ended: Promise<number>
  stop(): void
}
