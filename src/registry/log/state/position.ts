/** A place in the log. */
export interface LogPosition {
  readonly epoch: number
  readonly n: number
}

/** Age of a checkpoint: its place, and when it was signed. */
export interface SignedPosition extends LogPosition {
  /** ms since 1970. */
  readonly timeMs: number
}

/** Order of places in the log, as `Array.sort` takes it: a later epoch comes after all of an older one. */
export const comparePositions = (a: LogPosition, b: LogPosition): number => a.epoch - b.epoch || a.n - b.n

/** Order of checkpoints: of two for one place the one that was signed later comes after. */
export const compareCheckpoints = (a: SignedPosition, b: SignedPosition): number =>
  comparePositions(a, b) || a.timeMs - b.timeMs
