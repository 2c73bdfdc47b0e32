import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Hint } from '../../../../src/registry/liveness/liveness.ts'
import { ann, bob, eve, fay, hint, self, World } from '../../../helpers/registry/liveness.ts'
import { WokenServices } from '../../../helpers/registry/woken-services.ts'

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

  it('count when they stand on the newer record of the member', () => {
    world.names(ann, 7, eve)
    world.liveness.merge(hint({ seq: 7 }))
    expect(world.liveness.merge(hint({ seq: 6, source: fay, state: 'offline' }))).toBe(false)
    world.names(ann, 8, fay)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
    expect(world.liveness.merge(hint({ seq: 8, source: fay, state: 'suspect', reason: 'stream lost' }))).toBe(true)
    expect(world.liveness.merge(hint({ seq: 7, state: 'offline' }))).toBe(false)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'suspect', source: fay, reason: 'stream lost' })
  })

  it('of one source count in the order in which it said them, whenever they come', () => {
    const [first, second, third] = [hint(), hint({ state: 'suspect' }), hint({ state: 'online', sinceMs: 9_000 })]
    world.liveness.merge(third)
    for (const late of [first, second]) expect(world.liveness.merge(late)).toBe(false)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', sinceAgeMs: 9_000 })
    expect(world.liveness.merge(hint({ start: 2, count: 1, state: 'left' }))).toBe(true)
    expect(world.stateOf(ann)).toBe('left')
  })

  it('of whoever is not named are powerless against the one that is, whatever place they claim', () => {
    world.names(ann, 7, eve)
    world.liveness.merge(hint({ seq: 7 }))
    const high = Number.MAX_SAFE_INTEGER
    for (const seq of [7, 8, high]) {
      const forged = hint({ seq, source: fay, start: high, count: high, state: 'offline' })
      expect(world.liveness.merge(forged)).toBe(false)
    }
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
    world.names(ann, 9, bob)
    world.liveness.merge(hint({ seq: 9, source: bob, state: 'suspect' }))
    expect(world.liveness.view(ann)).toMatchObject({ state: 'suspect', source: bob })
  })

  it('of a registry that the record on its way names fill in while the one before is not heard, and count with the record', () => {
    world.names(ann, 7, eve)
    world.liveness.merge(hint({ seq: 7 }))
    const ahead = hint({ seq: 8, source: fay })
    world.liveness.merge(ahead)
    expect(world.liveness.view(ann)).toMatchObject({ source: eve })
    world.liveness.sourceGone(eve, 'its registry is gone')
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: fay })
    const before = world.liveness.lastChange
    expect(world.liveness.hintsAfter(before, 10).hints).toEqual([])
    world.names(ann, 8, fay)
    expect(world.liveness.hintsAfter(before, 10).hints).toMatchObject([{ publicKey: ann, source: fay, seq: 8 }])
  })

  it('never outweigh a session that the member opened here with its newest record', () => {
    world.names(ann, 7, self)
    const lease = world.open(ann)
    world.clock.advance(20_000)
    expect(world.liveness.merge(hint({ seq: 6, state: 'offline' }))).toBe(false)
    expect(world.stateOf(ann)).toBe('online')
    lease.probeUnanswered()
    lease.probeUnanswered()
    expect(world.stateOf(ann)).toBe('suspect')
  })

  it('take over when the member has gone to another registry, whatever is still heard of it here', () => {
    world.names(ann, 7, self)
    const lease = world.open(ann)
    world.names(ann, 8, eve)
    expect(world.stateOf(ann)).toBe('online')
    world.liveness.merge(hint({ seq: 8 }))
    lease.probeAnswered(1)
    lease.lost()
    world.pass(90, () => world.pulse(eve))
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
  })

  it('are overtaken when it comes back', () => {
    world.names(ann, 8, eve)
    world.liveness.merge(hint({ seq: 8, state: 'suspect' }))
    const lease = world.open(ann)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'suspect', source: eve })
    world.names(ann, 9, self)
    lease.beat()
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', own: true })
    const [told] = world.liveness.hintsAfter(world.liveness.lastChange - 1, 10).hints
    expect(told).toMatchObject({ publicKey: ann, source: self, seq: 9 })
  })

  it('are told again with each newer record: of one in between others may go by another word', () => {
    world.names(ann, 7, self)
    const lease = world.open(ann)
    for (const seq of [8, 10]) {
      const before = world.liveness.lastChange
      world.names(ann, seq, self)
      lease.beat()
      lease.beat()
      expect(world.liveness.hintsAfter(before, 10).hints).toMatchObject([{ publicKey: ann, source: self, seq }])
      expect(world.liveness.lastChange).toBe(before + 1)
    }
  })

  it('are told again with the first record that names this registry: without it nobody else could take them', () => {
    const lease = world.open(ann)
    const before = world.liveness.lastChange
    world.names(ann, 1, self)
    lease.beat()
    expect(world.liveness.hintsAfter(before, 10).hints).toMatchObject([{ publicKey: ann, source: self, seq: 1 }])
  })

  it('of a member that is followed do not come through it: what it says to us itself afterwards refutes them', () => {
    world.names(eve, 3, fay)
    world.liveness.hear(hint({ seq: 3, publicKey: eve, source: fay, state: 'suspect', reason: 'no answer' }), fay)
    const itself = { publicKey: eve, source: eve, sinceMs: 60_000, connected: [] }
    world.clock.advance(1_000)
    // Passed on, it may be as old as its carrier says.
    world.liveness.hear(hint(itself), fay)
    expect(world.stateOf(eve)).toBe('suspect')
    world.clock.advance(1_000)
    world.liveness.hear(hint(itself), eve)
    expect(world.liveness.view(eve)).toMatchObject({ state: 'online', source: eve })
    world.pass(5, () => world.pulse(fay))
    expect(world.liveness.view(eve)).toMatchObject({ state: 'suspect', source: fay })
  })

  it('leave a member unknown that moved its lease to a registry which is not heard, until it is', () => {
    world.names(ann, 7, self)
    world.open(ann).released()
    world.pass(4)
    expect(world.stateOf(ann)).toBe('online')
    world.pass(2)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'unknown', own: true })
    world.names(ann, 8, eve)
    world.liveness.merge(hint({ seq: 8 }))
    expect(world.stateOf(ann)).toBe('online')
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
    world.clock.advance(1)
    world.pulse(eve)
    expect(world.stateOf(ann)).toBe('online')
  })

  it('are passed on as they are, though their source is not heard here: whoever gets them judges that for itself', () => {
    world.liveness.merge(hint())
    const before = world.liveness.lastChange
    world.liveness.sourceGone(eve, 'its registry is gone')
    expect(world.stateOf(ann)).toBe('unknown')
    expect(world.liveness.lastChange).toBe(before)
    expect(world.liveness.hintsAfter(before - 1, 10).hints).toMatchObject([{ state: 'online', source: eve }])
  })

  it('do not circle among registries', () => {
    const others = [
      world.serviceOver({ network: { self: eve } }).core,
      world.serviceOver({ network: { self: fay } }).core
    ]
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
    world.restart({ network: { isMember: () => false } })
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
    world.service.start(new WokenServices())
    world.open(ann).lost('power')
    world.open(bob)
    expect(await promise).toMatchObject([
      { publicKey: ann, state: 'suspect', reason: 'power' },
      { publicKey: bob, state: 'online' },
      { publicKey: self, state: 'online' }
    ])
    await world.service.stop()
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
    other.restart({ network: { self: eve } })
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
