import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ceilingMs } from '../helpers/ceiling.ts'

/** A wait for an event with a time of its own, shorter or longer than the ceiling. */
const ownCeiling =
  /\b(?:eventually|until)\(.*, (\d+_000)\)|joined\(\{ signal: AbortSignal\.timeout\((\d+_000)\)|^\}?\s*\}, (\d+_000)\)$/

test('what must come is waited for under the common ceiling, so that a busy machine fails no test', () => {
  const shorter = globSync('test/**/*.ts').flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n')
    return lines.flatMap((line, index) => {
      const ms = ownCeiling.exec(line)?.slice(1).find(Boolean)
      const isAllowed = lines[index - 1]?.trim().startsWith('//') === true
      return ms === undefined || isAllowed || Number(ms.replaceAll('_', '')) >= ceilingMs
        ? []
        : `${file}: ${line.trim()}`
    })
  })
  expect(shorter).toEqual([])
})
