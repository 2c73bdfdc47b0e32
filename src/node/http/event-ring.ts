import { randomBytes } from 'node:crypto'
import type { ControlEvent } from '../api/control-api.ts'

/** An event with the id by which a reader goes on behind it. */
export interface Numbered {
  readonly id: string
  readonly event: ControlEvent
}

/** Position of a reader that is known to no ring: that in the history, or none. */
export const happenedBy = (id: string): number | undefined => {
  const [, happened] = /^(?:[0-9a-f]{12}-\d{1,15}-)?(\d{1,15})$/.exec(id) ?? []
  return happened === undefined ? undefined : Number(happened)
}

/** Events that are kept for readers who come back: some minutes of a busy network. */
const kept = 2_000

/** The latest events, numbered from the start of the process. An id names the newest row of the history, too, which outlives the process. */
export class EventRing {
  /** Ids of another run mean nothing here. */
  readonly #run = randomBytes(6).toString('hex')
  readonly #lastHappened: () => number
  readonly #events: Numbered[] = []
  #next = 0
  #more = Promise.withResolvers<void>()

  /** `lastHappened` gives the id of the newest row of the history. */
  constructor(lastHappened: () => number) {
    this.#lastHappened = lastHappened
  }

  push(event: ControlEvent): void {
    this.#next++
    this.#events.push({ id: this.end, event })
    if (this.#events.length > kept) this.#events.shift()
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }

  /** Resolves at the next event. */
  get more(): Promise<void> {
    return this.#more.promise
  }

  get end(): string {
    return `${this.#run}-${this.#next}-${this.#lastHappened()}`
  }

  /** Events behind that id, the oldest first; undefined: some of them are gone, or it is none of ours. */
  after(id: string): Numbered[] | undefined {
    const [, run, count] = /^([0-9a-f]{12})-(\d{1,15})-/.exec(id) ?? []
    const first = this.#next - this.#events.length
    const from = Number(count)
    if (run !== this.#run || from < first || from > this.#next) return undefined
    return this.#events.slice(from - first)
  }
}
