import { expect, test } from 'vitest'
import { fitting } from '../../../../src/cli/peers/watch.ts'

test('what is higher than the terminal is cut at the end, and says so', () => {
  const text = ['summary', '', 'NAME', 'a', 'b', 'c', 'd'].join('\n')
  expect(fitting(text, 24)).toBe(text)
  expect(fitting(text, 0)).toBe(text)
  const cut = fitting(text, 6).split('\n')
  expect(cut).toHaveLength(5)
  expect(cut.slice(0, 4)).toEqual(['summary', '', 'NAME', 'a'])
  expect(cut[4]).toContain('3 more lines')
})
