import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { AwakeTime } from '../../../../src/registry/liveness/awake-time.ts'
import type { Session } from '../../../../src/registry/liveness/lease.ts'
import { LocalHealth } from '../../../../src/registry/liveness/local-health.ts'
import { isUnconfirmed, judge, judgeHeld, judgeLapsed } from '../../../../src/registry/liveness/member-state.ts'
import {
  initialReputation,
  reputationAfterReject,
  reputationAfterServed,
  reputationAfterUptime,
  Uptime
} from '../../../../src/registry/liveness/score.ts'
import { isCounted, isUp, type State, stateOf, states } from '../../../../src/registry/liveness/states.ts'
import {
  defaultTimings,
  lateAfterMs,
  pulseMs,
  silentMs,
  suspectAfterMs,
  timingsOf
} from '../../../../src/registry/liveness/timings.ts'

const session = (change: Partial<Session> = {}): Session => ({
  id: 'ann',
  instance: new Uint8Array(16),
  beatAt: 0,
  heardAt: 0,
  unanswered: 0,
  lost: undefined,
  excusedUntil: Number.NEGATIVE_INFINITY,
  left: undefined,
  lapsedAt: undefined,
  releasedAt: undefined,
  contested: false,
  ...change
})

const t = defaultTimings

describe('a session while its lease runs', () => {
  test.each<[string, Partial<Session>, number, State | undefined, string]>([
    ['just heard', {}, 0, 'online', ''],
    ['silent until one heartbeat is missed', {}, lateAfterMs(t) - 1, 'online', ''],
    ['silent for one heartbeat', {}, lateAfterMs(t), 'late', 'missed 1 heartbeat'],
    ['silent for two', {}, suspectAfterMs(t), 'suspect', 'missed 2 heartbeats'],
    ['silent for the time of its lease', {}, t.leaseMs, undefined, ''],
    ['whose stream is lost', { lost: 'stream lost' }, 1, 'suspect', 'stream lost'],
    ['whose stream is lost by our own fault', { lost: 'stream lost', excusedUntil: 10 }, 9, 'online', ''],
    ['and then not back in time', { lost: 'stream lost', excusedUntil: 10 }, 10, 'suspect', 'stream lost'],
    ['with one ping unanswered', { unanswered: 1 }, 1, 'online', ''],
    ['with two pings unanswered', { unanswered: 2 }, 1, 'suspect', 'no answer to 2 pings'],
    ['that said goodbye', { left: 'holiday' }, t.leaseMs * 2, 'left', 'left: holiday'],
    ['from before a restart', { instance: undefined }, 1, 'unknown', 'not heard since this process started'],
    ['that was moved', { releasedAt: 0 }, t.answerMs - 1, 'online', ''],
    [
      'that was moved to nobody who speaks',
      { releasedAt: 0 },
      t.answerMs,
      'unknown',
      'it went to a registry that is not heard'
    ]
  ])('%s', (_, change, at, state, reason) => {
    const judged = judge(session(change), at, t)
    if (state === undefined) expect(judged).toBeUndefined()
    else expect(judged).toEqual({ state, reason })
  })

  it('only becomes worse while it is silent', () => {
    const rank = ['online', 'late', 'suspect', undefined]
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(100_000), (a, b) => {
        const [earlier, later] = [Math.min(a, b), Math.max(a, b)]
        const rankAt = (at: number): number => rank.indexOf(judge(session(), at, t)?.state)
        expect(rankAt(earlier)).toBeLessThanOrEqual(rankAt(later))
      })
    )
  })
})

describe('a session whose lease has run out', () => {
  it('is offline, with what was seen first', () => {
    expect(judgeLapsed(session(), t, 'offline')).toEqual({ state: 'offline', reason: 'no heartbeat for 90 s' })
    expect(judgeLapsed(session({ lost: 'power' }), t, 'offline').reason).toBe('power, then no heartbeat for 90 s')
    expect(judgeLapsed(session({ unanswered: 2 }), t, 'offline').reason).toBe(
      'no answer to 2 pings, then no heartbeat for 90 s'
    )
  })

  it('is called unconfirmed by a registry that may be cut off itself, and nothing else is', () => {
    const { state, reason } = judgeLapsed(session(), t, 'unconfirmed')
    expect([state, isUnconfirmed(state, reason)]).toEqual(['offline', true])
    expect(isUnconfirmed('suspect', reason)).toBe(false)
    expect(isUnconfirmed('offline', 'no heartbeat for 90 s')).toBe(false)
  })

  it('is suspect while it is held back, or unknown where it was never heard', () => {
    expect(judgeHeld(session(), 'it has just started')).toEqual({
      state: 'suspect',
      reason: 'silent; this registry may have been cut off itself (it has just started)'
    })
    expect(judgeHeld(session({ instance: undefined, lost: 'power' }), undefined)).toEqual({
      state: 'unknown',
      reason: 'power; this registry may have been cut off itself (its uplink has just come back)'
    })
  })
})

describe('the doubt of a registry', () => {
  const look = (at: number, lapsed: number, others: number, dueSoon = 0) => ({ at, lapsed, others, dueSoon })

  it('begins with more leases than three and 15 % within ten seconds, counted over looks', () => {
    const few = new LocalHealth(t)
    expect(few.lapse(look(0, 3, 0))).toBe(false)
    expect(few.lapse(look(5_000, 1, 0))).toBe(true)
    const many = new LocalHealth(t)
    expect(many.lapse(look(0, 15, 85))).toBe(false)
    expect(many.lapse(look(20_000, 15, 85))).toBe(false)
    expect(many.lapse(look(25_000, 1, 84))).toBe(true)
    expect(many.reason).toBe('16 leases run out within 10 s')
  })

  it('counts those that would follow within the window', () => {
    const health = new LocalHealth(t)
    expect(health.lapse(look(0, 1, 9, 3))).toBe(true)
    expect(health.lapse(look(0, 9, 0))).toBe(false)
  })

  it('ends with an answer: at once where the uplink was never gone, after a lease where it may be just back', () => {
    const health = new LocalHealth(t)
    expect(health.proof(0, 'new')).toBe(false)
    health.begin('it has just started')
    expect([health.verdict(0, 0), health.verdict(2 * t.leaseMs, 0)]).toEqual(['hold', 'unconfirmed'])
    expect(health.proof(0, 'continuous')).toBe(true)
    expect(health.verdict(0, 0)).toBe('offline')
    health.begin('again')
    health.proof(1_000, 'new')
    expect([health.verdict(1_000 + t.leaseMs - 1, 0), health.verdict(1_000 + t.leaseMs, 0)]).toEqual([
      'hold',
      'offline'
    ])
  })

  it("ends with an operator's word, and does not begin for the time of a lease", () => {
    const health = new LocalHealth(t)
    health.begin('it has just started')
    health.trust(0)
    expect([health.reason, health.verdict(0, 0)]).toEqual([undefined, 'offline'])
    expect(health.lapse(look(t.leaseMs - 1, 50, 0))).toBe(false)
    expect(health.lapse(look(t.leaseMs, 50, 0))).toBe(true)
  })
})

describe('awake time', () => {
  it('passes with the clock, but of a stall only three seconds', () => {
    const awake = new AwakeTime(3_000, 0)
    awake.tick(1_000)
    expect([awake.at(2_000), awake.stalled(2_000)]).toEqual([2_000, false])
    expect([awake.at(61_000), awake.stalled(61_000)]).toEqual([4_000, true])
    awake.tick(61_000)
    expect([awake.at(62_000), awake.stalled(62_000)]).toEqual([5_000, false])
  })

  it('never goes back, nor faster than the clock', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 50 }), (gaps) => {
        const awake = new AwakeTime(3_000, 0)
        let now = 0
        for (const gap of gaps) {
          const before = awake.at(now)
          now += gap
          const passed = awake.at(now) - before
          expect(passed).toBeGreaterThanOrEqual(0)
          expect(passed).toBeLessThanOrEqual(gap)
          awake.tick(now)
        }
      })
    )
  })
})

describe('the score of a member', () => {
  it('counts neither the time in which nothing is known nor that after a goodbye', () => {
    expect(Object.keys(states).filter((state) => !isCounted(state as State))).toEqual(['left', 'unknown'])
    const uptime = new Uptime(1_000_000)
    uptime.add('unknown', 500)
    uptime.add('left', 500)
    uptime.add('online', 0)
    expect(uptime.observedMs).toBe(0)
    uptime.add('online', 300, 100)
    uptime.add('late', 100)
    uptime.add('suspect', 100)
    expect([uptime.upMs, uptime.observedMs]).toEqual([300, 500])
  })

  it('forgets what is older than its window', () => {
    const uptime = new Uptime(1_000)
    uptime.add('online', 1_000)
    for (let i = 0; i < 10; i++) uptime.add('offline', 1_000)
    expect(uptime.observedMs).toBe(1_000)
    expect(uptime.upMs / uptime.observedMs).toBeLessThan(0.001)
  })

  it('rises with uptime and served requests, never above 100, and falls with rejects, never below 0', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100, noNaN: true }), fc.nat(1_000_000_000), (reputation, upMs) => {
        const risen = reputationAfterUptime(reputation, upMs)
        expect(risen).toBeGreaterThanOrEqual(reputation - 1e-9)
        expect(risen).toBeLessThanOrEqual(100)
        expect(reputationAfterServed(reputation)).toBeLessThanOrEqual(100)
        expect(reputationAfterReject(reputation)).toBeGreaterThanOrEqual(0)
      })
    )
    const day = reputationAfterUptime(initialReputation, 86_400_000)
    expect(day).toBeGreaterThan(70)
    expect(day).toBeLessThan(80)
    expect(reputationAfterUptime(reputationAfterUptime(50, 3_600_000), 3_600_000)).toBeCloseTo(
      reputationAfterUptime(50, 7_200_000)
    )
  })
})

describe('the timings', () => {
  it('shorten with a shorter heartbeat, unless they are given, and never grow with a longer one', () => {
    expect(timingsOf()).toEqual({ ...defaultTimings })
    const short = timingsOf({ heartbeatMs: 3_000 })
    expect(short).toMatchObject({ leaseMs: 9_000, answerMs: 500, tickMs: 100, stallMs: 300, massWindowMs: 1_000 })
    expect(timingsOf({ heartbeatMs: 3_000, leaseMs: 60_000, tickMs: 7 })).toMatchObject({
      leaseMs: 60_000,
      tickMs: 7,
      stallMs: 21
    })
    expect(timingsOf({ heartbeatMs: 60_000 })).toMatchObject({ leaseMs: 180_000, answerMs: 5_000, tickMs: 1_000 })
  })

  it('let a lease outlive two missed heartbeats, and silence two pulses, at any size of the network', () => {
    for (const heartbeatMs of [100, 1_000, 30_000, 120_000]) {
      const given = timingsOf({ heartbeatMs })
      expect(suspectAfterMs(given)).toBeGreaterThan(lateAfterMs(given))
      expect(given.leaseMs).toBeGreaterThan(suspectAfterMs(given))
    }
    for (const members of [1, 100, 300, 1_000, 100_000]) {
      expect(silentMs(t, members)).toBeGreaterThanOrEqual(2 * pulseMs(t, members))
    }
    expect([pulseMs(t, 1), pulseMs(t, 300), pulseMs(t, 100_000)]).toEqual([1_000, 3_000, 12_000])
  })

  it('of states have numbers that go there and back, and no others', () => {
    for (const [state, number] of Object.entries(states)) expect(stateOf(number)).toBe(state)
    expect([stateOf(0), stateOf(7), stateOf(1.5)]).toEqual([undefined, undefined, undefined])
    expect(Object.keys(states).filter((state) => isUp(state as State))).toEqual(['online', 'late'])
  })
})
