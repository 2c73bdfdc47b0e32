import { expect, test } from 'vitest'
import { FewLines, strangerLines } from '../../../../src/protocols/engine/few-lines.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { FakeClock } from '../../../helpers/observations.ts'

test('a log of strangers has so many lines a minute, and then says how many are left out', () => {
  const clock = new FakeClock()
  const written: object[] = []
  const lines = new FewLines({ ...silentLogger, info: (fields) => void written.push(fields) }, clock)
  for (let line = 0; line < strangerLines.count + 7; line++) lines.info({ line }, 'a stranger')
  expect(written).toHaveLength(strangerLines.count)
  clock.advance(strangerLines.perMs)
  lines.info({ line: 'next' }, 'a stranger')
  lines.info({ line: 'last' }, 'a stranger')
  expect(written.slice(strangerLines.count)).toEqual([{ line: 'next', left_out: 7 }, { line: 'last' }])
})
