import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DuplicateInstanceError, NotMemberError } from '../../../../src/runtime/errors.ts'
import { ann, bob, keyNumber, self, World } from '../../../helpers/registry/liveness.ts'

let world: World

beforeEach(() => {
  world = new World()
})

afterEach(() => world[Symbol.dispose]())

describe('a member that holds a lease', () => {
  it('is online from its first word on, and stays it with each heartbeat', () => {
    const lease = world.open(ann)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', own: true, reason: '', source: self })
    world.pass(300, (second) => second % 30 === 0 && lease.beat())
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', sinceAgeMs: 300_000, heardAgeMs: 0 })
    expect(lease.beat()).toEqual({ leaseMs: 90_000, heartbeatMs: 30_000, contested: false })
  })

  it('is late after one missed heartbeat, suspect after two, and offline when its lease has run out', () => {
    world.open(ann)
    const seen = new Map<string, { second: number; reason: string }>()
    world.pass(100, (second) => {
      const { state, reason } = world.liveness.view(ann)
      if (!seen.has(state)) seen.set(state, { second: second - 1, reason })
    })
    expect(Object.fromEntries(seen)).toEqual({
      online: { second: 0, reason: '' },
      late: { second: 38, reason: 'missed 1 heartbeat' },
      suspect: { second: 71, reason: 'missed 2 heartbeats' },
      offline: { second: 90, reason: 'no heartbeat for 90 s' }
    })
    expect(world.liveness.sessions).toBe(0)
  })

  it('is suspect at once when its stream is lost, with the reason, and offline when the lease is gone', () => {
    const lease = world.open(ann)
    world.clock.advance(10)
    lease.lost('stream reset')
    expect(world.liveness.view(ann)).toMatchObject({
      state: 'suspect',
      reason: 'stream reset',
      sinceAgeMs: 0,
      heardAgeMs: 10
    })
    expect(lease.active).toBe(false)
    world.pass(90)
    expect(world.liveness.view(ann)).toMatchObject({
      state: 'offline',
      reason: 'stream reset, then no heartbeat for 90 s'
    })
  })

  it('is suspect after two unanswered pings in a row, and online again with the next answer', () => {
    const lease = world.open(ann)
    lease.probeUnanswered()
    lease.probeAnswered(3)
    lease.probeUnanswered()
    expect(world.stateOf(ann)).toBe('online')
    lease.probeUnanswered()
    expect(world.liveness.view(ann)).toMatchObject({ state: 'suspect', reason: 'no answer to 2 pings' })
    lease.probeAnswered(4)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', rttMs: 4 })
  })

  it('keeps no lease by answering pings alone', () => {
    const lease = world.open(ann)
    world.pass(90, () => lease.probeAnswered(1))
    expect(world.stateOf(ann)).toBe('offline')
  })

  it('has left when it says so, and the end of its stream changes nothing about that', () => {
    const lease = world.open(ann)
    lease.left('restart for\n an update')
    lease.lost()
    world.pass(200)
    expect(world.liveness.view(ann)).toMatchObject({
      state: 'left',
      reason: 'left: restart for an update',
      sinceAgeMs: 200_000
    })
    world.open(ann, 2)
    expect(world.stateOf(ann)).toBe('online')
  })

  it('comes back from offline with a heartbeat, as a process that was frozen does', () => {
    const lease = world.open(ann)
    world.pass(120)
    expect(world.stateOf(ann)).toBe('offline')
    lease.beat()
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', sinceAgeMs: 0 })
    world.pass(120)
    expect(world.stateOf(ann)).toBe('offline')
  })

  it('is not ended by the end of an older stream of the same process', () => {
    const older = world.open(ann)
    const newer = world.open(ann)
    older.lost()
    older.left('nothing')
    expect(world.stateOf(ann)).toBe('online')
    expect([older.active, newer.active]).toEqual([false, true])
    expect(older.beat()).toMatchObject({ contested: false })
  })

  it('tells whom it is connected to, at most 32, and with nobody when it is gone', () => {
    const lease = world.open(ann)
    const many = Array.from({ length: 40 }, (_, index) => keyNumber(100 + index))
    lease.beat({ connected: [bob, bob, Uint8Array.of(1)], rttMs: 12 })
    expect(world.liveness.view(ann)).toMatchObject({
      connected: [bob],
      rttMs: 12,
      connectedSinceMs: [world.clock.now()]
    })
    lease.beat({ connected: many })
    expect(world.liveness.view(ann).connected).toHaveLength(32)
    world.pass(90)
    expect(world.liveness.view(ann).connected).toEqual([])
  })

  it('stays what it is when somebody sets the clock', () => {
    const lease = world.open(ann)
    for (const hours of [24, -24]) {
      world.clock.setWall(world.clock.now() + hours * 3_600_000)
      world.pass(30)
      lease.beat()
    }
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', sinceAgeMs: 60_000 })
  })

  it('must be a member', () => {
    world.restart({ network: { isMember: () => false } })
    expect(() => world.open(ann)).toThrow(NotMemberError)
  })
})

describe('a second instance of a key', () => {
  it('is refused while the first is there, also when that is frozen, and the first is told', () => {
    const first = world.open(ann)
    expect(() => world.open(ann, 2)).toThrow(DuplicateInstanceError)
    expect([first.beat().contested, first.beat().contested]).toEqual([true, false])
    first.probeUnanswered()
    first.probeUnanswered()
    world.pass(89)
    expect(() => world.open(ann, 2)).toThrow(DuplicateInstanceError)
    world.pass(1)
    expect(world.open(ann, 2).active).toBe(true)
    expect(() => first.beat()).toThrow(DuplicateInstanceError)
  })

  it('is let in when the stream of the first is lost or it left: a process that crashed starts again', () => {
    world.open(ann).lost()
    const second = world.open(ann, 2)
    second.left('update')
    expect(world.open(ann, 3).active).toBe(true)
  })
})
