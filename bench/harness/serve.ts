import { pace } from './pace.ts'

/** What a process can be asked for. */
export type Methods = Record<string, (...given: never[]) => unknown>

export interface Usage {
  cpuMs: number
  rssBytes: number
}

export interface Answer {
  id: number
  value?: unknown
  error?: string
}

interface Question {
  id: number
  name: string
  given: never[]
}

const usage = async (): Promise<Usage> => {
  globalThis.gc?.()
  await new Promise((resolve) => setTimeout(resolve, 100))
  globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() }
}

let peakBytes = 0
const sampleMs = 50

/** The most memory that this process has had since the last time it was asked. */
const peakRss = (): number => {
  const bytes = Math.max(peakBytes, process.memoryUsage.rss())
  peakBytes = 0
  return bytes
}

/** Answers the process that started this one, until that lets go. */
export function serveMethods(methods: Methods, stop: () => Promise<void> = async () => {}): void {
  const all: Methods = { ...methods, usage, peakRss, pace }
  process.on('message', ({ id, name, given }: Question) => void answer(id, all[name], given))
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
  }, sampleMs)
  sampler.unref()
  process.once('disconnect', () => void end(stop))
}

async function answer(id: number, method: Methods[string] | undefined, given: never[]): Promise<void> {
  try {
    if (method === undefined) throw new Error('there is no such method')
    const value = await method(...given)
    process.send?.({ id, value })
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

async function end(stop: () => Promise<void>): Promise<void> {
  try {
    await stop()
  } catch (error) {
    process.stderr.write(`a benchmark process did not end in order: ${String(error)}\n`)
  }
  process.exit(0)
}
