import { execFile } from 'node:child_process'
import { InstallError, OperatorError } from '../errors.ts'
import type { Ran, RunOptions } from '../model/tools.ts'

/** A package manager or an image build takes longer and says so itself. */
const defaultTimeoutMs = 60_000
const maxOutputBytes = 4 * 1024 * 1024

/** Output in English, whatever the operator speaks: it is read by programs. */
const environment = { LC_ALL: 'C.UTF-8' }

/** Runs a program of the system. What it says is kept, and judged by the caller. */
export const runCommand = (
  command: readonly string[],
  { signal, timeoutMs = defaultTimeoutMs }: RunOptions & { signal?: AbortSignal } = {}
): Promise<Ran> => {
  const [file = '', ...args] = command
  const limits = { timeout: timeoutMs, maxBuffer: maxOutputBytes, env: { ...process.env, ...environment } }
  return new Promise((resolve, reject) => {
    execFile(file, args, signal === undefined ? limits : { ...limits, signal }, (error, out, err) => {
      const code: unknown = error === null ? 0 : error.code
      if (typeof code === 'number') return resolve({ code, out, err })
      if (code === 'ENOENT')
        return reject(new OperatorError(`${file} is not on this machine: install it, then run this again.`))
      const late = error?.killed === true ? `it did not end within ${timeoutMs / 1000} s` : error?.message
      return reject(new InstallError(`${command.join(' ')}: ${late}.`, { cause: error }))
    })
  })
}

/** Whether it could be run and ended with 0. */
export const succeeds = (ran: Promise<Ran>): Promise<boolean> =>
  ran.then(
    ({ code }) => code === 0,
    () => false
  )
