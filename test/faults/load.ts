import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve as absolute } from 'node:path'
import type { Promises } from './promises.ts'

/** The built one, also when this file runs from its source. */
const program = absolute('dist/test/faults/loaded-registry.js')
/** Until a registry that starts has acknowledged something. */
const startMs = 60_000

/** A registry under load, in a process that can be killed. */
export class Load {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #promises: Promises

  private constructor(child: ChildProcess, promises: Promises) {
    this.#child = child
    this.#promises = promises
    this.#ended = once(child, 'close')
  }

  /** Resolves when it is at work. */
  static async start(path: string, life: number, promises: Promises): Promise<Load> {
    const child = spawn(process.execPath, [program, path, String(life)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const load = new Load(child, promises)
    const before = promises.lines
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(() => reject(new Error('the registry acknowledges nothing')), startMs)
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      try {
        promises.take(chunk)
        if (promises.lines > before + 1) resolve()
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    void load.#ended.then(() => reject(new Error('the registry ended by itself')))
    try {
      await promise
      return load
    } catch (error) {
      await load.kill()
      throw error
    } finally {
      clearTimeout(late)
    }
  }

  /** kill -9; resolves when it is gone and all that it wrote is read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
    this.#promises.end()
  }
}
