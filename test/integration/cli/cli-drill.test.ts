import { expect, test } from 'vitest'
import { runProgram } from '../../helpers/built-program.ts'
import { expectSchema } from '../../helpers/schemas.ts'

interface Drilled {
  steps: { seconds: number | null }[]
}

test.each(['root-down', 'dns-down'])('drill %s: what breaks is noticed, and made good', async (failure) => {
  const { out, err } = await runProgram(['drill', failure, '--json'], {})
  expect(err).toContain('5 of 5 online')
  const drilled: Drilled = JSON.parse(out)
  expectSchema('drill', drilled)
  // Targets are for a quiet machine; that each step comes to its end is for every one.
  expect(drilled.steps.map(({ seconds }) => seconds)).not.toContain(null)
})
