import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changeDelayMs, refreshDelayMs } from '../../../../src/protocols/announce/schedule.ts'

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const minRefreshMs = 600_000

describe('intervals of announcements', () => {
  test('a small network refreshes every ten minutes, give or take a fifth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), random, (members, r) => {
        const delay = refreshDelayMs(minRefreshMs, members, r)
        expect(delay).toBeGreaterThanOrEqual(minRefreshMs * 0.8)
        expect(delay).toBeLessThanOrEqual(minRefreshMs * 1.2)
      })
    )
  })

  test('all refreshes of a large network together stay at about one a second', () => {
    for (const members of [1_000, 10_000, 100_000]) {
      const perSecond = members / (refreshDelayMs(minRefreshMs, members, 0.5) / 1_000)
      expect(perSecond).toBeLessThanOrEqual(1.01)
    }
  })

  test('a failover of the whole network makes at most about 200 announcements a second', () => {
    for (const members of [100, 1_000, 10_000]) {
      const spreadSeconds = changeDelayMs(members, 0.999) / 1_000
      expect(members / spreadSeconds).toBeLessThan(205)
    }
    expect(changeDelayMs(1, 0.999)).toBeLessThan(10)
  })
})
