import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CheckState, calmMs, confirmMs, firstHoldMs, longestHoldMs } from '../../../../src/node/services/check-state.ts'

const everyMs = 10_000

/** Asks a check at the times that its state wants, and gives how often that changed in each of some hours. */
const changesByHour = (
  result: (state: CheckState, n: number) => boolean,
  { hours = 4, everyMs: every = everyMs } = {}
): number[] => {
  const state = new CheckState()
  const changes: number[] = []
  for (let hour = 0, now = 0, n = 0; hour < hours; hour++) {
    let count = 0
    for (; now < (hour + 1) * 3_600_000; n++) {
      const before = state.state
      const pause = state.note(result(state, n), now)
      if (state.state !== before) count++
      now += Math.min(every, pause ?? every)
    }
    changes.push(count)
  }
  return changes
}

describe('the state of a service by its checks', () => {
  it('is what the first check says', () => {
    for (const passed of [true, false]) {
      const state = new CheckState()
      expect(state.state).toBe('unknown')
      expect(state.note(passed, 0)).toBeUndefined()
      expect(state.state).toBe(passed ? 'passing' : 'failing')
    }
  })

  it('changes to failing by two failures in a row, of which the second is looked for soon', () => {
    const state = new CheckState()
    state.note(true, 0)
    expect(state.note(false, 10_000)).toBe(confirmMs)
    expect(state.state).toBe('passing')
    state.note(true, 11_000)
    expect(state.note(false, 20_000)).toBe(confirmMs)
    state.note(false, 21_000)
    expect(state.state).toBe('failing')
  })

  it('passes again when it has passed for a while, twice as long each time', () => {
    const state = new CheckState()
    let now = 0
    const passesAfter = (): number => {
      const begin = now
      for (;;) {
        const pause = state.note(true, now)
        if (state.state === 'passing') return now - begin
        now += pause ?? everyMs
      }
    }
    const fail = (): void => {
      state.note(false, ++now)
      state.note(false, ++now)
      expect(state.state).toBe('failing')
      now++
    }
    state.note(true, now)
    const holds = Array.from({ length: 8 }, () => {
      fail()
      return passesAfter()
    })
    expect(holds).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((times) => times * firstHoldMs))
    expect(longestHoldMs).toBe(60 * firstHoldMs)
    // An hour without a failure begins anew.
    now += calmMs
    state.note(true, now)
    fail()
    expect(passesAfter()).toBe(firstHoldMs)
  })

  it('costs a bounded number of changes however it flaps', () => {
    const isBounded = ([first = 0, ...later]: number[]): boolean => first <= 24 && Math.max(...later) <= 13
    // The worst that there is: it fails as soon as it is called passing.
    const worst = changesByHour(({ state }) => state !== 'passing', { everyMs: 1000 })
    expect(worst).toSatisfy(isBounded)
    expect(worst[0]).toBeGreaterThan(15)
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), (pattern) =>
        isBounded(changesByHour((_, n) => pattern[n % pattern.length] === true, { hours: 2, everyMs: 1000 }))
      ),
      { numRuns: 50 }
    )
  })
})
