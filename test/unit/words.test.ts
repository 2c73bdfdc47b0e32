import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Beginnings of doc comments that say neither what the thing is nor what it does: a noun or a verb comes first. */
const riddles = /\/\*\*\s+(?:\* )?(?:Of|What|Whether|So long)\b.*/g

const found = (text: string): string[] => text.match(riddles) ?? []

test('a doc comment of the source begins with a noun or a verb', () => {
  const files = globSync('{src,bin}/**/*.ts').filter((file) => !file.includes('/pb/'))
  expect(files.length).toBeGreaterThan(500)
  expect(files.flatMap((file) => found(readFileSync(file, 'utf8')).map((line) => `${file}: ${line}`))).toEqual([])
})

test.each([
  ['/** What a joiner sends. */', 1],
  ['/**\n * Of an epoch that is not known here.\n */', 1],
  ['/** Request of a joiner.\n * What it lacks is in the invite. */', 0],
  ['/** Offers of members. */', 0],
  ['// What follows is kept.', 0]
])('%j has %i of the other ones', (text, count) => {
  expect(found(text).length).toBe(count)
})
