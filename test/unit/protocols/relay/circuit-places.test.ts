import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { type CircuitPlace, CircuitPlaces } from '../../../../src/protocols/relay/circuit-places.ts'

const limits = { ...defaultLimits.relay, circuits: 6, circuitsOfPeer: 3, stillMs: 1_000, waitingBytes: 100 }

/** Places, with a clock that the test turns, and the circuits that were ended, by name. */
const stage = (more: Partial<typeof limits> = {}) => {
  let ms = 0
  const places = new CircuitPlaces({ ...limits, ...more }, { now: () => ms, monotonic: () => ms })
  const ended: string[] = []
  /** `a>b` opens a circuit between these. */
  const open = (name: string, { waitingBytes = 0 } = {}): CircuitPlace => {
    const [source = '', target = ''] = name.split('>')
    const place = places.take(source, target)
    place.makeRoom()
    place.circuit = { movedAt: ms, waitingBytes, end: () => ended.push(name) }
    return place
  }
  return { places, open, ended, pass: (moreMs: number) => (ms += moreMs) }
}

describe('places of circuits', () => {
  it('are counted at both ends, and free again once', () => {
    const { places, open } = stage()
    const first = open('a>b')
    open('b>c')
    open('d>b')
    expect(places.isFull('b')).toBe(true)
    expect(places.isFull('a')).toBe(false)
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    expect([places.isFull('b'), places.size]).toEqual([false, 2])
  })

  it('of one member are left by whoever has more of them than the newcomer would have, idle longest first', () => {
    const { open, ended, pass } = stage({ circuitsOfPeer: 4 })
    for (const name of ['x>t', 'x>t', 'y>t', 'y>t']) {
      open(name)
      pass(1)
    }
    open('new>t')
    expect(ended).toEqual(['x>t'])
    // Neither gets back what it had: that would take it from whoever has no more.
    expect(() => open('x>t')).toThrow(/t has 4 circuits/)
    open('t>other')
    expect(ended).toEqual(['x>t', 'y>t'])
    expect(() => open('fifth>t')).toThrow(/t has 4 circuits/)
  })

  it('are left by a circuit on which nothing moves', () => {
    const { open, ended, pass } = stage()
    open('a>t')
    pass(500)
    for (const name of ['b>t', 'c>t']) open(name)
    expect(() => open('d>t')).toThrow(/t has 3 circuits/)
    pass(501)
    open('d>t')
    expect(ended).toEqual(['a>t'])
  })

  it('are so many in all; one is left by whoever opened most', () => {
    const { open, ended, places } = stage()
    for (const name of ['a>1', 'b>2', 'b>3', 'c>4', 'd>5', 'e>6']) open(name)
    open('new>7')
    expect(ended).toEqual(['b>2'])
    expect(() => open('last>8')).toThrow(/6 circuits are open/)
    expect(places.size).toBe(6)
  })

  it('are left by nobody for a circuit that does not come about, or that is being opened', () => {
    const { places, open, ended } = stage()
    for (const name of ['x>t', 'x>t', 'x>t']) open(name)
    places.take('new', 't')[Symbol.dispose]()
    expect(ended).toEqual([])
    const opening = stage()
    for (let count = 0; count < 3; count++) opening.places.take('x', 't')
    expect(() => opening.open('new>t')).toThrow(/t has 3 circuits/)
  })

  it('end where more waits than all may hold: the fullest circuit of the member that holds most', () => {
    const { places, open, ended } = stage()
    open('a>b', { waitingBytes: 60 })
    open('x>y', { waitingBytes: 40 })
    open('x>z', { waitingBytes: 50 })
    expect(places.endOverBudget().map(({ source }) => source)).toEqual(['x'])
    expect(ended).toEqual(['x>z'])
    const within = stage()
    within.open('a>b', { waitingBytes: 100 })
    expect(within.places.endOverBudget()).toEqual([])
  })
})
