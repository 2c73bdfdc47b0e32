import type { Clock } from '../../runtime/clock-and-logger.ts'
import { LimitError } from '../../runtime/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'

/** Reservations of members at a relay: one of each, as long as it is renewed in time. By PeerId. */
export class Reservations {
  readonly #limits: ProtocolLimits['relay']
  readonly #clock: Clock
  /** The end of each, on the monotonic clock; the one that was made or renewed first is first. */
  readonly #until = new Map<string, number>()

  constructor(limits: ProtocolLimits['relay'], clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  get size(): number {
    this.#sweep()
    return this.#until.size
  }

  has(peer: string): boolean {
    return (this.#until.get(peer) ?? 0) > this.#clock.monotonic()
  }

  /** @throws LimitError when there is no place */
  reserve(peer: string): void {
    this.#until.delete(peer)
    this.#sweep()
    const { reservations, reservationMs } = this.#limits
    if (this.#until.size >= reservations) throw new LimitError(`${reservations} members have a reservation here`)
    this.#until.set(peer, this.#clock.monotonic() + reservationMs)
  }

  delete(peer: string): void {
    this.#until.delete(peer)
  }

  #sweep(): void {
    const now = this.#clock.monotonic()
    for (const [peer, until] of this.#until) {
      if (until > now) return
      this.#until.delete(peer)
    }
  }
}
