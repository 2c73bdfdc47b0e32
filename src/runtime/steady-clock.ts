import { uptime } from 'node:os'
import { type Clock, systemClock } from './clock-and-logger.ts'
import { isClockServed } from './machine/time-service.ts'

/** A wall clock that goes further than this against the monotonic one has been set, or has never been right. */
export const maxStepMs = 600_000
/** Interval at which the clock that runs on in sleep is read. */
const sleepLookMs = 60_000

export interface SteadyClockInit {
  clock?: Clock
  /** Time since the machine was started, ms, sleep included. */
  uptimeMs?: () => number | undefined
}

/**
 * A wall clock whose jumps nobody sees: when it steps by more than ten minutes against the monotonic one, `now` goes on as before, so no
 * wrong time is signed or kept, and `stepMs` says how far off the wall clock is. It is followed again when it comes back, or when an
 * operator says that it is right. Time that the machine has slept is no step.
 */
export class SteadyClock implements Clock {
  readonly #clock: Clock
  readonly #uptimeMs: () => number | undefined
  #last: { wallMs: number; atMs: number }
  #awake: { wallMs: number; upMs: number | undefined; atMs: number }
  #stepMs: number | undefined

  constructor({
    clock = systemClock,
    uptimeMs = clock === systemClock ? systemUptimeMs : () => undefined
  }: SteadyClockInit = {}) {
    this.#clock = clock
    this.#uptimeMs = uptimeMs
    const [wallMs, atMs] = [clock.now(), clock.monotonic()]
    this.#last = { wallMs, atMs }
    this.#awake = { wallMs, atMs, upMs: uptimeMs() }
  }

  now(): number {
    const wallMs = this.#clock.now()
    const atMs = this.#clock.monotonic()
    const steadyMs = this.#last.wallMs + atMs - this.#last.atMs
    const isStep = Math.abs(wallMs - steadyMs) > maxStepMs && !this.#hasSlept(wallMs)
    this.#stepMs = isStep ? wallMs - steadyMs : undefined
    if (isStep) return steadyMs
    this.#last = { wallMs, atMs }
    if (atMs - this.#awake.atMs > sleepLookMs) this.#awake = { wallMs, atMs, upMs: this.#uptimeMs() }
    return wallMs
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  elapsed(): number | undefined {
    return this.#uptimeMs()
  }

  isServed(): boolean | undefined {
    if (this.#clock !== systemClock) return this.#clock.isServed?.()
    return isClockServed({ nowMs: this.#clock.now(), upMs: this.#uptimeMs(), slackMs: maxStepMs })
  }

  /** Distance of the wall clock from the time that `now` gives, ms; undefined: they are one. */
  get stepMs(): number | undefined {
    this.now()
    return this.#stepMs
  }

  /** The wall clock is right, as an operator says. */
  accept(): void {
    const [wallMs, atMs] = [this.#clock.now(), this.#clock.monotonic()]
    this.#last = { wallMs, atMs }
    this.#awake = { wallMs, atMs, upMs: this.#uptimeMs() }
    this.#stepMs = undefined
  }

  /** The monotonic clock stands still while the machine sleeps, the time since its start does not. */
  #hasSlept(wallMs: number): boolean {
    const upMs = this.#uptimeMs()
    if (upMs === undefined || this.#awake.upMs === undefined) return false
    return Math.abs(wallMs - this.#awake.wallMs - (upMs - this.#awake.upMs)) <= maxStepMs
  }
}

function systemUptimeMs(): number | undefined {
  try {
    return uptime() * 1000
  } catch {
    return undefined
  }
}

/** A difference of two clocks for people: `73 years`, `11 minutes`. */
export function durationText(ms: number): string {
  const [unitMs, unit] = units.find(([each]) => Math.abs(ms) >= 2 * each) ?? [1000, 'second']
  const count = Math.round(Math.abs(ms) / unitMs)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

const units = [
  [365 * 86_400_000, 'year'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute']
] as const
