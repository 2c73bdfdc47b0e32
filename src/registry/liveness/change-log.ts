import { at } from '../../identity/bytes.ts'

interface Entry {
  readonly change: number
  readonly id: string
}

/** Below it the log is not worth tidying. */
const tidyAbove = 1024

/**
 * The order in which things changed: each id stands at its latest change only, so a reader at any position sees every id that changed
 * since, once, and nobody has to keep a queue for it.
 */
export class ChangeLog {
  readonly #latest = new Map<string, number>()
  #entries: Entry[] = []
  #last = 0

  /** The highest change number given out. */
  get last(): number {
    return this.#last
  }

  /** Entries kept, those that were overtaken included. */
  get size(): number {
    return this.#entries.length
  }

  touch(id: string): number {
    this.#last++
    this.#latest.set(id, this.#last)
    this.#entries.push({ change: this.#last, id })
    if (this.#entries.length > tidyAbove && this.#entries.length > 2 * this.#latest.size) this.#tidy()
    return this.#last
  }

  delete(id: string): void {
    this.#latest.delete(id)
  }

  /** Ids changed after `change`, oldest change first, and the position behind the last of them. */
  after(change: number, limit: number): { ids: string[]; change: number } {
    const ids: string[] = []
    let position = change
    for (let index = this.#firstAfter(change); index < this.#entries.length && ids.length < limit; index++) {
      const entry = at(this.#entries, index)
      position = entry.change
      if (this.#latest.get(entry.id) === entry.change) ids.push(entry.id)
    }
    return { ids, change: position }
  }

  #firstAfter(change: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (at(this.#entries, middle).change <= change) low = middle + 1
      else high = middle
    }
    return low
  }

  #tidy(): void {
    this.#entries = this.#entries.filter((entry) => this.#latest.get(entry.id) === entry.change)
  }
}
