import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import { ceilingMs } from './ceiling.ts'

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

/** The process of a member of `dev` in that folder. */
export const devPid = (folder: string, name: string): number => {
  const found = processesOf(folder).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${name}.yaml`))
  if (found === undefined) throw new Error(`no process of ${name}`)
  return found
}

/** Runs it with stdout on a disk that is full. */
export const toFullDisk = async (argv: readonly string[], env: Record<string, string>): Promise<Ran> => {
  const full = openSync('/dev/full', 'w')
  try {
    return await runProgram(argv, env, { stdout: full })
  } finally {
    closeSync(full)
  }
}

/** Runs it with stdout on a pipe whose reader is gone already. */
export const toNobody = (argv: readonly string[], env: Record<string, string>): Promise<Ran> => {
  const script = 'exec 3> >(exec true); wait $!; exec "$@" >&3 3>&-'
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, programPath, ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }
  })
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out: '', err }))
  })
}

/** Waits until a process has handlers for the signals: before, the system itself ends it. */
export const handlesSignals = async (pid: number | undefined): Promise<void> => {
  const wanted = 1n << BigInt(constants.signals.SIGHUP - 1)
  await vi.waitFor(
    () => {
      const caught = /SigCgt:\s*([0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
      expect(BigInt(`0x${caught}`) & wanted).toBe(wanted)
    },
    { timeout: ceilingMs, interval: 20 }
  )
}
