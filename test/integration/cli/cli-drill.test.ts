import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runProgram, toFullDisk, toNobody } from '../../helpers/built-program.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { tempFolder } from '../../helpers/temp.ts'

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

test('a drill without a reader comes to its end, and one on a full disk says so', async () => {
  const ends = []
  for (const to of [toNobody, toFullDisk]) {
    using folder = tempFolder()
    const { code, err } = await to(['drill', 'dns-down'], { TMPDIR: folder.path })
    ends.push({ code, err, left: readdirSync(folder.path) })
  }
  const [unread, full] = ends
  // 5: a target, which is for a quiet machine, was missed.
  expect(unread).toMatchObject({ code: expect.toBeOneOf([0, 5]), left: [] })
  expect(unread?.err).not.toMatch(/EPIPE|could not be written|^ +at /m)
  const lost = expect.stringMatching(/could not be written/)
  expect(full).toMatchObject({ code: expect.toBeOneOf([1, 5]), err: lost, left: [] })
})
