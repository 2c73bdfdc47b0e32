import { describe, expect, it } from 'vitest'
import { isOfThisRun } from '../../../../src/node/self/key-alarms.ts'
import { type Clock, momentOf } from '../../../../src/runtime/clock-and-logger.ts'

const hour = 3_600_000
const day = Date.UTC(2026, 10, 30)

/** A clock whose wall time may be set without time going on. */
class SetClock implements Clock {
  wallMs: number
  passedMs = 0

  constructor(wallMs: number) {
    this.wallMs = wallMs
  }

  now(): number {
    return this.wallMs + this.passedMs
  }

  monotonic(): number {
    return this.passedMs
  }
}

describe('a record of the own key was signed while this process ran', () => {
  const clock = new SetClock(day)
  const started = momentOf(clock)
  clock.passedMs = hour

  it.each([
    ['before its start', -1, false],
    ['at its start', 0, true],
    ['now', hour, true],
    ['by a clock that is half a minute ahead', hour + 30_000, true],
    ['by a clock that was an hour ahead', 2 * hour, false]
  ] as const)('%s: by %i ms after its start: %s', (_, afterMs, isSo) => {
    expect(isOfThisRun(day + afterMs, clock, started)).toBe(isSo)
  })

  it('is not said of one from before the start when the clock was put right only after that', () => {
    const late = new SetClock(day - 24 * hour)
    const begin = momentOf(late)
    late.passedMs = 60_000
    late.wallMs = day
    expect(isOfThisRun(day - hour, late, begin)).toBe(false)
    expect(isOfThisRun(day + 30_000, late, begin)).toBe(true)
  })

  it('follows the clock of the machine where it stepped away from what is signed by', () => {
    const stepped = new SetClock(day)
    const begin = momentOf(stepped)
    stepped.passedMs = 60_000
    const clockAhead: Clock = { now: () => stepped.now(), monotonic: () => stepped.monotonic(), stepMs: hour }
    expect(isOfThisRun(day + 30_000, clockAhead, begin)).toBe(false)
    expect(isOfThisRun(day + hour + 30_000, clockAhead, begin)).toBe(true)
  })
})
