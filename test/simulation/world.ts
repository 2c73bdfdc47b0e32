import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Random } from './random.ts'

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Whose work has to come to rest before the next thing happens. */
export interface Busy {
  /** Calls that are under way and wait for nobody else. */
  readonly active: number
}

/** Turns of the event loop in which nothing moves, before all is at rest: writes that nobody waits for take one. */
const quietTurns = 3
/** Turns without rest: something hangs. */
const maxTurns = 200_000

/** Time and order: one thing happens at a time, at a time of its own, and the next one when all that came of it is at rest. */
export class World {
  readonly random: Random
  readonly busy = new Set<Busy>()
  /** ms since the beginning. */
  now = 0
  #events: Event[] = []
  #order = 0
  #failure: Error | undefined

  constructor(random: Random) {
    this.random = random
  }

  /** Work that is nobody's: the start of a machine, what an operator does by hand. */
  begin(work: () => Promise<void>): void {
    const busy = { active: 1 }
    this.busy.add(busy)
    void work().then(
      () => this.busy.delete(busy),
      (error: unknown) => {
        this.busy.delete(busy)
        this.#failure ??= error instanceof Error ? error : new Error(String(error))
      }
    )
  }

  get pending(): number {
    return this.#events.length
  }

  after(ms: number, run: () => void): void {
    this.#events.push({ at: this.now + ms, order: this.#order++, run })
  }

  /** Lets the earliest thing happen. */
  async step(): Promise<void> {
    let first: Event | undefined
    for (const event of this.#events) {
      if (first === undefined || event.at < first.at || (event.at === first.at && event.order < first.order)) {
        first = event
      }
    }
    if (first === undefined) return
    this.#events = this.#events.filter((event) => event !== first)
    this.now = Math.max(this.now, first.at)
    first.run()
    await this.rest()
  }

  async rest(): Promise<void> {
    let quiet = 0
    for (let turn = 0; quiet < quietTurns; turn++) {
      if (turn > maxTurns) throw new Error('something that was begun never ends')
      await nextTurn()
      quiet = [...this.busy].every(({ active }) => active === 0) ? quiet + 1 : 0
    }
    if (this.#failure !== undefined) throw this.#failure
  }
}
