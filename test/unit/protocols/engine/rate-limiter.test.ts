import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Gcra } from '../../../../src/protocols/engine/rate-limiter.ts'
import { FakeClock } from '../../../helpers/observations.ts'

describe('Gcra', () => {
  it('allows its count at once, then one per interval, and says how long to wait', () => {
    const clock = new FakeClock()
    const gcra = new Gcra({ count: 3, perMs: 3_000 }, { clock })
    expect([gcra.take('a'), gcra.take('a'), gcra.take('a')]).toEqual([0, 0, 0])
    expect(gcra.take('a')).toBe(1_000)
    clock.advance(999)
    expect(gcra.peek('a')).toBe(1)
    clock.advance(1)
    expect(gcra.take('a')).toBe(0)
    expect(gcra.take('a')).toBe(1_000)
  })

  it('charges in any case, and says how long until that is made up for', () => {
    const clock = new FakeClock()
    const gcra = new Gcra({ count: 4, perMs: 1_000 }, { clock, maxKeys: 2 })
    expect([gcra.charge('a', 3), gcra.charge('a', 1), gcra.charge('a', 2)]).toEqual([0, 0, 500])
    expect(gcra.take('a')).toBe(750)
    clock.advance(400)
    expect([gcra.charge('a', 0), gcra.charge('b', 5)]).toEqual([100, 250])
    clock.advance(2_000)
    expect(gcra.charge('a', 4)).toBe(0)
    gcra.charge('c', 1)
    expect(gcra.size).toBeLessThanOrEqual(2)
  })

  it('counts each key for itself, and peeks without taking', () => {
    const gcra = new Gcra({ count: 1, perMs: 1_000 }, { clock: new FakeClock() })
    expect([gcra.peek('a'), gcra.peek('a'), gcra.take('a'), gcra.take('b')]).toEqual([0, 0, 0, 0])
    expect(gcra.take('a')).toBeGreaterThan(0)
    gcra.delete('a')
    expect(gcra.take('a')).toBe(0)
  })

  it('never allows more than its count plus what time gave back', () => {
    const steps = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 5 })), { maxLength: 60 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 10 }), (all, count) => {
        const clock = new FakeClock()
        const perMs = 1_000
        const gcra = new Gcra({ count, perMs }, { clock })
        let taken = 0
        let passed = 0
        for (const [ms, tries] of all) {
          clock.advance(ms)
          passed += ms
          for (let each = 0; each < tries; each++) if (gcra.take('a') === 0) taken++
        }
        expect(taken).toBeLessThanOrEqual(count + Math.floor((passed * count) / perMs + 1e-6))
      })
    )
  })

  it('remembers a bounded number of keys, and drops those first whose allowance is full again', () => {
    const clock = new FakeClock()
    const gcra = new Gcra({ count: 1, perMs: 1_000 }, { clock, maxKeys: 100 })
    for (let key = 0; key < 50; key++) gcra.take(`old ${key}`)
    clock.advance(2_000)
    for (let key = 0; key < 80; key++) gcra.take(`new ${key}`)
    expect(gcra.size).toBeLessThanOrEqual(100)
    expect(gcra.take('new 0')).toBeGreaterThan(0)
    for (let key = 0; key < 10_000; key++) gcra.take(`flood ${key}`)
    expect(gcra.size).toBeLessThanOrEqual(100)
  })
})
