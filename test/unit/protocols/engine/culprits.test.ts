import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Culprits } from '../../../../src/protocols/engine/culprits.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { FakeClock } from '../../../helpers/observations.ts'

const clock = new FakeClock()
let named: string[] = []
let culprits = new Culprits()

beforeEach(() => {
  vi.useFakeTimers()
  named = []
  const warn = (fields: object) => named.push(`${Reflect.get(fields, 'peer')} ${Reflect.get(fields, 'count')}`)
  culprits = new Culprits({ clock, logger: { ...silentLogger, warn } })
})
afterEach(() => vi.useRealTimers())

const pass = async (ms: number): Promise<void> => {
  clock.advance(ms)
  await vi.advanceTimersByTimeAsync(ms)
}

test('names whoever exceeds a limit at once, and once a minute', async () => {
  for (let times = 0; times < 5; times++) culprits.exceeded('a.b', { peer: 'eve' })
  expect(named).toEqual(['eve 1'])
  await pass(60_000)
  culprits.exceeded('a.b', { peer: 'eve' })
  expect(named).toEqual(['eve 1', 'eve 5'])
})

test('names those who find no room in the log as soon as there is some', async () => {
  const peers = Array.from({ length: 10 }, (_, limit) => Array.from({ length: 20 }, (_each, peer) => ({ limit, peer })))
  for (const { limit, peer } of peers.flat()) culprits.exceeded(`a.${limit}`, { peer: `${limit}/${peer}` })
  expect(named).toHaveLength(120)
  for (let seconds = 0; seconds < 60; seconds++) await pass(1_000)
  expect(new Set(named).size).toBe(200)
})

test('names one of each limit after the other: many at some hide nobody at another', async () => {
  const noise = (): void => {
    for (let limit = 0; limit < 4; limit++)
      for (let peer = 0; peer < 100; peer++) culprits.exceeded(`noise.${limit}`, { peer: `${limit}/${peer}` })
  }
  noise()
  expect(named).toHaveLength(120)
  culprits.exceeded('a.b', { peer: 'eve' })
  // A line each half a second.
  for (let tenths = 0; tenths < 50; tenths++) {
    noise()
    await pass(100)
  }
  expect(named.length).toBeLessThan(140)
  expect(named).toContain('eve 1')
})

test('excuses what happens to anybody now and then', () => {
  for (let times = 0; times < 4; times++) culprits.repeated('a.slow', { count: 2, perMs: 60_000 }, { peer: 'eve' })
  culprits.repeated('a.slow', { count: 2, perMs: 60_000 }, { peer: 'bob' })
  expect(culprits.counts).toMatchObject([{ limit: 'a.slow', count: 2, culprits: [{ who: 'eve' }] }])
})
