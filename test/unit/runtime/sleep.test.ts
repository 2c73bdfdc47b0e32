import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { longestTimerMs, sleep } from '../../../src/runtime/sleep.ts'

it.each([longestTimerMs, longestTimerMs + 1, 30 * 86_400_000, 400 * 86_400_000])(
  'a sleep of %i ms lasts, and ends with its signal',
  async (ms) => {
    const ended = new AbortController()
    const sleeping = sleep(ms, ended.signal)
    sleeping.catch(() => {})
    // A timer that is too long ends after a millisecond.
    expect(await Promise.race([sleeping.then(() => 'over'), setTimeout(50, 'lasts')])).toBe('lasts')
    ended.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
  }
)

it('a short one ends by itself', async () => {
  await sleep(0)
  await sleep(1)
})
