import { fstatSync } from 'node:fs'
import type { Reader, Sink } from './terminal.ts'

type Stream = NodeJS.WriteStream & { readonly fd: number }

/** One of the process's output streams: knows what has arrived, and why the rest cannot. */
export class Output implements Sink {
  readonly #stream: Stream
  #pending = 0
  readonly #waiting: (() => void)[] = []
  #failure: NodeJS.ErrnoException | undefined
  #errored: Error | null = null

  /** `onFailure` is called once, for the first write that failed. */
  constructor(stream: Stream, onFailure: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#failure !== undefined) return
      this.#failure = error
      onFailure(error)
    })
  }

  get isTTY(): boolean | undefined {
    return this.#stream.isTTY
  }

  /** Kind of reader. The null device has none; Node also opens it in the place of an output that was closed. */
  get reader(): Reader {
    if (this.#stream.isTTY) return 'lasting'
    const found = fstatSync(this.#stream.fd)
    if (found.isFile()) return 'lasting'
    return found.isCharacterDevice() ? 'none' : 'passing'
  }

  get columns(): number | undefined {
    return this.#stream.columns
  }

  /** The reason why something was lost. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#failure
  }

  /** The reason why the last write did not arrive: a disk that was full for a while takes the next one. */
  get errored(): Error | null {
    return this.#errored
  }

  write(data: string | Uint8Array): void {
    this.#pending++
    // A part of what failed may be there: what comes now begins a line of its own.
    const whole = this.#errored === null || typeof data !== 'string' ? data : `\n${data}`
    this.#stream.write(whole, (error) => {
      this.#errored = error ?? null
      this.#pending--
      if (this.#pending > 0) return
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
  }

  /** Resolves when all is written, or cannot be. */
  async flushed(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
