import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Backoff, type BackoffInit } from '../../../src/runtime/backoff.ts'
import { FakeClock } from '../../helpers/observations.ts'

const init: BackoffInit = { initialMs: 1_000, maxMs: 60_000, multiplier: 2 }

/** Pauses of one that tries until `untilMs`, and how late it is then. */
function tries(untilMs: number, change: Partial<BackoffInit> = {}): { pauses: number[]; lateMs: number } {
  const clock = new FakeClock()
  const from = clock.monotonic()
  const backoff = new Backoff({ ...init, clock, ...change })
  const pauses: number[] = []
  while (clock.monotonic() - from < untilMs) {
    const pause = backoff.next()
    pauses.push(pause)
    // A try that fails at once, as at a port that nobody listens on.
    clock.advance(pause + 1)
  }
  return { pauses, lateMs: clock.monotonic() - from - untilMs }
}

describe('Backoff', () => {
  it('has a ceiling that grows with the time that nobody answers, from the first pause to the longest', () => {
    const { pauses } = tries(600_000, { random: () => 1 })
    expect(pauses.slice(0, 4)).toEqual([1_000, 1_001, 2_003, 4_007])
    expect(pauses.at(-1)).toBe(60_000)
  })

  it('brings nobody back later than the outage lasted, or than the first pause', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (ms, rest) => {
          const random = (): number => rest.next().value ?? 0
          expect(tries(ms, { random }).lateMs).toBeLessThanOrEqual(Math.max(ms, init.initialMs) + 1)
        }
      )
    )
  })

  it('spreads many that lose the same one over the time that it needs for them all, after an outage of any length', () => {
    const spread = (outageMs: number): number => {
      const perSecond = new Map<number, number>()
      for (let member = 0; member < 3_000; member++) {
        const second = Math.floor(tries(outageMs, { others: () => 3_000 }).lateMs / 1_000)
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
      }
      return Math.max(...perSecond.values())
    }
    // 100 a second on the average of 30 s; those that try for the second time come on top of the first ones.
    for (const outageMs of [10, 5_000, 60_000]) expect(spread(outageMs)).toBeLessThan(200)
  })

  it('begins anew after a success', () => {
    const clock = new FakeClock()
    const backoff = new Backoff({ ...init, clock, random: () => 1 })
    backoff.next()
    clock.advance(50_000)
    expect(backoff.next()).toBe(50_000)
    backoff.reset()
    expect([backoff.attempt, backoff.next()]).toEqual([0, 1_000])
  })
})
