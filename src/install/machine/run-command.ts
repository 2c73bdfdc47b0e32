import { execFile } from 'node:child_process'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import { InstallError, OperatorError } from '../errors.ts'
import type { Ran, RunOptions } from '../model/tools.ts'

/** A package manager or an image build takes longer and says so itself. */
const defaultTimeoutMs = 60_000
const maxOutputBytes = 4 * 1024 * 1024

/** Output in English, whatever the operator speaks: it is read by programs. */
const english = { LC_ALL: 'C.UTF-8' }

/** Programs that are told where an engine or a cluster is, and the way to it: of no use to any other. */
const remote: ReadonlySet<string> = new Set(['docker', 'kubectl', 'sh'])
const remoteVariables = [
  'DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG DOCKER_CERT_PATH DOCKER_TLS_VERIFY KUBECONFIG',
  'HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy',
  // Clusters whose credentials a program of the provider gives out.
  'AWS_PROFILE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE CLOUDSDK_CONFIG AZURE_CONFIG_DIR',
  'GOOGLE_APPLICATION_CREDENTIALS'
].flatMap((names) => names.split(' '))

/** Runs a program of the system. What it says is kept, and judged by the caller. */
export const runCommand = (
  command: readonly string[],
  { signal, timeoutMs = defaultTimeoutMs }: RunOptions & { signal?: AbortSignal } = {}
): Promise<Ran> => {
  const [file = '', ...args] = command
  const env = cleanEnvironment(english, { also: remote.has(file) ? remoteVariables : [] })
  const limits = { timeout: timeoutMs, maxBuffer: maxOutputBytes, env }
  return new Promise((resolve, reject) => {
    execFile(file, args, signal === undefined ? limits : { ...limits, signal }, (error, out, err) => {
      const code: unknown = error === null ? 0 : error.code
      if (typeof code === 'number') return resolve({ code, out, err })
      if (code === 'ENOENT')
        return reject(new OperatorError(`${file} is not on this machine: install it, then run this again.`))
      if (signal?.aborted === true) return reject(signal.reason)
      const late = error?.killed === true ? `it did not end within ${timeoutMs / 1000} s` : error?.message
      return reject(new InstallError(`${command.join(' ')}: ${late}.`, { cause: error }))
    })
  })
}

/** Tells whether it could be run and ended with 0. */
export const succeeds = (ran: Promise<Ran>): Promise<boolean> =>
  ran.then(
    ({ code }) => code === 0,
    () => false
  )
