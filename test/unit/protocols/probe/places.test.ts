import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Place, Places } from '../../../../src/protocols/probe/places.ts'
import { UnavailableError } from '../../../../src/runtime/errors.ts'

const places = (running: number, runningOfPeer: number) => {
  const gaveWay: string[] = []
  return { all: new Places({ running, runningOfPeer }, (peer) => gaveWay.push(peer)), gaveWay }
}

describe('places for dials', () => {
  it('are so many for a peer: the next of its own is refused, and free again when one is done', () => {
    const { all, gaveWay } = places(9, 2)
    const first = all.take('ann')
    all.take('ann')
    expect(() => all.take('ann')).toThrow(UnavailableError)
    first[Symbol.dispose]()
    expect(all.take('ann').signal.aborted).toBe(false)
    expect([all.size, gaveWay]).toEqual([2, []])
  })

  it('are given up by whoever has most, the oldest first', () => {
    const { all, gaveWay } = places(4, 3)
    const held = ['ann', 'ben', 'ben', 'ben'].map((peer) => all.take(peer))
    all.take('cid')
    expect(held.map(({ signal }) => signal.aborted)).toEqual([false, true, false, false])
    expect(held[1]?.signal.reason).toBeInstanceOf(UnavailableError)
    expect([gaveWay, all.size]).toEqual([['ben'], 4])
  })

  it('are never more than there may be, and nobody loses one to a peer that has as many', () => {
    const anySteps = fc.array(fc.record({ peer: fc.constantFrom('a', 'b', 'c', 'd'), ends: fc.boolean() }))
    fc.assert(
      fc.property(anySteps, (steps) => {
        const { all } = places(4, 3)
        const held: { peer: string; place: Place }[] = []
        const live = (peer: string): number =>
          held.filter((each) => each.peer === peer && !each.place.signal.aborted).length
        for (const { peer, ends } of steps) {
          if (ends) {
            held.shift()?.place[Symbol.dispose]()
            continue
          }
          const before = live(peer)
          if (before >= 3) expect(() => all.take(peer)).toThrow(UnavailableError)
          else held.push({ peer, place: all.take(peer) })
          expect(all.size).toBeLessThanOrEqual(4)
        }
        expect(held.filter(({ place }) => !place.signal.aborted)).toHaveLength(all.size)
      })
    )
  })
})
