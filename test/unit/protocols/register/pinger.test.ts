import { afterEach, describe, expect, it, vi } from 'vitest'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { Keepalive } from '../../../../src/protocols/register/keepalive.ts'
import { type Pinged, Pinger } from '../../../../src/protocols/register/pinger.ts'
import { FakeClock } from '../../../helpers/observations.ts'

const limits = limitsWith().register
const silentMs = 90_000

class Session implements Pinged {
  readonly seen: string[] = []
  last = 0
  ping(number: number, nextMs: number): void {
    this.last = number
    this.seen.push(`ping ${nextMs}`)
  }
  answered(rttMs: number): void {
    this.seen.push(`answered ${rttMs}`)
  }
  unanswered(): void {
    this.seen.push('unanswered')
  }
  silent(): void {
    this.seen.push('silent')
  }
}

/** Lets time pass in the steps of the pinger's own timer. */
function pass(clock: FakeClock, look: () => void, ms: number, stepMs = 100): void {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs)
    look()
  }
}

afterEach(() => {
  vi.useRealTimers()
})

function startPinger() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const clock = new FakeClock()
  const pinger = new Pinger(limits, silentMs, clock)
  const session = new Session()
  pinger.add(session)
  return { clock, pinger, session, look: () => pinger.tick() }
}

function startKeepalive() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const clock = new FakeClock()
  const seen: string[] = []
  const keepalive = new Keepalive({
    limits,
    clock,
    probe: () => seen.push('probe'),
    onSilent: () => seen.push('silent')
  })
  return { clock, keepalive, seen, look: () => keepalive.tick() }
}

describe('Pinger', () => {
  it('pings every second up to 100 sessions, rising to every 10 s from 1,000', () => {
    const { pinger } = startPinger()
    expect([1, 100, 550, 1_000, 10_000].map((count) => pinger.intervalMs(count))).toEqual([
      1_000, 1_000, 5_500, 10_000, 10_000
    ])
    pinger.stop()
  })

  it('finds a frozen peer within 5 s: one ping, and another at once, 1.5 s each', () => {
    const { clock, pinger, session, look } = startPinger()
    pass(clock, look, 1_000)
    expect(session.seen).toEqual(['ping 1000'])
    pass(clock, look, 3_500)
    expect(session.seen.slice(0, 4)).toEqual(['ping 1000', 'unanswered', 'ping 1000', 'unanswered'])
    pinger.stop()
  })

  it('measures the round trip of the ping that was answered, and ignores answers to older ones', () => {
    const { clock, pinger, session, look } = startPinger()
    pass(clock, look, 1_000)
    const first = session.last
    pass(clock, look, 1_600)
    pinger.pong(session, first)
    expect(session.seen).toEqual(['ping 1000', 'unanswered', 'ping 1000'])
    const before = session.seen.length
    clock.advance(30)
    pinger.pong(session, session.last)
    pinger.pong(session, session.last)
    expect(session.seen.slice(before)).toHaveLength(1)
    expect(session.seen.at(-1)).toMatch(/^answered \d+$/)
    pinger.stop()
  })

  it('blames nobody for a stall of its own', () => {
    const { clock, pinger, session, look } = startPinger()
    pass(clock, look, 1_000)
    clock.advance(100_000)
    look()
    expect(session.seen).toEqual(['ping 1000'])
    pinger.pong(session, session.last)
    expect(session.seen.at(-1)).toMatch(/^answered/)
    pinger.stop()
  })

  it('gives up a session that says nothing for the length of a lease, unless it is heard', () => {
    const { clock, pinger, session, look } = startPinger()
    pass(clock, look, 80_000)
    pinger.heard(session)
    pass(clock, look, 80_000)
    expect(session.seen).not.toContain('silent')
    pass(clock, look, 11_000)
    expect(session.seen.at(-1)).toBe('silent')
    expect(pinger.size).toBe(0)
    pinger.stop()
  })
})

describe('Keepalive', () => {
  it('gives the registry up within 4.5 s: after a ping that did not come, 1.5 s, and one question, 1.5 s', () => {
    const { clock, keepalive, seen, look } = startKeepalive()
    keepalive.pinged(1_000)
    keepalive.heard()
    pass(clock, look, 2_500, 250)
    expect(seen).toEqual([])
    pass(clock, look, 250, 250)
    expect(seen).toEqual(['probe'])
    pass(clock, look, 1_500, 250)
    expect(seen).toEqual(['probe', 'silent'])
  })

  it('goes on when the question is answered, and believes no interval beyond the limit', () => {
    const { clock, keepalive, seen, look } = startKeepalive()
    keepalive.pinged(3_600_000)
    pass(clock, look, 12_000, 250)
    expect(seen).toEqual(['probe'])
    keepalive.heard()
    pass(clock, look, 11_000, 250)
    expect(seen).toEqual(['probe'])
  })

  it('takes a stall of this process for no silence of the registry', () => {
    const { clock, keepalive, seen, look } = startKeepalive()
    keepalive.pinged(1_000)
    keepalive.heard()
    clock.advance(60_000)
    look()
    expect(seen).toEqual([])
  })
})
