import type { BlockSource } from './source.ts'

/** First pause before a source that lacks a block is asked for it again, and the longest. */
const firstPauseMs = 100
const longestPauseMs = 1_000

interface Absence {
  times: number
  againAtMs: number
}

/** A block that is fetched and was not given yet. */
export class Want {
  readonly digest: Uint8Array
  readonly asked = new Set<BlockSource>()
  readonly #absences = new Map<BlockSource, Absence>()

  constructor(digest: Uint8Array) {
    this.digest = digest
  }

  /** The number of times that this source said that it has not got it. */
  absencesOf(source: BlockSource): number {
    return this.#absences.get(source)?.times ?? 0
  }

  /** Tells whether this source may be asked for it now. */
  mayAsk(source: BlockSource, nowMs: number): boolean {
    return !this.asked.has(source) && nowMs >= (this.#absences.get(source)?.againAtMs ?? 0)
  }

  absentAt(source: BlockSource, nowMs: number): void {
    this.asked.delete(source)
    const times = this.absencesOf(source) + 1
    const pauseMs = Math.min(firstPauseMs * 2 ** (times - 1), longestPauseMs)
    this.#absences.set(source, { times, againAtMs: nowMs + pauseMs })
  }

  lost(source: BlockSource): void {
    this.asked.delete(source)
    this.#absences.delete(source)
  }
}
