import { describe, expect, test } from 'vitest'
import { type Sleeper, SubscriberScheduler, topics } from '../../../../src/protocols/sync/subscriber-scheduler.ts'

const sleeper = (wants: number): Sleeper => ({ wants, dirty: 0, wake: undefined })
const never = new AbortController().signal

describe('Wakes', () => {
  test('wakes those who want a topic, and nobody else', async () => {
    const wakes = new SubscriberScheduler()
    const log = sleeper(topics.log)
    const records = sleeper(topics.records)
    wakes.add(log)
    wakes.add(records)
    wakes.touch(topics.log)
    await wakes.sleep(log, never)
    expect(records.dirty).toBe(0)
    expect(records.wake).toBeUndefined()
  })

  test('what happens while a subscriber is busy is not lost', async () => {
    const wakes = new SubscriberScheduler()
    const busy = sleeper(topics.log | topics.records)
    const other = sleeper(topics.log)
    wakes.add(busy)
    wakes.add(other)
    wakes.touch(topics.log)
    await wakes.sleep(other, never)
    expect(busy.dirty).toBe(topics.log)
    await wakes.sleep(busy, never)
    expect(busy.dirty).toBe(0)
  })

  test('many events of one interval wake once', async () => {
    const wakes = new SubscriberScheduler()
    const one = sleeper(topics.records)
    wakes.add(one)
    for (let index = 0; index < 1_000; index++) wakes.touch(topics.records)
    await wakes.sleep(one, never)
    expect(one.dirty).toBe(0)
  })

  test('a sleeper whose stream ends stops waiting', async () => {
    const wakes = new SubscriberScheduler()
    const one = sleeper(topics.log)
    const leave = wakes.add(one)
    const controller = new AbortController()
    const slept = wakes.sleep(one, controller.signal)
    controller.abort(new Error('gone'))
    await expect(slept).rejects.toThrow('gone')
    leave()
    expect(wakes.size).toBe(0)
  })
})

describe('ten thousand sleepers', () => {
  test('are all woken, and other work gets its turn in between', async () => {
    const wakes = new SubscriberScheduler()
    const sleepers = Array.from({ length: 10_000 }, () => sleeper(topics.hints))
    for (const each of sleepers) wakes.add(each)
    let turns = 0
    let woken = 0
    const turn = () => {
      turns++
      if (woken < sleepers.length) setImmediate(turn)
    }
    const slept = sleepers.map(async (each) => {
      await wakes.sleep(each, never)
      if (woken++ === 0) setImmediate(turn)
    })
    wakes.touch(topics.hints)
    await Promise.all(slept)
    expect(turns).toBeGreaterThan(100)
  })
})
