import { describe, expect, test } from 'vitest'
import { RecordPlaces } from '../../../../src/protocols/sync/record-places.ts'
import { type Sleeper, topics } from '../../../../src/protocols/sync/subscriber-scheduler.ts'

const sleeper = (): Sleeper => ({ peer: 'a', wants: topics.log | topics.hints, dirty: 0, wake: undefined })
const isPushed = ({ wants }: Sleeper): boolean => (wants & topics.records) !== 0

describe('RecordPlaces', () => {
  test('are taken while there are some', () => {
    const places = new RecordPlaces(1)
    const [first, second] = [sleeper(), sleeper()]
    places.take('ann', first)
    places.take('bob', second)
    expect([first, second].map(isPushed)).toEqual([true, false])
    places.leave('bob', second)
    places.leave('ann', first)
    expect(places.size).toBe(0)
    places.take('bob', second)
    expect(isPushed(second)).toBe(true)
  })

  test('are one for each member, with the newest of its subscriptions', () => {
    const places = new RecordPlaces(1)
    const [first, second] = [sleeper(), sleeper()]
    places.take('ann', first)
    places.take('ann', second)
    expect([first, second].map(isPushed)).toEqual([false, true])
    expect(places.size).toBe(1)
    places.leave('ann', first)
    expect(isPushed(second)).toBe(true)
    expect(places.size).toBe(1)
  })

  test('go back to the subscription before, which is told what it missed', () => {
    const places = new RecordPlaces(1)
    const [first, second] = [sleeper(), sleeper()]
    places.take('ann', first)
    places.take('ann', second)
    let woken = 0
    first.wake = () => woken++
    places.leave('ann', second)
    expect(first).toMatchObject({ wants: topics.log | topics.hints | topics.records, dirty: topics.records })
    expect({ woken, size: places.size }).toEqual({ woken: 1, size: 1 })
  })
})
