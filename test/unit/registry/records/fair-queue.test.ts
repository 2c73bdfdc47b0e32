import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairQueue } from '../../../../src/registry/records/fair-queue.ts'

/** Work that ends when it is told to, and the order in which it began. */
function jobs(turns: FairQueue) {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const ask = (asker: string, name: string): Promise<void> =>
    turns.run(asker, async () => {
      begun.push(name)
      await new Promise<void>((resolve) => ends.push(resolve))
    })
  return { begun, ask, endOne: () => ends.shift()?.() }
}

describe('turns', () => {
  it('let one who asks for little pass one who asks for much', async () => {
    const { begun, ask, endOne } = jobs(new FairQueue(1))
    const busy = [1, 2, 3, 4].map((number) => ask('busy', `busy ${number}`))
    const quiet = ask('quiet', 'quiet')
    while (begun.length < 5) {
      endOne()
      await Promise.resolve()
    }
    endOne()
    await Promise.all([...busy, quiet])
    expect(begun).toEqual(['busy 1', 'busy 2', 'quiet', 'busy 3', 'busy 4'])
  })

  it('go on after work that fails', async () => {
    const turns = new FairQueue(1)
    const failing = turns.run('a', async () => {
      await Promise.resolve()
      throw new Error('no')
    })
    const next = turns.run('b', async () => 'done')
    await expect(failing).rejects.toThrow('no')
    expect(await next).toBe('done')
  })

  it('are never more at once than may be, keep the order of each asker, and all come', async () => {
    const anyAskers = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), anyAskers, fc.integer({ min: 1, max: 4 }), async (scheduler, askers, atOnce) => {
        const turns = new FairQueue(atOnce)
        const begun: { asker: string; number: number }[] = []
        let running = 0
        let most = 0
        const all = askers.map((asker, number) =>
          turns.run(asker, async () => {
            begun.push({ asker, number })
            most = Math.max(most, ++running)
            await scheduler.schedule(Promise.resolve())
            running--
          })
        )
        await scheduler.waitFor(Promise.all(all))
        expect(begun).toHaveLength(askers.length)
        expect(most).toBe(Math.min(atOnce, askers.length))
        for (const asker of ['a', 'b', 'c']) {
          const own = begun.filter((each) => each.asker === asker).map(({ number }) => number)
          expect(own).toEqual(own.toSorted((x, y) => x - y))
        }
      })
    )
  })
})
