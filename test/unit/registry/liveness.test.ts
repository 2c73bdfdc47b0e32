import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DuplicateInstanceError, NotMemberError } from '../../../src/registry/errors.ts'
import { type Hint, type Lease, Liveness, type LivenessInit } from '../../../src/registry/liveness.ts'
import { silentLogger } from '../../../src/registry/ports.ts'
import { FakeClock, openTestStore, type TestStore } from '../../helpers/observations.ts'

const keyNumber = (number: number): Uint8Array => {
  const key = new Uint8Array(32).fill(7)
  new DataView(key.buffer).setUint32(0, number)
  return key
}
const self = keyNumber(0)
const instanceOf = (number: number): Uint8Array => new Uint8Array(16).fill(number)
const [ann, bob] = [keyNumber(1), keyNumber(2)]

let store: TestStore
let clock: FakeClock
let liveness: Liveness

const livenessOver = (init: Partial<LivenessInit> = {}): Liveness =>
  new Liveness({
    self,
    clock,
    logger: silentLogger,
    isMember: () => true,
    table: store.nodes,
    write: store.write,
    ...init
  })

beforeEach(() => {
  store = openTestStore()
  clock = new FakeClock()
  liveness = livenessOver()
})

afterEach(() => store[Symbol.dispose]())

/** Time passes second by second, as the timer would have it; `each` stands for what members do meanwhile. */
const pass = (seconds: number, each: (second: number) => void = () => {}): void => {
  for (let second = 1; second <= seconds; second++) {
    clock.advance(1_000)
    each(second)
    liveness.tick()
  }
}

const stateOf = (key: Uint8Array): string => liveness.view(key).state
const openAll = (from: number, to: number): Lease[] => {
  const leases: Lease[] = []
  for (let number = from; number <= to; number++) leases.push(liveness.open(keyNumber(number), instanceOf(1)))
  return leases
}
const beatAll = (leases: readonly Lease[]): void => {
  for (const lease of leases) lease.beat()
}
const count = (state: string): number => liveness.views().filter((view) => view.state === state).length

describe('a member that holds a lease', () => {
  it('is online from its first word on, and stays it with each heartbeat', () => {
    const lease = liveness.open(ann, instanceOf(1))
    expect(liveness.view(ann)).toMatchObject({ state: 'online', own: true, reason: '', source: self })
    pass(300, (second) => second % 30 === 0 && lease.beat())
    expect(liveness.view(ann)).toMatchObject({ state: 'online', sinceAgeMs: 300_000, heardAgeMs: 0 })
    expect(lease.beat()).toEqual({ leaseMs: 90_000, heartbeatMs: 30_000, contested: false })
  })

  it('is late after one missed heartbeat, suspect after two, and offline when its lease has run out', () => {
    liveness.open(ann, instanceOf(1))
    const seen = new Map<string, { second: number; reason: string }>()
    pass(100, (second) => {
      const { state, reason } = liveness.view(ann)
      if (!seen.has(state)) seen.set(state, { second: second - 1, reason })
    })
    expect(Object.fromEntries(seen)).toEqual({
      online: { second: 0, reason: '' },
      late: { second: 38, reason: 'missed 1 heartbeat' },
      suspect: { second: 71, reason: 'missed 2 heartbeats' },
      offline: { second: 90, reason: 'no heartbeat for 90 s' }
    })
    expect(liveness.sessions).toBe(0)
  })

  it('is suspect at once when its stream is lost, with the reason, and offline when the lease is gone', () => {
    const lease = liveness.open(ann, instanceOf(1))
    clock.advance(10)
    lease.lost('stream reset')
    expect(liveness.view(ann)).toMatchObject({
      state: 'suspect',
      reason: 'stream reset',
      sinceAgeMs: 0,
      heardAgeMs: 10
    })
    expect(lease.active).toBe(false)
    pass(90)
    expect(liveness.view(ann)).toMatchObject({ state: 'offline', reason: 'stream reset, then no heartbeat for 90 s' })
  })

  it('is suspect after two unanswered pings in a row, and online again with the next answer', () => {
    const lease = liveness.open(ann, instanceOf(1))
    lease.probeUnanswered()
    lease.probeAnswered(3)
    lease.probeUnanswered()
    expect(stateOf(ann)).toBe('online')
    lease.probeUnanswered()
    expect(liveness.view(ann)).toMatchObject({ state: 'suspect', reason: 'no answer to 2 pings' })
    lease.probeAnswered(4)
    expect(liveness.view(ann)).toMatchObject({ state: 'online', rttMs: 4 })
  })

  it('keeps no lease by answering pings alone', () => {
    const lease = liveness.open(ann, instanceOf(1))
    pass(90, () => lease.probeAnswered(1))
    expect(stateOf(ann)).toBe('offline')
  })

  it('has left when it says so, and the end of its stream changes nothing about that', () => {
    const lease = liveness.open(ann, instanceOf(1))
    lease.left('restart for\n an update')
    lease.lost()
    pass(200)
    expect(liveness.view(ann)).toMatchObject({
      state: 'left',
      reason: 'left: restart for an update',
      sinceAgeMs: 200_000
    })
    liveness.open(ann, instanceOf(2))
    expect(stateOf(ann)).toBe('online')
  })

  it('comes back from offline with a heartbeat, as a process that was frozen does', () => {
    const lease = liveness.open(ann, instanceOf(1))
    pass(120)
    expect(stateOf(ann)).toBe('offline')
    lease.beat()
    expect(liveness.view(ann)).toMatchObject({ state: 'online', sinceAgeMs: 0 })
    pass(120)
    expect(stateOf(ann)).toBe('offline')
  })

  it('is not ended by the end of an older stream of the same process', () => {
    const older = liveness.open(ann, instanceOf(1))
    const newer = liveness.open(ann, instanceOf(1))
    older.lost()
    older.left('nothing')
    expect(stateOf(ann)).toBe('online')
    expect([older.active, newer.active]).toEqual([false, true])
    expect(older.beat()).toMatchObject({ contested: false })
  })

  it('tells whom it is connected to, at most 32, and with nobody when it is gone', () => {
    const lease = liveness.open(ann, instanceOf(1))
    const many = Array.from({ length: 40 }, (_, index) => keyNumber(100 + index))
    lease.beat({ connected: [bob, bob, Uint8Array.of(1)], rttMs: 12 })
    expect(liveness.view(ann)).toMatchObject({ connected: [bob], rttMs: 12, connectedSinceMs: [clock.now()] })
    lease.beat({ connected: many })
    expect(liveness.view(ann).connected).toHaveLength(32)
    pass(90)
    expect(liveness.view(ann).connected).toEqual([])
  })

  it('must be a member', () => {
    liveness = livenessOver({ isMember: () => false })
    expect(() => liveness.open(ann, instanceOf(1))).toThrow(NotMemberError)
  })
})

describe('a second instance of a key', () => {
  it('is refused while the first is there, also when that is frozen, and the first is told', () => {
    const first = liveness.open(ann, instanceOf(1))
    expect(() => liveness.open(ann, instanceOf(2))).toThrow(DuplicateInstanceError)
    expect([first.beat().contested, first.beat().contested]).toEqual([true, false])
    first.probeUnanswered()
    first.probeUnanswered()
    pass(89)
    expect(() => liveness.open(ann, instanceOf(2))).toThrow(DuplicateInstanceError)
    pass(1)
    expect(liveness.open(ann, instanceOf(2)).active).toBe(true)
    expect(() => first.beat()).toThrow(DuplicateInstanceError)
  })

  it('is let in when the stream of the first is lost or it left: a process that crashed starts again', () => {
    liveness.open(ann, instanceOf(1)).lost()
    const second = liveness.open(ann, instanceOf(2))
    second.left('update')
    expect(liveness.open(ann, instanceOf(3)).active).toBe(true)
  })
})

describe('a registry that may be cut off itself', () => {
  it('still sees a real death in a network of two', () => {
    liveness.open(ann, instanceOf(1))
    pass(90)
    expect(liveness.view(ann)).toMatchObject({ state: 'offline', confirmed: true })
  })

  it('calls nobody offline when many fall silent at once, at whatever time each was heard last', () => {
    const leases = openAll(1, 40)
    pass(30, (second) => beatAll(leases.filter((_, i) => i % 30 === second % 30)))
    pass(200)
    expect([count('offline'), count('suspect')]).toEqual([0, 40])
    expect(liveness.view(ann).reason).toContain('this registry may have been cut off itself')
    expect(liveness.doubt).toContain('leases run out within 10 s')
    pass(100)
    expect(count('offline')).toBe(40)
    expect(liveness.view(ann)).toMatchObject({ confirmed: false, reason: 'unconfirmed: no heartbeat for 90 s' })
  })

  it('judges at once when others answer all the while: half of a network has really died', () => {
    const leases = openAll(1, 20)
    const alive = leases.slice(10)
    for (const lease of leases.slice(0, 10)) lease.lost()
    pass(91, (second) => {
      if (second % 30 === 0) beatAll(alive)
      else for (const lease of alive) lease.probeAnswered(1)
    })
    expect([count('offline'), count('online')]).toEqual([10, 11])
    expect(liveness.view(ann)).toMatchObject({ confirmed: true, reason: 'stream lost, then no heartbeat for 90 s' })
  })

  it('gives the others the time of a lease when the first one is back', () => {
    openAll(1, 20)
    pass(150)
    expect(count('offline')).toBe(0)
    liveness.open(ann, instanceOf(1))
    expect(liveness.doubt).toBeUndefined()
    pass(60)
    openAll(2, 15)
    expect(count('offline')).toBe(0)
    pass(31)
    expect(liveness.views().filter((view) => view.state === 'offline')).toHaveLength(5)
  })

  it('takes back what it had judged before it doubted', () => {
    const leases = openAll(1, 20)
    // Three are within what may happen; the others lapse a little later, too close to be seen coming.
    pass(1, () => beatAll(leases.slice(3)))
    pass(300)
    expect(liveness.views().filter((view) => view.state === 'offline' && view.confirmed)).toEqual([])
  })

  it('blames nobody for the time in which it was stopped itself', () => {
    openAll(1, 20)
    clock.advance(3_600_000)
    liveness.tick()
    expect(count('online')).toBe(21)
    pass(30)
    expect(count('offline')).toBe(0)
  })

  it('waits after a restart for those that it knew, and calls them offline only when it hears somebody', async () => {
    openAll(1, 3)
    liveness.open(keyNumber(4), instanceOf(1)).left('holiday')
    await liveness.stop()
    clock.advance(20_000)
    liveness = livenessOver()
    expect(liveness.view(ann)).toMatchObject({ state: 'unknown', reason: 'not heard since this process started' })
    expect(liveness.view(keyNumber(4))).toMatchObject({ state: 'left', reason: 'left: holiday', sinceAgeMs: 20_000 })
    pass(120)
    expect([count('unknown'), count('offline')]).toEqual([3, 0])
    const back = liveness.open(ann, instanceOf(9))
    pass(91, (second) => second % 30 === 0 && back.beat())
    expect([count('unknown'), count('offline'), count('online')]).toEqual([0, 2, 2])
  })

  it('calls them offline (unconfirmed) when nobody answers for two more leases', async () => {
    openAll(1, 2)
    await liveness.stop()
    liveness = livenessOver()
    pass(269)
    expect(count('offline')).toBe(0)
    pass(2)
    expect(liveness.view(bob)).toMatchObject({ state: 'offline', confirmed: false })
    liveness.selfProof()
    pass(91)
    expect(liveness.view(bob)).toMatchObject({ state: 'offline', confirmed: true })
  })
})

describe('hints', () => {
  const [eve, fay] = [keyNumber(11), keyNumber(12)]
  const hint = (change: Partial<Hint> = {}): Hint => ({
    publicKey: ann,
    source: eve,
    heardMs: 0,
    state: 'online',
    sinceMs: 0,
    reason: '',
    rttMs: 5,
    connected: [bob],
    ...change
  })

  it('show what another registry observes, with its source and its age', () => {
    expect(liveness.merge(hint({ heardMs: 7_000, sinceMs: 60_000 }))).toBe(true)
    expect(liveness.view(ann)).toMatchObject({
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
    liveness.merge(hint({ heardMs: 5_000 }))
    expect(liveness.merge(hint({ source: fay, heardMs: 9_000, state: 'offline' }))).toBe(false)
    expect(liveness.merge(hint({ source: fay, heardMs: 1_000, state: 'suspect', reason: 'stream lost' }))).toBe(true)
    expect(liveness.view(ann)).toMatchObject({ state: 'suspect', source: fay, reason: 'stream lost' })
  })

  it('of one source follow each other by when the state began', () => {
    liveness.merge(hint({ state: 'suspect', heardMs: 1_000, sinceMs: 500 }))
    expect(liveness.merge(hint({ state: 'online', heardMs: 990, sinceMs: 9_000 }))).toBe(false)
    clock.advance(1_000)
    expect(liveness.merge(hint({ state: 'online', heardMs: 0, sinceMs: 0 }))).toBe(true)
    expect(stateOf(ann)).toBe('online')
  })

  it('never outweigh a session that lives here, which tells again instead', () => {
    const lease = liveness.open(ann, instanceOf(1))
    const before = liveness.lastChange
    clock.advance(20_000)
    expect(liveness.merge(hint({ state: 'offline', heardMs: 0 }))).toBe(false)
    expect(stateOf(ann)).toBe('online')
    lease.probeAnswered(1)
    expect(liveness.hintsAfter(before, 10).hints).toMatchObject([
      { publicKey: ann, state: 'online', source: self, heardMs: 0 }
    ])
  })

  it('take over when the member has gone to another registry', () => {
    liveness.open(ann, instanceOf(1)).lost()
    clock.advance(1_000)
    liveness.merge(hint())
    pass(90)
    expect(liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
  })

  it('turn into unknown since when their source is gone, and back when it returns', () => {
    liveness.merge(hint())
    liveness.merge(hint({ publicKey: bob, state: 'left', reason: 'left: update' }))
    clock.advance(5_000)
    liveness.sourceGone(eve, 'its registry is gone')
    expect(liveness.view(ann)).toMatchObject({
      state: 'unknown',
      sinceAgeMs: 0,
      heardAgeMs: 5_000,
      reason: 'its registry is gone'
    })
    expect(stateOf(bob)).toBe('left')
    expect(liveness.merge(hint({ heardMs: 5_000, sinceMs: 5_000 }))).toBe(true)
    expect(stateOf(ann)).toBe('online')
  })

  it('turn into unknown since when their source is seen to be offline', () => {
    liveness.open(eve, instanceOf(1))
    liveness.merge(hint())
    pass(90)
    expect([stateOf(eve), stateOf(ann)]).toEqual(['offline', 'unknown'])
  })

  it('that a source is gone are not believed while it answers here', () => {
    liveness.sourceUp(eve)
    liveness.merge(hint())
    const before = liveness.lastChange
    clock.advance(2_000)
    expect(liveness.merge(hint({ state: 'unknown', heardMs: 2_000, sinceMs: 0 }))).toBe(false)
    expect(stateOf(ann)).toBe('online')
    expect(liveness.hintsAfter(before, 10).hints).toMatchObject([{ state: 'online', source: eve }])
  })

  it('do not circle among registries', () => {
    const others = [livenessOver({ self: eve }), livenessOver({ self: fay })]
    const all = [liveness, ...others]
    liveness.open(ann, instanceOf(1))
    liveness.open(bob, instanceOf(1)).lost()
    const told = all.map(() => 0)
    let rounds = 0
    for (let isNew = true; isNew && rounds < 20; rounds++) {
      isNew = false
      for (const [index, from] of all.entries()) {
        const page = from.hintsAfter(told[index] ?? 0, 100)
        isNew ||= page.hints.length > 0
        told[index] = page.change
        // Each hop takes time, by which the age in the hint is too small.
        clock.advance(40)
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
    liveness.merge(hint({ heardMs: -1, sinceMs: Number.NaN, reason: `\u001b[31m${'x'.repeat(500)}`, rttMs: -1 }))
    const { reason, heardAgeMs, rttMs } = liveness.view(ann)
    expect(reason).toHaveLength(120)
    expect(reason.startsWith('[31mx')).toBe(true)
    expect([heardAgeMs, rttMs]).toEqual([0, undefined])
    liveness = livenessOver({ isMember: () => false })
    expect(liveness.merge(hint())).toBe(false)
    expect(liveness.merge(hint({ publicKey: self, state: 'offline' }))).toBe(false)
    expect(liveness.views()).toHaveLength(1)
  })
})

describe('changes', () => {
  it('are shown once each, at their newest, to a reader at any position', () => {
    const leases = openAll(1, 3)
    expect(liveness.hintsAfter(0, 2)).toMatchObject({ hints: [{ publicKey: keyNumber(1) }, {}], change: 2 })
    leases[0]?.lost()
    leases[0]?.left('now')
    const page = liveness.hintsAfter(2, 10)
    expect(page.hints.map((each) => [each.publicKey[3], each.state])).toEqual([
      [3, 'online'],
      [1, 'left']
    ])
    expect(liveness.hintsAfter(page.change, 10).hints).toEqual([])
  })

  it('of connections alone are told at most once a minute', () => {
    const lease = liveness.open(ann, instanceOf(1))
    const before = liveness.lastChange
    lease.beat({ connected: [bob] })
    expect(liveness.hintsAfter(before, 10).hints).toEqual([])
    pass(60)
    lease.beat({ connected: [bob] })
    expect(liveness.hintsAfter(before, 10).hints).toMatchObject([{ connected: [bob] }])
  })

  it('come coalesced while it is started', async () => {
    const { promise, resolve } = Promise.withResolvers<Hint[]>()
    liveness = livenessOver({ onHints: resolve, timings: { hintDelayMs: 1 } })
    liveness.start()
    liveness.open(ann, instanceOf(1)).lost('power')
    liveness.open(bob, instanceOf(1))
    expect(await promise).toMatchObject([
      { publicKey: ann, state: 'suspect', reason: 'power' },
      { publicKey: bob, state: 'online' }
    ])
    await liveness.stop()
  })
})

describe('what is kept of a member', () => {
  it('is its uptime over the observed time, which a restart does not end', async () => {
    const lease = liveness.open(ann, instanceOf(1))
    pass(3_600, (second) => second % 30 === 0 && lease.beat())
    lease.lost()
    pass(1_200)
    expect(liveness.view(ann).uptime).toEqual({ percent: 75, windowMs: 4_800_000 })
    await liveness.stop()
    clock.advance(86_400_000)
    liveness = livenessOver()
    expect(liveness.view(ann).uptime).toEqual({ percent: 75, windowMs: 4_800_000 })
  })

  it('is a reputation between 0 and 100 that starts at 50', () => {
    liveness.learned(ann, 'gossip')
    expect(liveness.view(ann)).toMatchObject({ reputation: 50, learnedFrom: 'gossip', state: 'unknown' })
    liveness.served(ann)
    const { reputation } = liveness.view(ann)
    expect(reputation).toBeGreaterThan(50)
    for (let i = 0; i < 100; i++) liveness.rejected(ann)
    expect(liveness.view(ann).reputation).toBe(0)
    const lease = liveness.open(bob, instanceOf(1))
    pass(7_200, (second) => second % 30 === 0 && lease.beat())
    lease.lost()
    expect(liveness.view(bob).reputation).toBeGreaterThan(50)
    expect(liveness.view(bob).reputation).toBeLessThan(100)
  })

  it('is written with whom it is connected to, and gone with its membership', async () => {
    const lease = liveness.open(ann, instanceOf(1))
    lease.beat({ connected: [bob] })
    liveness.connected(ann, '/ip6/2001:db8::1/tcp/9000')
    liveness.failed(ann, 'connection refused')
    await liveness.save()
    expect(store.nodes.get(ann)).toMatchObject({
      state: 1,
      learnedFrom: 'session',
      lastAddress: '/ip6/2001:db8::1/tcp/9000',
      lastError: 'connection refused',
      lastHeartbeatMs: clock.now()
    })
    expect(store.nodes.peers()).toMatchObject([{ sinceMs: clock.now() }])
    liveness.forget(ann)
    await liveness.save()
    expect([store.nodes.all(), store.nodes.peers()]).toEqual([[], []])
    expect(liveness.view(ann).reason).toBe('never heard')
    lease.lost()
    expect(lease.beat()).toMatchObject({ leaseMs: 90_000 })
    expect(liveness.views()).toHaveLength(1)
  })

  it('is what its record says when it left', () => {
    liveness.saidLeft(ann, 'for good', 60_000)
    expect(liveness.view(ann)).toMatchObject({ state: 'left', reason: 'left: for good', sinceAgeMs: 60_000 })
    liveness.open(bob, instanceOf(1))
    liveness.saidLeft(bob, 'for good')
    expect(stateOf(bob)).toBe('left')
  })
})
