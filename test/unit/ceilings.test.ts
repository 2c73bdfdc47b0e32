import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ceilingMs, hungMs } from '../helpers/ceiling.ts'

/** Lines of all tests, each with the one before it. A comment above a line gives the reason for a time of its own. */
const lines = globSync('test/**/*.ts').flatMap((file) => {
  const all = readFileSync(file, 'utf8').split('\n')
  return all.map((line, at) => ({ file, line, hasReason: all[at - 1]?.trim().startsWith('//') === true }))
})

const found = (hasFault: (line: string) => boolean): string[] =>
  lines.filter(({ line, hasReason }) => !hasReason && hasFault(line)).map(({ file, line }) => `${file}: ${line.trim()}`)

/** A wait for an event with a time of its own: on one line, or as the last argument on a line. */
const ownCeiling = [
  /\b(?:eventually|until|waitFor|poll)\(.*, (\d+_000)\)/,
  /\b(?:eventually|until|waitFor|poll)\(.*\btimeout: (\d+_000)\b/,
  /^\s*(?:\{ )?timeout: (\d+_000)\b/,
  /joined\(\{ signal: AbortSignal\.timeout\((\d+_000)\)/
]
const msOf = (line: string, patterns: readonly RegExp[]): number => {
  const ms = patterns.map((pattern) => pattern.exec(line)?.[1]).find(Boolean)
  return ms === undefined ? Number.POSITIVE_INFINITY : Number(ms.replaceAll('_', ''))
}

test('what must come is waited for under the common ceiling, so that a busy machine fails no test', () => {
  expect(found((line) => msOf(line, ownCeiling) < ceilingMs)).toEqual([])
})

/** The time of a test or of a command, as the last argument. */
const ownEnd = [/^\s*\}?\s*\}, (\d+_000)\)$/, /^\s+(\d+_000),?$/, /\bexecFile.*\btimeout: (\d+_000)\b/]

test('no test and no command is ended before it must be hung', () => {
  expect(found((line) => msOf(line, ownEnd) < hungMs || /^\s+(?:\d+ \* )?ceilingMs$/.test(line))).toEqual([])
})

test('no time begins when a file is loaded, which all of its tests would share', () => {
  expect(found((line) => /^(?:export )?(?:const|let) (?:(?!=>).)*AbortSignal\.timeout\(/.test(line))).toEqual([])
})
