import { afterEach, beforeEach, expect, it } from 'vitest'
import { DuplicateInstanceError } from '../../../../src/runtime/errors.ts'
import { ann, bob, instanceOf, World } from '../../../helpers/registry/liveness.ts'

let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world[Symbol.dispose]())

/** All that a session can say of its member but a heartbeat. */
const words = ['probeAnswered', 'probeUnanswered', 'lost', 'left', 'released'] as const
const say = (lease: ReturnType<World['open']>, word: (typeof words)[number]): void => {
  if (word === 'probeAnswered') lease.probeAnswered(1)
  else if (word === 'left') lease.left('bye')
  else lease[word]()
}

it.each(words)('%s of a session that another one of the same process took over is ignored', (word) => {
  const older = world.open(ann)
  world.clock.advance(1_000)
  const newer = world.open(ann)
  say(older, word)
  say(older, word)
  world.pass(8)
  expect(world.stateOf(ann)).toBe('online')
  expect([older.active, newer.active]).toEqual([false, true])
})

it.each(words)('%s of a member that has left changes nothing about its goodbye', (word) => {
  const lease = world.open(ann)
  lease.left('going home')
  say(lease, word)
  world.pass(100)
  expect(world.liveness.view(ann)).toMatchObject({ state: 'left', reason: 'left: going home' })
  expect(lease.active).toBe(false)
})

it.each(words)('%s of a session whose lease has run out calls nobody back', (word) => {
  const lease = world.open(ann)
  world.pass(91)
  expect(world.stateOf(ann)).toBe('offline')
  say(lease, word)
  expect(world.stateOf(ann)).toBe(word === 'left' ? 'left' : 'offline')
  expect(world.liveness.sessions).toBe(0)
})

it('a heartbeat calls one back whose lease has run out, and brings its connections along', () => {
  const lease = world.open(ann)
  lease.beat({ connected: [bob] })
  world.pass(91)
  expect(world.stateOf(ann)).toBe('offline')
  expect(lease.beat({ connected: [bob], rttMs: 3 })).toMatchObject({ contested: false })
  expect(world.liveness.view(ann)).toMatchObject({ state: 'online', rttMs: 3 })
  expect(world.liveness.sessions).toBe(1)
})

it('a heartbeat of an instance that another one has replaced is refused, and tells nothing', () => {
  const first = world.open(ann, 1)
  first.lost()
  world.open(ann, 2)
  expect(() => first.beat()).toThrow(DuplicateInstanceError)
  first.lost('a second time')
  expect(world.stateOf(ann)).toBe('online')
})

it('the first of two instances is told once with its next heartbeat that a second one wanted the lease', () => {
  const first = world.open(ann, 1)
  for (let tries = 0; tries < 3; tries++) {
    expect(() => world.liveness.open(ann, instanceOf(2))).toThrow('a cloned machine needs a key of its own')
  }
  expect([first.beat().contested, first.beat().contested]).toEqual([true, false])
})

it('one that took its lease elsewhere stands as it was for 5 s, and then nobody here knows', () => {
  const lease = world.open(ann)
  lease.released()
  world.pass(4)
  expect(world.stateOf(ann)).toBe('online')
  world.pass(3)
  expect(world.stateOf(ann)).toBe('unknown')
  expect(world.liveness.sessions).toBe(0)
  // Another instance of it needs not wait for the lease that is not used any more.
  expect(world.open(ann, 2).active).toBe(true)
})

it('a lease whose membership has ended holds nothing, and its session says nothing more', () => {
  const lease = world.open(ann)
  world.liveness.forget(ann)
  expect([world.liveness.sessions, world.stateOf(ann)]).toEqual([0, 'unknown'])
  lease.lost()
  lease.beat()
  world.pass(2)
  expect([world.liveness.sessions, world.stateOf(ann), lease.active]).toEqual([0, 'unknown', false])
})
