import type { Sink } from './terminal.ts'

type Stream = NodeJS.WriteStream

/** One of the process's output streams: knows what has arrived, and why the rest cannot. */
export class Output implements Sink {
  readonly #stream: Stream
  #pending = 0
  #idle = Promise.withResolvers<void>()
  #failure: NodeJS.ErrnoException | undefined

  /** `onFailure` is called once, for the first write that failed. */
  constructor(stream: Stream, onFailure: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#failure !== undefined) return
      this.#failure = error
      this.#idle.resolve()
      onFailure(error)
    })
  }

  get isTTY(): boolean | undefined {
    return this.#stream.isTTY
  }

  get columns(): number | undefined {
    return this.#stream.columns
  }

  /** Why nothing can be written any more. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#failure
  }

  write(text: string): void {
    if (this.#failure !== undefined) return
    this.#pending++
    this.#stream.write(text, () => {
      this.#pending--
      if (this.#pending > 0) return
      this.#idle.resolve()
      this.#idle = Promise.withResolvers<void>()
    })
  }

  /** Resolves when all is written, or cannot be. */
  async flushed(): Promise<void> {
    while (this.#pending > 0 && this.#failure === undefined) await this.#idle.promise
  }
}
