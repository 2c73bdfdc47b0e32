/** Time in one turn of the event loop for what libraries do with what they are given, on all streams together. */
const turnMs = 8

/**
 * Turns of all streams that libraries read: whoever waits is served in the order in which it came, for as long as a turn of the event loop has
 * time for it. A library works in microtasks, which end before anything else is served: a few bytes of each of many peers would be one turn.
 */
export class LibraryTurns {
  readonly #due = new Set<() => void>()
  #usedMs = 0
  #goesOn = false

  /** True while nobody waits and the turn of the event loop has time left. */
  get hasTime(): boolean {
    return this.#usedMs < turnMs && this.#due.size === 0
  }

  /** Gives at once, and counts the time that the library takes for it. */
  run(give: () => void): void {
    this.#counted(give, () => {})
    this.#goOnLater()
  }

  /** Gives when its turn comes. Repeating it before that does nothing. */
  add(give: () => void): void {
    this.#due.add(give)
    this.#goOnLater()
  }

  drop(give: () => void): void {
    this.#due.delete(give)
  }

  #counted(give: () => void, then: () => void): void {
    const begunAt = performance.now()
    give()
    // A tick that a microtask asks for comes when no microtask is left.
    queueMicrotask(() =>
      process.nextTick(() => {
        this.#usedMs += performance.now() - begunAt
        then()
      })
    )
  }

  #goOnLater(): void {
    if (this.#goesOn) return
    this.#goesOn = true
    setImmediate(() => {
      this.#goesOn = false
      this.#usedMs = 0
      this.#goOn()
    })
  }

  #goOn(): void {
    const [give] = this.#due
    if (give === undefined) return
    if (this.#usedMs >= turnMs) {
      this.#goOnLater()
      return
    }
    this.#due.delete(give)
    this.#counted(give, () => this.#goOn())
  }
}
