import { assert, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../../../src/node/config/index.ts'

describe('durations', () => {
  it.each([
    ['30', 30_000],
    [30, 30_000],
    ['30s', 30_000],
    ['250ms', 250],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['90d', 7_776_000_000],
    ['1.5s', 1500],
    [' 2 s ', 2000],
    [0, 0]
  ])('%j is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', 's', '-1s', '1w', '1 s 2', 'Infinity', 'NaN', null, {}, '9'.repeat(30)])('%j is none', (text) =>
    expect(parseDuration(text)).toBeUndefined()
  )

  it('what is written is read as the same', () => {
    const law = property(nat({ max: 10_000_000_000 }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms)
    })
    assert(law)
  })
})
