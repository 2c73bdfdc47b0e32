import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { programPath, type Ran } from '../built-program.ts'

/** Calls by which a command changes what is on the disk, in its main thread: folders, names, and each flush. */
const changing = 'mkdir,link,rename,unlink,fsync,fdatasync'

const node24 = process.execPath

const traced = async (
  options: readonly string[],
  argv: readonly string[],
  env: Record<string, string>
): Promise<Ran> => {
  const command = ['-qq', '-e', `trace=${changing}`, ...options, node24, programPath, ...argv]
  const all = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }
  try {
    const { stdout: out, stderr: err } = await promisify(execFile)('strace', command, { env: all })
    return { code: 0, out, err }
  } catch (error) {
    const { code, stdout: out, stderr: err } = error as { code: number | null; stdout: string; stderr: string }
    return { code: typeof code === 'number' ? code : null, out, err }
  }
}

/** A call of a command, the n-th of that name. */
export interface Change {
  readonly call: string
  readonly n: number
}

/** All changes that a command makes, in order. */
export const changesOf = async (
  argv: readonly string[],
  env: Record<string, string>,
  log: string
): Promise<Change[]> => {
  const { code, err } = await traced(['-o', log], argv, env)
  if (code !== 0) throw new Error(err)
  const counts = new Map<string, number>()
  return [...readFileSync(log, 'utf8').matchAll(/^(\w+)\(/gm)].map(([, call = '']) => {
    const n = (counts.get(call) ?? 0) + 1
    counts.set(call, n)
    return { call, n }
  })
}

/** Runs a command that gets a signal at that change, as strace(1) injects it. */
export const signalledAt = (
  { call, n }: Change,
  signal: NodeJS.Signals,
  argv: readonly string[],
  env: Record<string, string>
): Promise<Ran> => traced(['-o', '/dev/null', '-e', `inject=${call}:signal=${signal}:when=${n}`], argv, env)
