import { onAbort } from '../../runtime/abort.ts'

/** Items that wait for one reader: of more than it keeps, the oldest are lost. */
export class Inbox<T> {
  readonly #most: number
  readonly #items: T[] = []
  #wake = Promise.withResolvers<void>()

  constructor(most: number) {
    this.#most = most
  }

  readonly add = (item: T): void => {
    if (this.#items.push(item) > this.#most) this.#items.shift()
    this.#wake.resolve()
  }

  /** Yields what is added, until the signal fires. */
  async *read(signal: AbortSignal): AsyncGenerator<T> {
    using _ = onAbort(signal, () => this.#wake.resolve())
    while (!signal.aborted) {
      const item = this.#items.shift()
      if (item === undefined) {
        await this.#wake.promise
        this.#wake = Promise.withResolvers()
      } else yield item
    }
  }
}
