import { beforeEach, describe, expect, it } from 'vitest'
import { RegistryContacts } from '../../../../src/registry/admission/registry-contacts.ts'
import { TestClock } from '../../../helpers/log-network.ts'

const minute = 60_000
const hour = 60 * minute
const registry = new Uint8Array(32).fill(1)

let clock: TestClock
let contacts: RegistryContacts

beforeEach(() => {
  clock = new TestClock()
  contacts = new RegistryContacts(clock, clock.now() - 5 * hour)
})

/** Whether a receipt counts that is so old now. */
const counts = (ageMs: number): boolean => contacts.mayDate(registry, clock.now() - ageMs)

describe('the receipt of a registry', () => {
  it('counts back to when the root was there last, while the registry was not met since', () => {
    expect(counts(5 * hour)).toBe(true)
    expect(counts(6 * hour)).toBe(false)
  })

  it('counts for the absence that has just ended, and for no other time', () => {
    contacts.met(registry)
    expect(counts(5 * hour)).toBe(true)
    clock.nowMs += 11 * minute
    expect(counts(5 * hour)).toBe(false)
    expect(counts(2 * minute)).toBe(false)
    expect(counts(minute)).toBe(true)
    contacts.parted(registry)
    clock.nowMs += hour
    expect(counts(hour)).toBe(true)
    expect(counts(2 * hour)).toBe(false)
    contacts.met(registry)
    expect(counts(hour)).toBe(true)
    expect(counts(2 * hour)).toBe(false)
  })

  it('counts by the last connection of several, and by none that was not told', () => {
    contacts.parted(registry)
    contacts.met(registry)
    contacts.met(registry)
    contacts.parted(registry)
    clock.nowMs += hour
    expect(counts(hour)).toBe(false)
    contacts.parted(registry)
    contacts.parted(registry)
    clock.nowMs += hour
    expect(counts(hour)).toBe(true)
  })
})
