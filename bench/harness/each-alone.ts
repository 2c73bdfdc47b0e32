import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly name: string
  readonly seconds: number
  /** What it said at last, where it could not finish. */
  readonly failure: string | undefined
}

const program = fileURLToPath(new URL('../main.js', import.meta.url))
/** Most of the time each of them waits for events. */
const atOnce = 2

/**
 * Runs each benchmark in a process of its own, so that one that hangs is ended with all that it started, and disturbs none that follows.
 * `argv` comes after the name.
 */
export async function eachAlone(names: readonly string[], argv: readonly string[], mostMs: number): Promise<Ended[]> {
  const left = [...names]
  const ended: Ended[] = []
  const lane = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) ended.push(await alone(name, argv, mostMs))
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return ended
}

async function alone(name: string, argv: readonly string[], mostMs: number): Promise<Ended> {
  const from = performance.now()
  // A group of its own: what it started ends with it.
  const child = spawn(process.execPath, [program, name, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  }
  const end = (): boolean => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')
  let late = false
  const timer = setTimeout(() => {
    late = end()
  }, mostMs)
  const onSignal = (): void => void end()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  const seconds = Math.round((performance.now() - from) / 1000)
  const why = late ? `it was not done after ${mostMs / 1000} s` : `it ended with ${code}`
  const failure = code === 0 ? undefined : `${why}\n${said.trimEnd().split('\n').slice(-20).join('\n')}`
  process.stderr.write(`${name}: ${failure ?? (said.includes(': skipped: ') ? 'skipped' : 'done')} (${seconds} s)\n`)
  return { name, seconds, failure }
}
