import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve as absolute } from 'node:path'
import type { Promises } from './promises.ts'

/** Until something that starts, or comes back, has acknowledged something. */
const startMs = 60_000

/** A process that writes a line for whatever was acknowledged, and can be killed. */
export class Load {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #promises: Promises
  #failure: Error | undefined
  #onChange: () => void = () => {}
  #rest = ''

  /** The built program of that name, also when this file runs from its source. */
  constructor(program: string, given: readonly string[], promises: Promises) {
    this.#child = spawn(process.execPath, [absolute(`dist/test/faults/${program}.js`), ...given], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    this.#promises = promises
    this.#ended = once(this.#child, 'close')
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk))
    void this.#ended.then(() => this.#fail(new Error(`${program} ended by itself`)))
  }

  /** Resolves when more was acknowledged than now. */
  async works(): Promise<void> {
    const before = this.#promises.lines
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(() => reject(new Error(`nothing was acknowledged for ${startMs / 1000} s`)), startMs)
    late.unref()
    this.#onChange = () => {
      if (this.#failure !== undefined) reject(this.#failure)
      else if (this.#promises.lines > before + 1) resolve()
    }
    this.#onChange()
    try {
      await promise
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

  /** It does nothing, until `thaw`. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  /** Whole lines alone: others write to the same promises. */
  #take(chunk: string): void {
    const text = this.#rest + chunk
    const end = text.lastIndexOf('\n') + 1
    this.#rest = text.slice(end)
    try {
      this.#promises.take(text.slice(0, end))
      this.#onChange()
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#onChange()
  }
}
