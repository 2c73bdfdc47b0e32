import { isCounted, isUp, type State } from './states.ts'

/** Share of time that a member was up in the time that it was observed. It forgets: the sum is scaled down to the window. */
export class Uptime {
  readonly #windowMs: number
  #upMs: number
  #observedMs: number

  constructor(windowMs: number, upMs = 0, observedMs = 0) {
    this.#windowMs = windowMs
    this.#upMs = upMs
    this.#observedMs = observedMs
  }

  get upMs(): number {
    return this.#upMs
  }

  get observedMs(): number {
    return this.#observedMs
  }

  /** Adds a stretch of time in one state, of which `silentMs` at its end were not confirmed by anything heard. */
  add(state: State, ms: number, silentMs = 0): void {
    if (!isCounted(state) || ms <= 0) return
    this.#observedMs += ms
    if (isUp(state)) this.#upMs += Math.max(0, ms - silentMs)
    if (this.#observedMs <= this.#windowMs) return
    this.#upMs *= this.#windowMs / this.#observedMs
    this.#observedMs = this.#windowMs
  }
}

export const initialReputation = 50
const bounds = { lowest: 0, highest: 100 }
/** A day of uptime takes half of what is missing to the top; one reject costs what 10 served requests give. */
const gains = { perUpHour: 0.03, perServed: 0.005, perReject: 2.5 }

const rise = (reputation: number, share: number): number =>
  reputation + (bounds.highest - reputation) * (1 - (1 - gains.perUpHour) ** share)

export const reputationAfterUptime = (reputation: number, upMs: number): number => rise(reputation, upMs / 3_600_000)

export const reputationAfterServed = (reputation: number): number => rise(reputation, gains.perServed / gains.perUpHour)

export const reputationAfterReject = (reputation: number): number =>
  Math.max(bounds.lowest, reputation - gains.perReject)
