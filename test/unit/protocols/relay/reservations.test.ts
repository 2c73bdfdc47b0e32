import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { Reservations } from '../../../../src/protocols/relay/reservations.ts'
import { LimitError } from '../../../../src/runtime/errors.ts'

const limits = { ...defaultLimits.relay, reservations: 3, reservationMs: 1_000 }

/** A clock that the test turns. */
const handClock = () => {
  let ms = 0
  return { clock: { now: () => ms, monotonic: () => ms }, pass: (more: number) => (ms += more) }
}

describe('reservations', () => {
  it('end after their time, and with it their place is free', () => {
    const { clock, pass } = handClock()
    const reservations = new Reservations(limits, clock)
    for (const peer of ['a', 'b', 'c']) reservations.reserve(peer)
    expect(() => reservations.reserve('d')).toThrow(LimitError)
    pass(999)
    expect(reservations.has('a')).toBe(true)
    reservations.reserve('a')
    pass(1)
    expect(['a', 'b', 'c'].map((peer) => reservations.has(peer))).toEqual([true, false, false])
    expect(reservations.size).toBe(1)
    reservations.reserve('d')
    expect(reservations.size).toBe(2)
  })

  it('are renewed also when there is no place for another one', () => {
    const { clock } = handClock()
    const reservations = new Reservations(limits, clock)
    for (const peer of ['a', 'b', 'c', 'a', 'b', 'c']) reservations.reserve(peer)
    expect(reservations.size).toBe(3)
    reservations.delete('b')
    expect(reservations.has('b')).toBe(false)
  })
})
