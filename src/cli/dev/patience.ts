/** Aborts its signal when nothing has moved on for a while: how long all of it takes is up to the machine. */
export class Patience implements Disposable {
  readonly #late = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(ms: number) {
    this.#timer = setTimeout(() => this.#late.abort(), ms)
  }

  get signal(): AbortSignal {
    return this.#late.signal
  }

  /** Something has moved on. */
  renew(): void {
    if (!this.signal.aborted) this.#timer.refresh()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
