/** The time, given from outside so that tests can turn it. */
export interface Clock {
  /** Wall clock, ms since 1970. For display and for timestamps inside signed payloads; never for deadlines. */
  now(): number
  /** Monotonic, ms. For leases, ages and deadlines. */
  monotonic(): number
  /** Step of the machine's wall clock away from `now`, ms; undefined: there is none. Nothing is signed meanwhile. */
  readonly stepMs?: number | undefined
  /** ms since any begin that also pass while the machine sleeps; undefined: the system does not tell. */
  elapsed?(): number | undefined
  /** Tells whether a time service has set the wall clock since the machine was started; undefined: nothing says so. */
  isServed?(): boolean | undefined
  /** Follows the wall clock from here on, wherever it has stepped to. */
  accept?(): void
}

/** This moment, kept in a way that setting the clock changes neither its age nor the times of what happens after it. */
export const momentOf = (clock: Clock): number => clock.elapsed?.() ?? clock.monotonic()

/** Time since a moment of `momentOf`, ms. */
export const ageOf = (clock: Clock, moment: number): number => Math.max(0, momentOf(clock) - moment)

/** When a moment of `momentOf` was, by what the wall clock of the machine says now. */
export const wallTimeOf = (clock: Clock, moment: number): number =>
  Math.round(clock.now() + (clock.stepMs ?? 0) - ageOf(clock, moment))

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** The part of pino's Logger that is used: flat fields with fixed names, then a message that says what, why and what next. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
