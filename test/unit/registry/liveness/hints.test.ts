import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Hint } from '../../../../src/registry/liveness/liveness.ts'
import { ann, bob, eve, fay, hint, self, World } from '../../../helpers/liveness.ts'

let world: World

beforeEach(() => {
  world = new World()
})

afterEach(() => world[Symbol.dispose]())

describe('hints', () => {
  it('show what another registry observes, with its source and its age', () => {
    expect(world.liveness.merge(hint({ heardMs: 7_000, sinceMs: 60_000 }))).toBe(true)
    expect(world.liveness.view(ann)).toMatchObject({
      state: 'online',
      own: false,
      source: eve,
      heardAgeMs: 7_000,
      sinceAgeMs: 60_000,
      rttMs: 5,
      connected: [bob]
    })
  })

  it('count when their source heard the member last', () => {
    world.liveness.merge(hint({ heardMs: 5_000 }))
    expect(world.liveness.merge(hint({ source: fay, heardMs: 9_000, state: 'offline' }))).toBe(false)
    expect(world.liveness.merge(hint({ source: fay, heardMs: 1_000, state: 'suspect', reason: 'stream lost' }))).toBe(
      true
    )
    expect(world.liveness.view(ann)).toMatchObject({ state: 'suspect', source: fay, reason: 'stream lost' })
  })

  it('of one source follow each other by when the state began', () => {
    world.liveness.merge(hint({ state: 'suspect', heardMs: 1_000, sinceMs: 500 }))
    expect(world.liveness.merge(hint({ state: 'online', heardMs: 990, sinceMs: 9_000 }))).toBe(false)
    world.clock.advance(1_000)
    expect(world.liveness.merge(hint({ state: 'online', heardMs: 0, sinceMs: 0 }))).toBe(true)
    expect(world.stateOf(ann)).toBe('online')
  })

  it('of one source count in the order in which it says them itself, however long they travelled', () => {
    const firstHand = { firstHand: true }
    // A goodbye that was on its way for a second, then the return that came before it arrived.
    world.liveness.merge(hint({ state: 'left', heardMs: 0, sinceMs: 0 }), firstHand)
    const back = hint({ state: 'online', heardMs: 0, sinceMs: 700 })
    expect(world.liveness.merge(back)).toBe(false)
    expect(world.liveness.merge(back, firstHand)).toBe(true)
    expect(world.stateOf(ann)).toBe('online')
  })

  it('never outweigh a session that lives here, which tells again instead', () => {
    const lease = world.open(ann)
    const before = world.liveness.lastChange
    world.clock.advance(20_000)
    expect(world.liveness.merge(hint({ state: 'offline', heardMs: 0 }))).toBe(false)
    expect(world.stateOf(ann)).toBe('online')
    lease.probeAnswered(1)
    expect(world.liveness.hintsAfter(before, 10).hints).toMatchObject([
      { publicKey: ann, state: 'online', source: self, heardMs: 0 }
    ])
  })

  it('take over when the member has gone to another registry', () => {
    world.open(ann).lost()
    world.clock.advance(1_000)
    world.liveness.merge(hint())
    world.pass(90)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
  })

  it('take over also when what the member had sent here before was read after it had gone', () => {
    const lease = world.open(ann)
    world.clock.advance(1_000)
    world.liveness.merge(hint({ heardMs: 0, sinceMs: 0 }))
    world.clock.advance(200)
    lease.probeAnswered(1)
    lease.lost()
    expect(world.stateOf(ann)).toBe('suspect')
    // Its registry hears that it is doubted, and says so when it hears it next.
    world.clock.advance(1_000)
    expect(world.liveness.merge(hint({ heardMs: 0, sinceMs: 1_200 }))).toBe(true)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
  })

  it('take over from a lease that was moved, but not while nobody knows what they say', () => {
    const lease = world.open(ann)
    world.liveness.merge(hint({ heardMs: 0 }))
    world.liveness.sourceGone(eve, 'its registry is gone')
    lease.released()
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', own: true })
    world.liveness.merge(hint({ heardMs: 0, sinceMs: 0 }))
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
  })

  it('leave a member unknown that had gone to a registry which is not heard any more', () => {
    const lease = world.open(ann)
    lease.released()
    world.clock.advance(100)
    world.liveness.merge(hint({ heardMs: 0, sinceMs: 0 }))
    world.clock.advance(1_000)
    world.liveness.sourceGone(eve, 'its registry is gone')
    expect(world.liveness.view(ann)).toMatchObject({ state: 'unknown', source: eve })
  })

  it('turn into unknown since when their source is gone, and back when it returns', () => {
    world.liveness.merge(hint())
    world.liveness.merge(hint({ publicKey: bob, state: 'left', reason: 'left: update' }))
    world.clock.advance(5_000)
    world.liveness.sourceGone(eve, 'its registry is gone')
    expect(world.liveness.view(ann)).toMatchObject({
      state: 'unknown',
      sinceAgeMs: 0,
      heardAgeMs: 5_000,
      reason: 'its registry is gone'
    })
    expect(world.stateOf(bob)).toBe('left')
    expect(world.liveness.merge(hint({ heardMs: 5_000, sinceMs: 5_000 }))).toBe(true)
    expect(world.stateOf(ann)).toBe('online')
  })

  it('turn into unknown since when their source is seen to be offline', () => {
    world.open(eve)
    world.liveness.merge(hint())
    world.pass(90)
    expect([world.stateOf(eve), world.stateOf(ann)]).toEqual(['offline', 'unknown'])
  })

  it('that a source is gone are not believed while it answers here', () => {
    world.liveness.sourceUp(eve)
    world.liveness.merge(hint())
    const before = world.liveness.lastChange
    world.clock.advance(2_000)
    expect(world.liveness.merge(hint({ state: 'unknown', heardMs: 2_000, sinceMs: 0 }))).toBe(false)
    expect(world.stateOf(ann)).toBe('online')
    expect(world.liveness.hintsAfter(before, 10).hints).toMatchObject([{ state: 'online', source: eve }])
  })

  it('do not circle among registries', () => {
    const others = [world.livenessOver({ self: eve }), world.livenessOver({ self: fay })]
    const all = [world.liveness, ...others]
    world.open(ann)
    world.open(bob).lost()
    const told = all.map(() => 0)
    let rounds = 0
    for (let isNew = true; isNew && rounds < 20; rounds++) {
      isNew = false
      for (const [index, from] of all.entries()) {
        const page = from.hintsAfter(told[index] ?? 0, 100)
        isNew ||= page.hints.length > 0
        told[index] = page.change
        // Each hop takes time, by which the age in the hint is too small.
        world.clock.advance(40)
        for (const to of all) if (to !== from) for (const each of page.hints) to.merge(each)
      }
    }
    expect(rounds).toBeLessThan(4)
    for (const each of all) {
      expect(each.view(ann)).toMatchObject({ state: 'online', source: self })
      expect(each.view(bob)).toMatchObject({ state: 'suspect', source: self })
    }
  })

  it('are bounded and cleaned, whatever they hold', () => {
    world.liveness.merge(hint({ heardMs: -1, sinceMs: Number.NaN, reason: `\u001b[31m${'x'.repeat(500)}`, rttMs: -1 }))
    const { reason, heardAgeMs, rttMs } = world.liveness.view(ann)
    expect(reason).toHaveLength(120)
    expect(reason.startsWith('[31mx')).toBe(true)
    expect([heardAgeMs, rttMs]).toEqual([0, undefined])
    world.restart({ isMember: () => false })
    expect(world.liveness.merge(hint())).toBe(false)
    expect(world.liveness.merge(hint({ publicKey: self, state: 'offline' }))).toBe(false)
    expect(world.liveness.views()).toHaveLength(1)
  })
})

describe('changes', () => {
  it('are shown once each, at their newest, to a reader at any position', () => {
    const leases = world.openAll(1, 3)
    expect(world.liveness.hintsAfter(0, 2)).toMatchObject({
      hints: [{ publicKey: self }, { publicKey: ann }],
      change: 2
    })
    leases[0]?.lost()
    leases[0]?.left('now')
    const page = world.liveness.hintsAfter(3, 10)
    expect(page.hints.map((each) => [each.publicKey[3], each.state])).toEqual([
      [3, 'online'],
      [1, 'left']
    ])
    expect(world.liveness.hintsAfter(page.change, 10).hints).toEqual([])
  })

  it('of connections alone are told at most once a minute', () => {
    const lease = world.open(ann)
    const before = world.liveness.lastChange
    lease.beat({ connected: [bob] })
    expect(world.liveness.hintsAfter(before, 10).hints).toEqual([])
    world.pass(60)
    lease.beat({ connected: [bob] })
    const { hints } = world.liveness.hintsAfter(before, 10)
    expect(hints).toMatchObject([{ publicKey: self }, { publicKey: ann, connected: [bob] }])
  })

  it('come coalesced while it is started', async () => {
    const { promise, resolve } = Promise.withResolvers<Hint[]>()
    world.restart({ onHints: resolve, timings: { hintDelayMs: 1 } })
    world.liveness.start()
    world.open(ann).lost('power')
    world.open(bob)
    expect(await promise).toMatchObject([
      { publicKey: ann, state: 'suspect', reason: 'power' },
      { publicKey: bob, state: 'online' },
      { publicKey: self, state: 'online' }
    ])
    await world.liveness.stop()
  })
})

describe('a registry that goes', () => {
  it('is seen to have left, and those it spoke for are unknown, not suspect', () => {
    using other = new World()
    const lease = world.open(ann)
    const deliver = () => {
      for (const each of world.liveness.hintsAfter(0, 10).hints) other.liveness.merge({ ...each })
    }
    const seen = () => [self, ann].map((key) => other.liveness.view(key).state)
    other.restart({ self: eve })
    deliver()
    expect(seen()).toEqual(['online', 'online'])
    world.clock.advance(1_000)
    other.clock.advance(1_000)
    world.liveness.leaving('update')
    lease.lost()
    deliver()
    expect(seen()).toEqual(['left', 'unknown'])
    expect(other.liveness.view(self).reason).toBe('left: update')
    expect(other.liveness.view(ann).reason).toBe('the registry that spoke for it left')
    other.clock.advance(1_000)
    world.restart()
    deliver()
    expect(seen()).toEqual(['online', 'unknown'])
  })
})
