import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What `npm test` builds first. */
export const programPath = fileURLToPath(new URL('../../dist/bin/trustnet.js', import.meta.url))

export interface Ran {
  code: number | null
  out: string
  err: string
}

export interface Running {
  process: ChildProcess
  ended: Promise<Ran>
  /** What is on stdout until now. */
  soFar(): string
}

/** Descriptors in the place of nothing and of pipes. */
export interface Stdio {
  stdin?: 'pipe' | number
  stdout?: number
}

/** Starts the built program as a user would; the caller sees to its end. */
export const startProgram = (argv: readonly string[], env: Record<string, string>, stdio: Stdio = {}): Running => {
  if (!existsSync(programPath)) throw new Error(`${programPath} is not there: npm run build`)
  const child = spawn(process.execPath, [programPath, ...argv], {
    stdio: [stdio.stdin ?? 'ignore', stdio.stdout ?? 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }
  })
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
  return { process: child, ended, soFar: () => out }
}

export const runProgram = (argv: readonly string[], env: Record<string, string>, stdio: Stdio = {}): Promise<Ran> =>
  startProgram(argv, env, stdio).ended

/** Processes of this machine whose TRUSTNET_HOME is that folder. */
export const processesOf = (home: string): number[] =>
  readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0')
      return environment.includes(`TRUSTNET_HOME=${home}`) ? [Number(entry)] : []
    } catch {
      return []
    }
  })
