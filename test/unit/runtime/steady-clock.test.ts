import { expect, it } from 'vitest'
import { durationText, SteadyClock } from '../../../src/runtime/steady-clock.ts'

const minute = 60_000
const day = 86_400_000

/** A machine whose clocks a test turns. */
class Machine {
  wallMs = 1_000 * day
  monotonicMs = 5
  upMs = 77
  readonly clock = new SteadyClock({
    clock: { now: () => this.wallMs, monotonic: () => this.monotonicMs },
    uptimeMs: () => this.upMs
  })

  pass(ms: number): void {
    this.wallMs += ms
    this.monotonicMs += ms
    this.upMs += ms
  }
}

it('goes on with the time before when the wall clock steps, until it comes back', () => {
  const machine = new Machine()
  const { clock } = machine
  machine.pass(minute)
  expect([clock.now(), clock.stepMs]).toEqual([machine.wallMs, undefined])
  const rightMs = machine.wallMs
  machine.wallMs += 400 * day
  expect([clock.now(), clock.stepMs]).toEqual([rightMs, 400 * day])
  machine.pass(75_000)
  expect([clock.now(), clock.stepMs]).toEqual([rightMs + 75_000, 400 * day])
  machine.wallMs -= 400 * day
  expect([clock.now(), clock.stepMs]).toEqual([rightMs + 75_000, undefined])
})

it('follows the wall clock wherever it is when an operator says so', () => {
  const machine = new Machine()
  const { clock } = machine
  machine.wallMs -= day
  expect(clock.stepMs).toBe(-day)
  clock.accept()
  expect([clock.now(), clock.stepMs]).toEqual([machine.wallMs, undefined])
})

it('follows small steps, and takes a sleep of the machine for none', () => {
  const machine = new Machine()
  const { clock } = machine
  machine.wallMs += 9 * minute
  expect([clock.now(), clock.stepMs]).toEqual([machine.wallMs, undefined])
  machine.pass(2 * minute)
  expect(clock.now()).toBe(machine.wallMs)
  machine.wallMs += day
  machine.upMs += day
  expect([clock.now(), clock.stepMs]).toEqual([machine.wallMs, undefined])
})

it('does without the time since the start of the machine', () => {
  const clock = new SteadyClock()
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(minute)
  expect(clock.stepMs).toBeUndefined()
})

it.each([
  [73 * 365 * day, '73 years'],
  [-3 * day, '3 days'],
  [90 * minute, '90 minutes'],
  [11_000, '11 seconds'],
  [1_000, '1 second']
])('writes %i ms for people', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})
