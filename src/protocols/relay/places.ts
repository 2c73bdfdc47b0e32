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

/** Places for circuits: so many in all, and so many of one member, at whichever end it is. */
export class CircuitPlaces {
  readonly #limits: ProtocolLimits['relay']
  readonly #ofPeer = new Map<string, number>()
  #all = 0

  constructor(limits: ProtocolLimits['relay']) {
    this.#limits = limits
  }

  get size(): number {
    return this.#all
  }

  /** That member has as many circuits as it may. */
  isFull(peer: string): boolean {
    return (this.#ofPeer.get(peer) ?? 0) >= this.#limits.circuitsOfPeer
  }

  /** A place, which is free again when it is disposed of. @throws LimitError */
  take(source: string, target: string): Disposable {
    const { circuits, circuitsOfPeer } = this.#limits
    if (this.#all >= circuits) throw new LimitError(`${circuits} circuits are open here`)
    for (const peer of [source, target]) {
      if (this.isFull(peer)) throw new LimitError(`${peer} has ${circuitsOfPeer} circuits open here`)
    }
    this.#count(source, target, 1)
    return { [Symbol.dispose]: () => this.#count(source, target, -1) }
  }

  #count(source: string, target: string, change: 1 | -1): void {
    this.#all += change
    for (const peer of [source, target]) {
      const count = (this.#ofPeer.get(peer) ?? 0) + change
      if (count === 0) this.#ofPeer.delete(peer)
      else this.#ofPeer.set(peer, count)
    }
  }
}
