import { closeSync, openSync } from 'node:fs'
import { main } from './main.ts'
import type { Conduct } from './output/conduct.ts'
import { exitCodes } from './output/exit.ts'
import { failureLine, lostOutput } from './output/failure.ts'
import { Interrupted, signalExitCode } from './output/interrupt.ts'
import { Output } from './output/stream.ts'

/** This process as a command: its streams, its signals, and its exit code. */
export const runProcess = async (): Promise<number> => {
  const { stdin, env } = process
  let conduct = 'prints' as Conduct
  const signals = new Signals(() => conduct)
  const stdout = new Output(process.stdout, (error) => {
    // `trustnet peers | head` closes the pipe early: that is no failure.
    if (conduct !== 'prints') return
    if (error.code === 'EPIPE') end(exitCodes.fine)
    const failure = lostOutput(error)
    stderr.write(`error: ${failure.message}\n${argv.includes('--json') ? `${failureLine(failure)}\n` : ''}`)
    end(exitCodes.failure)
  })
  const stderr = new Output(process.stderr, () => undefined)
  const argv = process.argv.slice(2)
  const onConduct = (now: Conduct, isOver: boolean): void => {
    conduct = now
    signals.isDone = isOver
  }
  const onHangup = (listener: () => void): void => {
    signals.onHangup = listener
  }
  const code = await main({ argv, stdout, stderr, stdin, env, signal: signals.signal, onConduct, onHangup })
  await stderr.flushed()
  restoreTerminal()
  return code
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
