import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { type Sleeper, SubscriberScheduler, topics } from '../../../../src/protocols/sync/subscriber-scheduler.ts'
import { inBackground } from '../../../../src/runtime/background.ts'

const sleeper = (wants: number, peer = 'a'): Sleeper => ({ peer, wants, dirty: 0, wake: undefined })
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

describe('telling one peer', () => {
  test('wakes its sleepers at once, those who have not slept yet too, and nobody else', async () => {
    const wakes = new SubscriberScheduler()
    const [one, busy, other] = [sleeper(topics.log), sleeper(topics.log), sleeper(topics.log, 'b')]
    for (const each of [one, busy, other]) wakes.add(each)
    const woken = wakes.sleep(one, never)
    const told = vi.fn<() => void>()
    const telling = wakes.tell('a').then(told)
    expect(await woken).toBe(topics.log)
    inBackground(wakes.sleep(one, never), 'sleeping')
    await nextTurn()
    expect([told.mock.calls.length, other.dirty]).toEqual([0, 0])
    expect(await wakes.sleep(busy, never)).toBe(topics.log)
    inBackground(wakes.sleep(busy, never), 'sleeping')
    await telling
  })

  test('ends with the stream of a peer that does not read', async () => {
    const wakes = new SubscriberScheduler()
    const leave = wakes.add(sleeper(topics.log))
    const told = wakes.tell('a')
    leave()
    await told
    await wakes.tell('nobody')
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
