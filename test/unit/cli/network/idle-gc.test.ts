import { getHeapStatistics } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { IdleGc } from '../../../../src/cli/network/idle-gc.ts'

const mebibyte = 1024 * 1024
const held = (): number => getHeapStatistics().total_heap_size

/** Leaves so much garbage behind. */
function burst(mebibytes: number): void {
  const rows: number[][] = []
  for (let row = 0; row < mebibytes * 128; row++) rows.push(Array.from({ length: 1024 }, () => row + 0.5))
}

/** Looks at a process that has used this share of a core since the last look. */
function observed(share: number) {
  let [cpuUs, nowUs] = [0, 0]
  const spare = new IdleGc({ cpuUs: () => cpuUs, nowUs: () => nowUs })
  return (): Promise<boolean> => {
    nowUs += 1_000_000
    cpuUs += share * 1_000_000
    return spare.look()
  }
}

describe('memory that a burst left behind', () => {
  it('goes back to the system when the process is idle, and once only', async () => {
    const look = observed(0.01)
    burst(64)
    const before = held()
    expect([await look(), await look(), await look()]).toEqual([false, true, false])
    expect(before - held()).toBeGreaterThan(16 * mebibyte)
    burst(64)
    expect(await look()).toBe(true)
  })

  it('is left to V8 while the process is busy', async () => {
    const look = observed(0.5)
    burst(64)
    expect([await look(), await look()]).toEqual([false, false])
  })
})
