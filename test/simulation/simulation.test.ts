import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSeed } from './run.ts'
import { makeStage, type Stage } from './stage.ts'

/** Schedules of every test run; `npm run simulate` runs as many as it is told. */
const schedules = 60

let stage: Stage

beforeAll(async () => {
  stage = await makeStage()
})

afterAll(() => stage[Symbol.asyncDispose]())

describe('a network of simulated machines', () => {
  it('keeps what it promised through crashes, partitions, lost and late messages, wrong clocks and new epochs', async () => {
    let events = 0
    for (let seed = 1; seed <= schedules; seed++) {
      const { failure, trace } = await runSeed(stage, seed)
      events += trace.length
      if (failure === undefined) continue
      throw new Error(`seed ${seed}: npm run simulate -- --seeds 1 --from ${seed} --trace`, { cause: failure })
    }
    // A schedule in which nothing happens proves nothing.
    expect(events).toBeGreaterThan(20 * schedules)
  })

  it('does the same again for the same seed', async () => {
    for (const seed of [1, 7, 13, 30, 33, 44, 77, 90]) {
      const first = await runSeed(stage, seed)
      const second = await runSeed(stage, seed)
      expect(second.fingerprint).toBe(first.fingerprint)
    }
  })
})
