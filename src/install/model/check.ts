export type CheckLevel = 'pass' | 'warn' | 'fail'

/** One thing that was looked at before anything is changed, or by `trustnet doctor`. */
export interface Check {
  /** Fixed word, for JSON. */
  readonly id: string
  readonly title: string
  readonly level: CheckLevel
  /** Finding, and for warn and fail what follows from it. */
  readonly reason: string
  /** A command or a step that mends it; null when nothing is to be done. */
  readonly fix: string | null
}

export const pass = (id: string, title: string, reason: string): Check => ({
  id,
  title,
  level: 'pass',
  reason,
  fix: null
})
export const warn = (id: string, title: string, reason: string, fix: string | null = null): Check => ({
  id,
  title,
  level: 'warn',
  reason,
  fix
})
export const fail = (id: string, title: string, reason: string, fix: string | null = null): Check => ({
  id,
  title,
  level: 'fail',
  reason,
  fix
})
