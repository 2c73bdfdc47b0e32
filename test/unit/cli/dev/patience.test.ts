import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Patience } from '../../../../src/cli/dev/patience.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('patience lasts as long as something moves on, and ends when nothing does', () => {
  using patience = new Patience(60_000)
  for (let step = 0; step < 10; step++) {
    vi.advanceTimersByTime(59_000)
    patience.renew()
  }
  expect(patience.signal.aborted).toBe(false)
  vi.advanceTimersByTime(60_000)
  expect(patience.signal.aborted).toBe(true)
  patience.renew()
  expect(vi.getTimerCount()).toBe(0)
})
