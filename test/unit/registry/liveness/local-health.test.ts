import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ann, beatAll, bob, keyNumber, World } from '../../../helpers/registry/liveness.ts'

let world: World

beforeEach(() => {
  world = new World()
})

afterEach(() => world[Symbol.dispose]())

describe('a registry that may be cut off itself', () => {
  it('still sees a real death in a network of two', () => {
    world.open(ann)
    world.pass(90)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'offline', confirmed: true })
  })

  it('calls nobody offline when many fall silent at once, at whatever time each was heard last', () => {
    const leases = world.openAll(1, 40)
    world.pass(30, (second) => beatAll(leases.filter((_, i) => i % 30 === second % 30)))
    world.pass(200)
    expect([world.count('offline'), world.count('suspect')]).toEqual([0, 40])
    expect(world.liveness.view(ann).reason).toContain('this registry may have been cut off itself')
    expect(world.liveness.doubt).toContain('leases run out within 10 s')
    world.pass(100)
    expect(world.count('offline')).toBe(40)
    expect(world.liveness.view(ann)).toMatchObject({ confirmed: false, reason: 'unconfirmed: no heartbeat for 90 s' })
  })

  it('blames nobody who took a lease elsewhere, nor itself when many did so in one moment', () => {
    const leases = world.openAll(1, 40)
    for (const lease of leases.slice(1)) lease.released()
    world.pass(300, (second) => second % 30 === 0 && leases[0]?.beat())
    expect(world.liveness.doubt).toBeUndefined()
    expect([world.liveness.sessions, world.count('unknown'), world.count('online')]).toEqual([1, 39, 2])
  })

  it('judges at once when others answer all the while: half of a network has really died', () => {
    const leases = world.openAll(1, 20)
    const alive = leases.slice(10)
    for (const lease of leases.slice(0, 10)) lease.lost()
    world.pass(91, (second) => {
      if (second % 30 === 0) beatAll(alive)
      else for (const lease of alive) lease.probeAnswered(1)
    })
    expect([world.count('offline'), world.count('online')]).toEqual([10, 11])
    expect(world.liveness.view(ann)).toMatchObject({
      confirmed: true,
      reason: 'stream lost, then no heartbeat for 90 s'
    })
  })

  it('calls those offline whom an operator knows to be gone, and doubts itself no more for the time of a lease', () => {
    world.openAll(1, 20)
    const late = world.openAll(21, 40)
    world.pass(60, (second) => second === 59 && beatAll(late))
    world.pass(60)
    expect([world.count('offline'), world.liveness.heldBack.length]).toEqual([0, 20])
    expect(world.liveness.evict()).toHaveLength(20)
    expect([world.count('offline'), world.liveness.doubt]).toEqual([20, undefined])
    expect(world.liveness.view(ann)).toMatchObject({ confirmed: true, reason: 'no heartbeat for 90 s' })
    world.pass(31)
    expect([world.count('offline'), world.liveness.doubt]).toEqual([40, undefined])
    expect(world.liveness.evict()).toEqual([])
    world.openAll(41, 60)
    world.pass(95)
    expect(world.liveness.doubt).toContain('leases run out within 10 s')
  })

  it('ends the grace after the first one is back, and confirms who was called offline unconfirmed, by the same word', () => {
    world.openAll(1, 20)
    world.pass(280)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'offline', confirmed: false })
    expect(world.liveness.evict()).toHaveLength(20)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'offline', confirmed: true })
    world.openAll(1, 20)
    world.pass(150)
    world.open(bob)
    expect([world.count('offline'), world.liveness.heldBack.length]).toEqual([0, 19])
    world.liveness.evict()
    expect(world.count('offline')).toBe(19)
  })

  it('gives the others the time of a lease when the first one is back', () => {
    world.openAll(1, 20)
    world.pass(150)
    expect(world.count('offline')).toBe(0)
    const back = world.open(ann)
    expect(world.liveness.doubt).toBeUndefined()
    world.pass(60)
    back.beat()
    world.openAll(2, 15)
    expect(world.count('offline')).toBe(0)
    world.pass(31)
    expect(world.liveness.views().filter((view) => view.state === 'offline')).toHaveLength(5)
  })

  it('takes back what it had judged before it doubted', () => {
    const leases = world.openAll(1, 20)
    // Three are within what may happen; the others lapse a little later, too close to be seen coming.
    world.pass(1, () => beatAll(leases.slice(3)))
    world.pass(300)
    expect(world.liveness.views().filter((view) => view.state === 'offline' && view.confirmed)).toEqual([])
  })

  it('blames nobody for the time in which it was stopped itself', () => {
    world.openAll(1, 20)
    world.clock.advance(3_600_000)
    world.liveness.tick()
    expect(world.count('online')).toBe(21)
    world.pass(30)
    expect(world.count('offline')).toBe(0)
  })

  it.each(['before it looks', 'after it looked'])(
    'takes streams that end %s for its own fault when it stood still, for as long as it takes to come back',
    (when) => {
      const [first, second] = world.openAll(1, 2)
      world.clock.advance(5_000)
      if (when === 'after it looked') world.liveness.tick()
      first?.lost()
      second?.lost()
      expect([world.stateOf(ann), world.stateOf(bob)]).toEqual(['online', 'online'])
      world.pass(5)
      world.open(ann)
      world.pass(6)
      expect([world.stateOf(ann), world.stateOf(bob)]).toEqual(['online', 'suspect'])
      expect(world.liveness.view(bob).reason).toBe('stream lost')
    }
  )

  it('blames a member for a stream that ends long after it stood still', () => {
    const lease = world.open(ann)
    world.clock.advance(5_000)
    world.pass(20)
    lease.lost()
    expect(world.stateOf(ann)).toBe('suspect')
  })

  it('calls nobody offline when a third of the leases lapse at once, until one of the others answers', () => {
    const leases = world.openAll(1, 30)
    const others = leases.slice(10)
    world.pass(60)
    beatAll(others)
    world.pass(40)
    expect(world.count('offline')).toBe(0)
    expect(world.liveness.doubt).toContain('leases run out within 10 s')
    others[0]?.beat()
    world.pass(1)
    expect([world.count('offline'), world.liveness.doubt]).toEqual([10, undefined])
  })

  it('waits after a restart for those that it knew, and calls them offline only when it hears somebody', async () => {
    world.openAll(1, 3)
    world.open(keyNumber(4)).left('holiday')
    await world.service.stop()
    world.clock.advance(20_000)
    world.restart()
    expect(world.liveness.view(ann)).toMatchObject({ state: 'unknown', reason: 'not heard since this process started' })
    expect(world.liveness.view(keyNumber(4))).toMatchObject({
      state: 'left',
      reason: 'left: holiday',
      sinceAgeMs: 20_000
    })
    world.pass(120)
    expect([world.count('unknown'), world.count('offline')]).toEqual([3, 0])
    const back = world.open(ann, 9)
    world.pass(91, (second) => second % 30 === 0 && back.beat())
    expect([world.count('unknown'), world.count('offline'), world.count('online')]).toEqual([0, 2, 2])
  })

  it('calls them offline (unconfirmed) when nobody answers for two more leases', async () => {
    world.openAll(1, 2)
    await world.service.stop()
    world.restart()
    world.pass(269)
    expect(world.count('offline')).toBe(0)
    world.pass(2)
    expect(world.liveness.view(bob)).toMatchObject({ state: 'offline', confirmed: false })
    world.liveness.selfProof()
    world.pass(91)
    expect(world.liveness.view(bob)).toMatchObject({ state: 'offline', confirmed: true })
  })
})
