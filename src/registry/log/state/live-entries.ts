import type { Journal } from './undo-log.ts'

/** Positions of the entries that no later one supersedes, and the bytes of their envelopes. */
export class LiveEntries {
  readonly #bytesAt = new Map<number, number>()
  readonly #journal: Journal
  #bytes = 0

  constructor(journal: Journal) {
    this.#journal = journal
  }

  get size(): number {
    return this.#bytesAt.size
  }

  /** Bytes of all envelopes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Ascending. */
  positions(): number[] {
    return [...this.#bytesAt.keys()].toSorted((a, b) => a - b)
  }

  add(n: number, bytes: number): void {
    this.#change(n, bytes)
  }

  drop(n: number): void {
    this.#change(n, undefined)
  }

  #change(n: number, bytes: number | undefined): void {
    const before = this.#bytesAt.get(n)
    this.#put(n, bytes)
    this.#journal.record(() => this.#put(n, before))
  }

  #put(n: number, bytes: number | undefined): void {
    this.#bytes += (bytes ?? 0) - (this.#bytesAt.get(n) ?? 0)
    if (bytes === undefined) this.#bytesAt.delete(n)
    else this.#bytesAt.set(n, bytes)
  }
}
