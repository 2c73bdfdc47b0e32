import { expect, it } from 'vitest'
import { clockRefusal } from '../../../../src/registry/log/clock-refusal.ts'
import type { Clock } from '../../../../src/runtime/clock-and-logger.ts'
import { SteadyClock } from '../../../../src/runtime/steady-clock.ts'
import { day, RealNetwork, TestClock } from '../../../helpers/real-network.ts'

/** What the root of a network would answer with another clock than it has. */
async function answers(clock: Clock, hasSigned: boolean): Promise<string | undefined> {
  await using network = await RealNetwork.create()
  const { checkpoint, ledger } = network.root.replica
  const replica = Object.create(network.root.replica, {
    checkpoint: { value: checkpoint },
    ledger: { value: Object.create(ledger, { clock: { value: clock } }) }
  })
  return clockRefusal(replica, hasSigned)?.message
}

const at = (timeMs: number): TestClock => Object.assign(new TestClock(), { timeMs })

it('a clock behind the newest checkpoint, or more than a year beyond it, signs nothing at first', async () => {
  expect(await answers(at(Date.now() - day), false)).toContain('24 hours behind the newest checkpoint')
  expect(await answers(at(Date.now() + 400 * day), false)).toContain('has signed nothing for 400 days')
  expect(await answers(at(Date.now() + 200 * day), false)).toBeUndefined()
  expect(await answers(at(Date.now() - day), true)).toBeUndefined()
})

it('a clock that was wrong at the start is followed when it is put right before anything was signed', async () => {
  const wrong = Object.assign(new TestClock(), { monotonic: () => 0, timeMs: Date.now() - 9 * day })
  const clock = new SteadyClock({ clock: wrong })
  expect(await answers(clock, false)).toContain('9 days behind the newest checkpoint')
  wrong.advance(9 * day)
  expect(await answers(clock, false)).toBeUndefined()
  expect(clock.stepMs).toBeUndefined()
})

it('a clock that steps while it runs is not followed', async () => {
  const machine = Object.assign(new TestClock(), { monotonic: () => 0 })
  const clock = new SteadyClock({ clock: machine })
  machine.advance(3 * day)
  expect(await answers(clock, false)).toContain('has stepped by 3 days while it ran')
  expect(await answers(clock, true)).toContain('has stepped by 3 days while it ran')
})
