import type { ProtocolLimits } from '../engine/limits.ts'

type Limits = Pick<ProtocolLimits['sync'], 'patienceMs' | 'paceBytes' | 'otherPaceBytes' | 'otherMs'>

/**
 * Time for which the other side of a sync is still waited for. Time passes only while nothing is here to be worked on, and what moves buys more:
 * so a long exchange may last, and one that trickles ends.
 */
export class Patience {
  readonly #limits: Limits
  #waitedMs = 0
  #boughtMs = 0
  #otherMs = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get leftMs(): number {
    const { patienceMs, otherMs } = this.#limits
    return Math.max(0, patienceMs + this.#boughtMs + Math.min(otherMs, this.#otherMs) - this.#waitedMs)
  }

  waited(ms: number): void {
    this.#waitedMs += ms
  }

  /** Bytes of which there is an end: entries of the log that are new here, or an answer that is read. */
  moved(bytes: number): void {
    this.#boughtMs += (bytes / this.#limits.paceBytes) * 1_000
  }

  /** Bytes that may be sent without end: what is known already, or what its sender can sign as often as it likes. */
  repeated(bytes: number): void {
    this.#otherMs += (bytes / this.#limits.otherPaceBytes) * 1_000
  }
}
