/**
 * Runs something at once when it is asked for, and after that at most every `pauseMs`, however often it is asked: what looks at the whole
 * node must not run for each of a thousand records. The last asking always leads to a run.
 */
export class Throttle {
  readonly #run: () => void
  readonly #pauseMs: number
  #pause: NodeJS.Timeout | undefined
  #isDue = false
  #isOver = false

  constructor(run: () => void, pauseMs: number) {
    this.#run = run
    this.#pauseMs = pauseMs
  }

  ask(): void {
    if (this.#isOver) return
    if (this.#pause === undefined) this.#now()
    else this.#isDue = true
  }

  /** Runs no more. */
  stop(): void {
    this.#isOver = true
    clearTimeout(this.#pause)
  }

  #now(): void {
    this.#isDue = false
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      if (this.#isDue) this.#now()
    }, this.#pauseMs).unref()
    this.#run()
  }
}
