import type { MetaTable } from '../store/meta-table.ts'

const key = 'clock_doubt'

/** Time of the newest checkpoint by a clock that was confirmed, while the root signs by one that is not: a restart confirms nothing. */
export class ClockDoubt {
  readonly #table: MetaTable

  constructor(table: MetaTable) {
    this.#table = table
  }

  /** undefined: there is no doubt. */
  get confirmedMs(): number | undefined {
    const bytes = this.#table.get(key)
    return bytes === undefined ? undefined : Number(Buffer.from(bytes).toString('latin1'))
  }

  /** Inside of a commit, as `settle`. */
  begin(confirmedMs: number): void {
    this.#table.put(key, Buffer.from(String(confirmedMs), 'latin1'))
  }

  settle(): void {
    this.#table.delete(key)
  }
}
