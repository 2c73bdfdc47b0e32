import { onAbort } from './abort.ts'

/** Tells those who wait that something they look at may be different. */
export class Changes {
  readonly #listeners = new Set<() => void>()

  tell(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Returns how to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when the condition holds; it is looked at now and after every change. Rejects with the signal's reason. */
  async until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = (): void => {
      try {
        if (condition()) resolve()
      } catch (error) {
        // Its own failure, and not that of the others who listen.
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    const stop = this.listen(look)
    using _ = onAbort(signal, reject)
    try {
      signal.throwIfAborted()
      look()
      await promise
    } finally {
      stop()
    }
  }
}
