import { TypedEventEmitter } from 'main-event'
import { describe, expect, it } from 'vitest'
import { SyncCursors } from '../../../../src/protocols/sync/cursors.ts'
import { RecordPlaces } from '../../../../src/protocols/sync/record-places.ts'
import { type Sleeper, topics } from '../../../../src/protocols/sync/subscriber-scheduler.ts'
import type { ReplicaEvents } from '../../../../src/registry/log/log-events.ts'

const cursor = (change: number) => ({ store: Uint8Array.of(1, 2, 3), change })

describe('progress in the records of registries', () => {
  it('is a copy: the bytes that it was read from may change', () => {
    const cursors = new SyncCursors()
    const given = cursor(5)
    cursors.set('ann', given)
    given.store.fill(9)
    expect(cursors.get('ann')).toEqual(cursor(5))
  })

  it('is kept of 64 registries: of those whose progress is longest ago none is left', () => {
    const cursors = new SyncCursors()
    for (let server = 0; server < 64; server++) cursors.set(`r${server}`, cursor(server))
    cursors.set('r0', cursor(100))
    cursors.set('new', cursor(1))
    expect(['r0', 'r1', 'r2', 'new'].map((server) => cursors.get(server)?.change)).toEqual([100, undefined, 2, 1])
  })

  it('is gone when it is taken back', () => {
    const cursors = new SyncCursors()
    cursors.set('ann', cursor(5))
    cursors.delete('ann')
    expect(cursors.get('ann')).toBeUndefined()
  })

  it.each(['reset', 'lifted'] as const)(
    'is forgotten when the log is %s, also by a stream that began before',
    (type) => {
      const events = new TypedEventEmitter<ReplicaEvents>()
      const cursors = new SyncCursors(events)
      const { generation } = cursors
      cursors.set('ann', cursor(5))
      events.dispatchEvent(new CustomEvent(type))
      expect(cursors.get('ann')).toBeUndefined()
      cursors.set('ann', cursor(6), generation)
      expect(cursors.get('ann')).toBeUndefined()
      cursors.set('ann', cursor(7))
      expect(cursors.get('ann')?.change).toBe(7)
    }
  )
})

describe('places for those who are pushed records', () => {
  const sleeper = () => {
    const made = { peer: 'a', wants: topics.log, dirty: 0, woken: 0, wake: () => made.woken++ }
    return made
  }
  const hasPlace = ({ wants }: Sleeper): boolean => (wants & topics.records) !== 0

  it('are for so many members, the others do without', () => {
    const places = new RecordPlaces(2)
    const all = ['ann', 'bob', 'cid'].map((id) => ({ id, sleeper: sleeper() }))
    for (const each of all) places.take(each.id, each.sleeper)
    expect(all.map((each) => hasPlace(each.sleeper))).toEqual([true, true, false])
    expect(places.size).toBe(2)
  })

  it('of a member are one, and its newest subscription has it', () => {
    const places = new RecordPlaces(1)
    const [older, newer] = [sleeper(), sleeper()]
    places.take('ann', older)
    places.take('ann', newer)
    expect([places.size, hasPlace(older), hasPlace(newer)]).toEqual([1, false, true])
    expect(older.wants).toBe(topics.log)
  })

  it('go back to the subscription before, which is told to look at all records', () => {
    const places = new RecordPlaces(1)
    const [older, newer] = [sleeper(), sleeper()]
    places.take('ann', older)
    places.take('ann', newer)
    places.leave('ann', newer)
    expect([hasPlace(older), older.dirty & topics.records, older.woken]).toEqual([true, topics.records, 1])
    places.leave('ann', older)
    expect(places.size).toBe(0)
    const other = sleeper()
    places.take('bob', other)
    expect(hasPlace(other)).toBe(true)
  })

  it('are not given up by the end of a subscription that has none', () => {
    const places = new RecordPlaces(1)
    const [older, newer] = [sleeper(), sleeper()]
    places.take('ann', older)
    places.take('ann', newer)
    places.leave('ann', older)
    expect([places.size, hasPlace(newer), newer.woken]).toEqual([1, true, 0])
    places.leave('nobody', sleeper())
    expect(places.size).toBe(1)
  })
})
