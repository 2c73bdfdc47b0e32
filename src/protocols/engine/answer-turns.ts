import { AsyncLocalStorage } from 'node:async_hooks'

/** Time in one turn of the event loop for the making of answers; what is sent of them costs as much again. */
const turnMs = 8

interface Asker {
  running: number
  /** Answers that are not begun; each is made when it is called. */
  readonly waiting: (() => void)[]
}

/**
 * Back pressure before an answer is made: of one peer so many at a time that the other side has not taken, and of all peers as many in a
 * turn of the event loop as its time allows, one of each before anybody's second. Whoever does not read waits for itself.
 */
export class AnswerTurns {
  readonly #ofPeer: number
  readonly #askers = new Map<string, Asker>()
  /** Peers that wait and may go on, longest first. */
  readonly #ready = new Set<string>()
  #usedMs = 0
  #goesOn = false

  constructor(ofPeer = Number.POSITIVE_INFINITY) {
    this.#ofPeer = ofPeer
  }

  /** Makes an answer at the turn of its peer. `make` resolves when the other side has taken it. */
  async run<T>(peer: string, make: () => Promise<T>): Promise<T> {
    const asker = this.#askers.get(peer) ?? { running: 0, waiting: [] }
    this.#askers.set(peer, asker)
    const isFree = asker.running < this.#ofPeer && asker.waiting.length === 0 && this.#usedMs < turnMs
    try {
      return await (isFree ? this.#begin(asker, make) : this.#atTurn(peer, asker, make))
    } finally {
      asker.running--
      this.#letOn(peer, asker)
    }
  }

  #atTurn<T>(peer: string, asker: Asker, make: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>()
    // In the trace of whoever asked: the turn itself was begun by somebody else.
    asker.waiting.push(AsyncLocalStorage.bind(() => resolve(this.#begin(asker, make))))
    this.#letOn(peer, asker)
    return promise
  }

  /** Counts the time for which the event loop is held: until `make` waits for something. */
  #begin<T>(asker: Asker, make: () => Promise<T>): Promise<T> {
    asker.running++
    const begunAt = performance.now()
    try {
      return make()
    } finally {
      this.#usedMs += performance.now() - begunAt
      // The next turn has all of its time again.
      this.#goOnLater()
    }
  }

  #letOn(peer: string, asker: Asker): void {
    if (asker.waiting.length === 0) {
      if (asker.running === 0) this.#askers.delete(peer)
    } else if (asker.running < this.#ofPeer) {
      this.#ready.add(peer)
      this.#goOnLater()
    }
  }

  #goOnLater(): void {
    if (this.#goesOn) return
    this.#goesOn = true
    setImmediate(() => this.#goOn())
  }

  #goOn(): void {
    this.#goesOn = false
    this.#usedMs = 0
    // Whoever is added goes behind all others.
    for (const peer of this.#ready) {
      if (this.#usedMs >= turnMs) break
      const asker = this.#askers.get(peer)
      this.#ready.delete(peer)
      asker?.waiting.shift()?.()
      if (asker !== undefined) this.#letOn(peer, asker)
    }
    if (this.#ready.size > 0) this.#goOnLater()
  }
}
