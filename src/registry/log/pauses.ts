import type { MetaTable } from '../store/meta-table.ts'

/** A time in which the root signed nothing, so nobody could renew a membership. ms since 1970. */
export interface Pause {
  readonly fromMs: number
  readonly toMs: number
}

const key = 'root-pauses'
/** Shortest pause that is kept: a membership outlives what is shorter. */
const shortestMs = 3_600_000
const maxKept = 16

/** The longer pauses of the root that this store belongs to. */
export class Pauses {
  readonly #table: MetaTable

  constructor(table: MetaTable) {
    this.#table = table
  }

  list(): Pause[] {
    const bytes = this.#table.get(key)
    return bytes === undefined ? [] : JSON.parse(Buffer.from(bytes).toString('utf8'))
  }

  /** Inside a commit. */
  add(pause: Pause): void {
    if (pause.toMs - pause.fromMs < shortestMs) return
    this.#table.put(key, Buffer.from(JSON.stringify([...this.list(), pause].slice(-maxKept))))
  }

  /** Time between two moments without the pauses in which the root signed nothing, ms. */
  awakeMs(fromMs: number, toMs: number): number {
    let awakeMs = toMs - fromMs
    for (const pause of this.list()) {
      awakeMs -= Math.max(0, Math.min(toMs, pause.toMs) - Math.max(fromMs, pause.fromMs))
    }
    return awakeMs
  }
}
