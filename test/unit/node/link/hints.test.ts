import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Hints } from '../../../../src/node/link/hints.ts'
import { defaultLimits, limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { TestClock } from '../../../helpers/log-network.ts'

/** A clock that a test turns. */
const clock = () => Object.assign(new TestClock(), { turn: turned })

function turned(this: TestClock, ms: number): void {
  this.nowMs += ms
}

const nobody = (): boolean => false
const from = (n: number) => ({ address: `fe80::${n.toString(16)}`, zone: 'eth0' })

describe('hints of a link', () => {
  it('are dialled at the address that they come from, with the interface', () => {
    const hints = new Hints(clock(), defaultLimits.link)
    expect(hints.add(from(1), 9000)).toBe(true)
    expect(hints.take(4, nobody)).toEqual(['/ip6zone/eth0/ip6/fe80::1/tcp/9000'])
    expect(hints.take(4, nobody)).toEqual([])
  })

  it('cause no more dials in a minute than allowed, whatever comes when', () => {
    const step = fc.record({ source: fc.nat(200), port: fc.integer({ min: 1, max: 65_535 }), ms: fc.nat(3_000) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const time = clock()
        const hints = new Hints(time, defaultLimits.link)
        const dials: { at: number; source: string }[] = []
        for (const { source, port, ms } of steps) {
          time.turn(ms)
          hints.add(from(source), port)
          for (const multiaddr of hints.take(4, nobody))
            dials.push({ at: time.monotonic(), source: multiaddr.split('/tcp/')[0] ?? '' })
          expect(hints.size).toBeLessThanOrEqual(64)
        }
        for (const { at, source } of dials) {
          const within = dials.filter((each) => each.at > at - 60_000 && each.at <= at)
          expect(within.length).toBeLessThanOrEqual(12)
          expect(within.filter((each) => each.source === source).length).toBeLessThanOrEqual(4)
        }
        expect(hints.dialled).toBe(dials.length)
      })
    )
  })

  it('that wait for the dials of others lose nothing by it', () => {
    const time = clock()
    const hints = new Hints(time, defaultLimits.link)
    for (const n of [1, 2, 3, 4, 5]) hints.add(from(n), 9000)
    expect(hints.take(4, nobody).length).toBe(4)
    for (let looks = 0; looks < 10; looks++) expect(hints.take(4, nobody)).toEqual([])
    time.turn(7_500)
    expect(hints.take(4, nobody)).toEqual(['/ip6zone/eth0/ip6/fe80::5/tcp/9000'])
  })

  it('of one source are four, and one that waits for its dial is pushed out by no other', () => {
    const hints = new Hints(clock(), defaultLimits.link)
    for (const port of [1, 2, 3]) expect(hints.add(from(1), port)).toBe(true)
    expect(hints.hasAll(from(1))).toBe(false)
    expect(hints.add(from(1), 4)).toBe(true)
    expect(hints.add(from(1), 5)).toBe(false)
    expect(hints.hasAll(from(1))).toBe(true)
    for (let n = 2; n <= 61; n++) expect(hints.add(from(n), 1)).toBe(true)
    expect(hints.add(from(100), 1)).toBe(false)
    // Nobody's fault: all places are taken, by others.
    expect(hints.hasAll(from(100))).toBe(false)
    hints.take(1, nobody)
    expect(hints.add(from(100), 1)).toBe(true)
    expect(hints.size).toBe(64)
  })

  it('are as many as the configuration allows', () => {
    const hints = new Hints(
      clock(),
      limitsWith({ link: { hints: 3, hintsOfPeer: 2, dials: { count: 1, perMs: 30_000 } } }).link
    )
    const added = [1, 1, 1, 2, 3].map((n, port) => hints.add(from(n), port + 1))
    expect(added).toEqual([true, true, false, true, false])
    expect(hints.take(4, nobody).length).toBe(1)
  })

  it('of one member at many addresses leave room for others, and it keeps one of them', () => {
    const hints = new Hints(clock(), defaultLimits.link)
    for (let n = 1; n <= 64; n++) {
      hints.add(from(n), 9000)
      hints.proven(`/ip6zone/eth0/ip6/fe80::${n.toString(16)}/tcp/9000`, 'mallory')
    }
    for (let n = 101; n <= 163; n++) expect(hints.add(from(n), 9000)).toBe(true)
    expect(hints.add(from(164), 9000)).toBe(false)
    expect(hints.size).toBe(64)
    expect(hints.take(1, nobody)).toEqual(['/ip6zone/eth0/ip6/fe80::1/tcp/9000'])
  })

  it('of a member that is connected are not dialled, and those that nobody repeats are forgotten', () => {
    const time = clock()
    const hints = new Hints(time, defaultLimits.link)
    hints.add(from(1), 9000)
    const [multiaddr = ''] = hints.take(4, nobody)
    hints.proven(multiaddr, 'hal')
    expect(hints.take(4, (peerId) => peerId === 'hal')).toEqual([])
    expect(hints.take(4, nobody)).toEqual([multiaddr])
    time.turn(300_001)
    expect(hints.take(4, nobody)).toEqual([])
    expect(hints.size).toBe(0)
  })

  it('that nobody answers at are tried again after growing pauses', () => {
    const time = clock()
    const hints = new Hints(time, defaultLimits.link)
    const gaps: number[] = []
    let last = 0
    for (let at = 0; at < 400_000; at += 1_000) {
      hints.add(from(1), 9000)
      if (hints.take(4, nobody).length > 0) {
        gaps.push(at - last)
        last = at
      }
      time.turn(1_000)
    }
    expect(gaps).toEqual([0, 30_000, 60_000, 120_000])
  })
})
