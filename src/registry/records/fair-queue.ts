/**
 * Work that many ask for: at most so much of it at once, and who waits gets one turn before anybody gets a second. So whoever asks for
 * much waits for itself, and nobody else waits for it.
 */
export class FairQueue {
  readonly #atOnce: number
  readonly #waiting = new Map<string, (() => void)[]>()
  #running = 0

  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  /** Runs `work` at the turn of `asker`, in the order in which it asked. */
  async run<T>(asker: string, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running++
    else await this.#turn(asker)
    try {
      return await work()
    } finally {
      this.#pass()
    }
  }

  #turn(asker: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const queue = this.#waiting.get(asker)
    if (queue === undefined) this.#waiting.set(asker, [resolve])
    else queue.push(resolve)
    return promise
  }

  /** Gives the turn that is over to whoever has waited longest for one. */
  #pass(): void {
    for (const [asker, queue] of this.#waiting) {
      const next = queue.shift()
      this.#waiting.delete(asker)
      // Behind all others that wait.
      if (queue.length > 0) this.#waiting.set(asker, queue)
      next?.()
      return
    }
    this.#running--
  }
}
