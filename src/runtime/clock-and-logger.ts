/** What the registry is given from outside, so that tests can turn it. */
export interface Clock {
  /** Wall clock, ms since 1970. For display and for timestamps inside signed payloads; never for deadlines. */
  now(): number
  /** Monotonic, ms. For leases, ages and deadlines. */
  monotonic(): number
  /** How far the wall clock of the machine has stepped away from `now`, ms; undefined: not at all. Nothing is signed meanwhile. */
  readonly stepMs?: number | undefined
  /** Follows the wall clock from here on, wherever it has stepped to. */
  accept?(): void
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** The part of pino's Logger that is used: flat fields with fixed names, then a message that says what, why and what next. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
