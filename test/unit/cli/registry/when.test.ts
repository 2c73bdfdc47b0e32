import { expect, test } from 'vitest'
import { timeOf, whenOf } from '../../../../src/cli/registry/when.ts'
import { runCli } from '../../../helpers/control-process.ts'

test.each(['2026-02-30', '2026-04-31T00:00:00Z', '2026-13-01', '2026-11-30T25:00:00Z', 'v007'])(
  '%s is no time',
  (text) => {
    expect(() => whenOf('TIME', text)).toThrow(/needs a time like/)
  }
)

test('days that there are', () => {
  expect(timeOf('TIME', '2028-02-29')).toBe(Date.UTC(2028, 1, 29))
  expect(timeOf('TIME', '2026-11-30T01:00:00+02:00')).toBe(Date.UTC(2026, 10, 29, 23))
})

test('places of the log are not compared with a member', async () => {
  const { code, err } = await runCli(['registry', 'diff', 'v0', 'v1', '--with', 'keeper'], { home: '/nonexistent' })
  expect(err).toContain('peers --compare keeper,self')
  expect(code).toBe(2)
})
