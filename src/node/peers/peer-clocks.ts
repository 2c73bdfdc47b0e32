import { type Clock, momentOf } from '../../runtime/clock-and-logger.ts'
import { maxStepMs } from '../../runtime/steady-clock.ts'

/** Comparison of this machine's clock with those of other members. */
export interface ClockComparison {
  /** Time by which it is ahead of most of them, ms; negative: behind. */
  readonly aheadMs: number
  /** Members whose clocks say so, within the ten minutes that no clock that is set differs by. */
  readonly agreeing: number
  /** Members whose clocks were heard. */
  readonly heard: number
  /** Time by which it is ahead of that of the root; undefined: that was not heard. */
  readonly aheadOfRootMs: number | undefined
}

interface Heard {
  readonly timeMs: number
  readonly at: number
}

/** More say no more than these. */
const maxHeard = 64
/** A clock that was heard so long ago may have been set right since. */
const forgottenMs = 24 * 3_600_000

/** Clocks of other members, as their last hellos said. */
export class PeerClocks {
  readonly #clock: Clock
  readonly #heard = new Map<string, Heard>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** 0: it does not say. */
  heard(peerId: string, timeMs: number): void {
    if (timeMs <= 0) return
    this.#heard.delete(peerId)
    this.#heard.set(peerId, { timeMs, at: momentOf(this.#clock) })
    const [oldest] = this.#heard.keys()
    if (oldest !== undefined && this.#heard.size > maxHeard) this.#heard.delete(oldest)
  }

  /** undefined: no clock was heard. `root` is the PeerId of the root. */
  compare(root: string | undefined): ClockComparison | undefined {
    const at = momentOf(this.#clock)
    const now = this.#clock.now()
    const recent = [...this.#heard].filter(([, heard]) => at - heard.at < forgottenMs)
    const ahead = new Map(recent.map(([peerId, heard]) => [peerId, now - (heard.timeMs + at - heard.at)]))
    const sorted = [...ahead.values()].toSorted((a, b) => a - b)
    const aheadMs = sorted[Math.floor((sorted.length - 1) / 2)]
    if (aheadMs === undefined) return undefined
    const agreeing = sorted.filter((each) => Math.abs(each - aheadMs) <= maxStepMs).length
    return { aheadMs, agreeing, heard: sorted.length, aheadOfRootMs: root === undefined ? undefined : ahead.get(root) }
  }
}
