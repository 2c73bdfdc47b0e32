import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const churn = `
const { getHeapSpaceStatistics } = await import('node:v8')
const MiB = 2 ** 20
const size = () => getHeapSpaceStatistics().find((each) => each.space_name === 'new_space').space_size / MiB
let kept = []
const work = () => {
  for (let made = 0; made < 10_000; made++) {
    kept.push({ made, of: [made] })
    if (kept.length > 200_000) kept = kept.slice(150_000)
  }
}
while (size() < 64) work()
if (process.argv[1] === 'bounded') {
  const { boundYoungGeneration } = await import(process.argv[2])
  boundYoungGeneration()
  for (let round = 0; round < 600; round++) work()
} else {
  while (size() <= 64) work()
}
console.log(size())
`
const program = new URL('../../../dist/src/runtime/young-generation.js', import.meta.url).href
const run = async (how: string): Promise<number> => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', churn, how, program])
  return Number(stdout)
}

test('the young generation stays as large as a start makes it', async () => {
  expect(await run('bounded')).toBe(64)
  expect(await run('left alone')).toBeGreaterThan(64)
})
