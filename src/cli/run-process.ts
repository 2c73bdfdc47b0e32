import { closeSync, openSync } from 'node:fs'
import { main } from './main.ts'
import type { Conduct } from './output/conduct.ts'
import { exitCodes } from './output/exit.ts'
import { Interrupted, signalExitCode } from './output/interrupt.ts'
import { Output } from './output/stream.ts'
import { systemErrorText } from './output/system-error.ts'

/** This process as a command: its streams, its signals, and its exit code. */
export const runProcess = async (): Promise<number> => {
  const { stdin, env } = process
  let conduct = 'prints' as Conduct
  const signals = new Signals(() => conduct)
  const stdout = new Output(process.stdout, (error) => {
    // `trustnet peers | head` closes the pipe early: that is no failure.
    if (conduct === 'prints') end(error.code === 'EPIPE' ? exitCodes.fine : lost(stderr, error))
  })
  const stderr = new Output(process.stderr, () => undefined)
  const argv = process.argv.slice(2)
  const onConduct = (now: Conduct): void => {
    conduct = now
  }
  const onHangup = (listener: () => void): void => {
    signals.onHangup = listener
  }
  const code = await main({ argv, stdout, stderr, stdin, env, signal: signals.signal, onConduct, onHangup })
  signals.isDone = true
  await stdout.flushed()
  const { failure } = stdout
  const isLost = failure !== undefined && failure.code !== 'EPIPE' && conduct !== 'runs'
  const last = isLost ? lost(stderr, failure, code) : code
  await stderr.flushed()
  restoreTerminal()
  return last
}

/** A command that failed for a reason of its own keeps its code. */
const lost = (stderr: Output, error: NodeJS.ErrnoException, code: number = exitCodes.fine): number => {
  stderr.write(`error: what this command has to say could not be written: ${systemErrorText(error)}\n`)
  return code === exitCodes.fine ? exitCodes.failure : code
}

class Signals {
  readonly #stop = new AbortController()
  /** The command has ended, and only its output is on its way. */
  isDone = false
  /** Called for SIGHUP instead of ending. */
  onHangup: (() => void) | undefined

  constructor(conduct: () => Conduct) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (signal === 'SIGHUP' && this.onHangup !== undefined && !isTerminalGone()) {
          this.onHangup()
          return
        }
        // The second Ctrl-C is meant.
        const isMeant = this.#stop.signal.aborted && signal === 'SIGINT'
        if (isMeant || (this.isDone && conduct() !== 'runs')) end(signalExitCode(signal))
        this.#stop.abort(new Interrupted(signal))
      })
    }
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }
}

/** True when the terminal of the command was closed: its user means that it shall end. */
const isTerminalGone = (): boolean => {
  if (!process.stdin.isTTY) return false
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return false
  } catch {
    return true
  }
}

/** At once: nothing is waited for. */
const end = (code: number): never => {
  restoreTerminal()
  process.exit(code)
}

/** A prompt or a live table that was broken off leaves the cursor hidden and the keyboard silent. */
const restoreTerminal = (): void => {
  const { stdin, stderr } = process
  if (stdin.isTTY && stdin.isRaw) {
    stdin.setRawMode(false)
    if (stderr.isTTY) stderr.write('\u001B[?25h')
  }
}
