import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Lines of all TypeScript files of a folder, without those that a generator wrote. */
const linesIn = (folder: string): number =>
  globSync(`${folder}/**/*.ts`)
    .filter((file) => !file.includes('/pb/'))
    .reduce((sum, file) => sum + readFileSync(file, 'utf8').split('\n').length, 0)

/** Least lines of unit tests for each line of source. Raise it where tests were added; 1 is the aim. */
test.each([
  ['registry', 0.79],
  ['protocols', 0.84]
])('unit tests of src/%s do not fall behind their source', (folder, least) => {
  expect(linesIn(`test/unit/${folder}`) / linesIn(`src/${folder}`)).toBeGreaterThanOrEqual(least)
})
