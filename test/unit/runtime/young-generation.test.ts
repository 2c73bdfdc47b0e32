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
const stream = `
const { PerformanceObserver, constants } = await import('node:perf_hooks')
const { countBuffer } = await import(process.argv[2])
let full = 0
const count = (entries) => {
  full += entries.filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length
}
const observer = new PerformanceObserver((list) => count(list.getEntries()))
observer.observe({ entryTypes: ['gc'] })
const held = []
for (let made = 0; made < 16_000; made++) {
  held[made % 8] = Buffer.allocUnsafeSlow(65_536)
  if (process.argv[1] === 'counted') countBuffer(65_536)
  if (made % 16 === 0) await new Promise(setImmediate)
}
count(observer.takeRecords())
console.log(JSON.stringify({ full, gc: typeof globalThis.gc }))
`
const program = new URL('../../../dist/src/runtime/young-generation.js', import.meta.url).href
const run = async (source: string, how: string): Promise<unknown> => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source, how, program])
  return JSON.parse(stdout)
}

test('the young generation stays as large as a start makes it', async () => {
  expect(await run(churn, 'bounded')).toBe(64)
  expect(await run(churn, 'left alone')).toBeGreaterThan(64)
})

test('a stream of buffers needs hardly any full collection, and programs are given no way to ask for one', async () => {
  const [counted, alone] = [await run(stream, 'counted'), await run(stream, 'left alone')]
  expect([counted, alone]).toMatchObject([{ gc: 'undefined' }, { gc: 'undefined' }])
  // Those that are over are freed by another thread, which may be late on a busy machine.
  expect(counted).toHaveProperty(
    'full',
    expect.toSatisfy((count: number) => count <= 3)
  )
  expect(alone).toHaveProperty(
    'full',
    expect.toSatisfy((count: number) => count > 3)
  )
})
