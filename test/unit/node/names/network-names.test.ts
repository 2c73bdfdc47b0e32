import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ttlAtAge } from '../../../../src/node/names/network-names.ts'

test.each([
  [0, 30],
  [999, 30],
  [1_000, 29],
  [24_000, 6],
  [25_000, 5],
  [86_400_000, 5],
  [undefined, 5],
  // A clock that was set back.
  [-60_000, 30]
])('what was verified %s ms ago is kept for %i s', (ageMs, seconds) => expect(ttlAtAge(ageMs)).toBe(seconds))

test('nodes never ask the resolver themselves: nothing of it is known where members are found and dialled', () => {
  const importing = globSync('src/{node,protocols,dns,registry}/**/*.ts')
    .filter((file) => !file.startsWith('src/node/names/'))
    .filter((file) => /from '[./]+\/names\/[a-z-]+\.ts'/.test(readFileSync(file, 'utf8')))
  // What makes and stops it, and the answer for Prometheus.
  const due = ['components.ts', 'http/parts.ts', 'network-node.ts', 'network-parts.ts'].map(
    (file) => `src/node/${file}`
  )
  expect(importing.toSorted()).toEqual(due)
})
