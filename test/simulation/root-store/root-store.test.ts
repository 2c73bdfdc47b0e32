import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeStage, type Stage } from '../stage.ts'
import { runRootStoreSeed } from './run.ts'

/** Schedules of every test run; `npm run simulate -- --root-store` runs as many as it is told. */
const schedules = 30

let stage: Stage

beforeAll(async () => {
  stage = await makeStage()
})

afterAll(() => stage[Symbol.asyncDispose]())

describe('three that may be the root, over an engine that keeps its log', () => {
  it('have one history with all that was acknowledged, whatever is killed, frozen, cut off, lost, late or repeated', async () => {
    let events = 0
    for (let seed = 1; seed <= schedules; seed++) {
      const { failure, trace } = await runRootStoreSeed(stage, seed)
      events += trace.length
      if (failure === undefined) continue
      throw new Error(`seed ${seed}: npm run simulate -- --root-store --seeds 1 --from ${seed} --trace`, {
        cause: failure
      })
    }
    expect(events).toBeGreaterThan(20 * schedules)
  })

  it('would not have it over an engine that compares nothing (control)', async () => {
    const failed: number[] = []
    for (let seed = 1; seed <= 20; seed++) {
      if ((await runRootStoreSeed(stage, seed, false)).failure !== undefined) failed.push(seed)
    }
    expect(failed.length).toBeGreaterThan(2)
  })

  it('do the same again for the same seed', async () => {
    for (const seed of [1, 7, 13, 30]) {
      const first = await runRootStoreSeed(stage, seed)
      expect((await runRootStoreSeed(stage, seed)).fingerprint).toBe(first.fingerprint)
    }
  })
})
