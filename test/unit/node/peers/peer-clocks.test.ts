import { describe, expect, it } from 'vitest'
import { PeerClocks } from '../../../../src/node/peers/peer-clocks.ts'

const hour = 3_600_000
const start = 1_800_000_000_000

/** A machine whose wall clock can be set while its monotonic one goes on. */
function machine() {
  const clock = { wall: start, at: 0, now: () => clock.wall, monotonic: () => clock.at }
  const pass = (ms: number) => {
    clock.wall += ms
    clock.at += ms
  }
  return { clock, clocks: new PeerClocks(clock), pass }
}

describe('the clocks of other members', () => {
  it('say nothing before one was heard, and an older program says nothing of its own', () => {
    const { clocks } = machine()
    clocks.heard('a', 0)
    expect(clocks.compare(undefined)).toBeUndefined()
  })

  it('are compared with by most of them: one that is wrong changes nothing', () => {
    const { clocks } = machine()
    clocks.heard('a', start - 2 * hour)
    clocks.heard('b', start - 2 * hour + 5_000)
    clocks.heard('root', start + 400 * 24 * hour)
    expect(clocks.compare('root')).toEqual({
      aheadMs: 2 * hour - 5_000,
      agreeing: 2,
      heard: 3,
      aheadOfRootMs: -400 * 24 * hour
    })
  })

  it('go on where they were heard, and a clock that is set right agrees with them from then on', () => {
    const { clock, clocks, pass } = machine()
    clocks.heard('a', start - hour)
    pass(10_000)
    expect(clocks.compare('a')).toMatchObject({ aheadMs: hour, aheadOfRootMs: hour })
    clock.wall -= hour
    expect(clocks.compare('a')).toMatchObject({ aheadMs: 0 })
  })

  it('are forgotten after a day, and the oldest of many at once', () => {
    const { clocks, pass } = machine()
    clocks.heard('a', start)
    pass(25 * hour)
    expect(clocks.compare('a')).toBeUndefined()
    for (let n = 0; n < 100; n++) clocks.heard(`p${n}`, start)
    expect(clocks.compare('p0')).toMatchObject({ heard: 64, aheadOfRootMs: undefined })
  })
})
