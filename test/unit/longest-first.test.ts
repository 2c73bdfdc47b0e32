import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { longest } from '../helpers/longest-first.ts'

test('the files that begin first are there', () => {
  expect(longest.filter((name) => !existsSync(`test/${name}.test.ts`))).toEqual([])
})
