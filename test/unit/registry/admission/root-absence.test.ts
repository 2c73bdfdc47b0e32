import { beforeEach, describe, expect, it } from 'vitest'
import { RootAbsence } from '../../../../src/registry/admission/root-absence.ts'
import { TestClock } from '../../../helpers/log-network.ts'

const minute = 60_000
const hour = 60 * minute
const [registry, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]

let clock: TestClock
let absence: RootAbsence

beforeEach(() => {
  clock = new TestClock()
  absence = new RootAbsence(clock, clock.now() - 5 * hour)
})

/** True when a receipt counts that is so old now. */
const counts = (ageMs: number): boolean => absence.mayDate(registry, clock.now() - ageMs)

describe('the receipt of a registry', () => {
  it('counts back to when the root ran last, and is brought as soon as it runs again', () => {
    expect([counts(5 * hour), counts(6 * hour)]).toEqual([true, false])
    absence.met(other)
    clock.nowMs += 5 * minute
    expect([counts(5 * hour), counts(2 * minute)]).toEqual([true, false])
    clock.nowMs += 6 * minute
    expect([counts(5 * hour), counts(minute)]).toEqual([false, true])
  })

  it('does not count for a time in which the registry was away and others were not', () => {
    for (const key of [registry, other]) absence.met(key)
    clock.nowMs += hour
    absence.parted(registry)
    clock.nowMs += hour
    expect(counts(30 * minute)).toBe(false)
    absence.met(registry)
    expect(counts(30 * minute)).toBe(false)
  })

  it('counts for a time in which everybody was cut off from the root', () => {
    for (const key of [registry, other, other]) absence.met(key)
    clock.nowMs += hour
    for (const key of [other, other, registry]) absence.parted(key)
    clock.nowMs += hour
    expect([counts(30 * minute), counts(2 * hour)]).toEqual([true, false])
    absence.met(other)
    expect(counts(30 * minute)).toBe(true)
  })

  it('does not count where the registry alone was there, and hung up', () => {
    absence.met(registry)
    clock.nowMs += hour
    absence.parted(registry)
    clock.nowMs += hour
    expect(counts(30 * minute)).toBe(false)
    absence.met(registry)
    expect(counts(30 * minute)).toBe(false)
  })

  it('does not count where another one had gone long before', () => {
    for (const key of [registry, other]) absence.met(key)
    absence.parted(other)
    clock.nowMs += hour
    absence.parted(registry)
    clock.nowMs += hour
    expect(counts(30 * minute)).toBe(false)
  })

  it('counts whatever comes and goes after the root is back', () => {
    absence.met(other)
    absence.parted(other)
    absence.parted(other)
    absence.met(other)
    expect(counts(4 * hour)).toBe(true)
  })
})
