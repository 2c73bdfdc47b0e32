import { parseDuration } from '../../node/config/durations.ts'
import { UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'

/** `v120` or `120`: an entry of the log. */
export const entryPattern = /^v?(0|[1-9]\d{0,14})$/
const timePattern = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/

/** A place in the log: an entry, or a time as ms since 1970. */
export type When = { n: number } | { timeMs: number }

/** The parser takes the 30th of February for the 2nd of March. */
const isDay = (text: string): boolean => {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** Reads `2026-11-30`, `2026-11-30T06:00:00Z`, or `2d` for two days ago. @throws UsageError */
export const timeOf = (what: string, text: string, now = Date.now()): number => {
  const ms = timePattern.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return Math.max(0, ms)
  const ago = parseDuration(text)
  if (ago !== undefined) return Math.max(0, now - ago)
  throw new UsageError(
    `${what} needs a time like 2026-11-30T06:00:00Z, 2026-11-30, or 2d for two days ago; '${sanitise(text)}' is none.`
  )
}

/** The same, or an entry. @throws UsageError */
export const whenOf = (what: string, text: string): When => {
  const n = entryPattern.exec(text)?.[1]
  return n === undefined ? { timeMs: timeOf(what, text) } : { n: Number(n) }
}
