import { expect, test } from 'vitest'
import { sparkLine } from '../../../../src/cli/output/peer-columns.ts'

test('a spark line shows how much of each slot was up, and where nobody looked', () => {
  expect(sparkLine([null, 0, 1, 50, 99, 100])).toBe('·▁▂▅▇█')
  expect(sparkLine([null, null])).toBe('-')
  expect(sparkLine(undefined)).toBe('-')
})
