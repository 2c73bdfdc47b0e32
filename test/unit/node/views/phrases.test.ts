import { expect, test } from 'vitest'
import { count, moment, span } from '../../../../src/node/views/phrases.ts'

test.each([
  [0, 'less than 1 s'],
  [999, 'less than 1 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [7_199_999, '1 h'],
  [172_800_000, '2 d']
])('%i ms are %s', (ms, text) => expect(span(ms)).toBe(text))

test('a time is told to the minute, one beyond the calendar in words', () => {
  expect(moment(0)).toBe('1970-01-01 00:00 UTC')
  expect(moment(Number.MAX_SAFE_INTEGER)).toBe('the end of time')
})

test('one is one', () => {
  expect([count(1, 'join'), count(0, 'join'), count(2, 'address', 'addresses')]).toEqual([
    '1 join',
    '0 joins',
    '2 addresses'
  ])
})
