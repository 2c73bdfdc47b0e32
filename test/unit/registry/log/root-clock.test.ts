import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { ClockDoubt } from '../../../../src/registry/log/clock-doubt.ts'
import { RootClock } from '../../../../src/registry/log/root-clock.ts'
import { openDatabase } from '../../../../src/registry/store/database.ts'
import { MetaTable } from '../../../../src/registry/store/meta-table.ts'
import { type Clock, silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { SteadyClock } from '../../../../src/runtime/steady-clock.ts'
import { day, RealNetwork, TestClock } from '../../../helpers/real-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const hour = 3_600_000

/** The root of a network, by another clock than it has; its newest checkpoint is of now. */
async function rootClock(clock: Clock, isMember: (publicKey: Uint8Array) => boolean = () => true): Promise<RootClock> {
  await using network = await RealNetwork.create()
  const { checkpoint, ledger } = network.root.replica
  return new RootClock({ checkpoint, ledger: Object.create(ledger, { clock: { value: clock } }), isMember })
}

const at = (timeMs: number): TestClock => Object.assign(new TestClock(), { timeMs })
const answerOf = (clock: RootClock): string | undefined => clock.refusal()?.message
/** What it warns of when something is signed. */
const said = (clock: RootClock): string[] => {
  const lines: string[] = []
  clock.signed({ ...silentLogger, warn: (_, message) => lines.push(message.split(',')[0] ?? '') })
  return lines
}
const key = (number: number): Uint8Array => new Uint8Array(32).fill(number)

describe('the clock of a root that has signed nothing yet', () => {
  it.each([
    [-day, '24 hours behind the newest checkpoint'],
    [400 * day, 'has signed nothing for 400 days'],
    [200 * day, undefined]
  ])('that is %i ms beyond the newest checkpoint answers %s', async (ms, answer) => {
    const clock = await rootClock(at(Date.now() + ms))
    if (answer === undefined) expect(answerOf(clock)).toBeUndefined()
    else expect(answerOf(clock)).toContain(answer)
  })

  it('is no matter where nothing was ever signed', () => {
    const ledger = Object.create(null, { clock: { value: at(5) } })
    const clock = new RootClock({ checkpoint: undefined, ledger, isMember: () => true })
    clock.heard(key(1), 9 * day)
    clock.signed(silentLogger)
    expect([answerOf(clock), clock.isConfirmed]).toEqual([undefined, true])
  })

  it('counts back from a later time when it is put right before anything was signed', async () => {
    const wrong = Object.assign(new TestClock(), { monotonic: () => 0, timeMs: Date.now() - 9 * day })
    const steady = new SteadyClock({ clock: wrong })
    const clock = await rootClock(steady)
    expect(answerOf(clock)).toContain('9 days behind the newest checkpoint')
    wrong.advance(9 * day)
    expect(answerOf(clock)).toBeUndefined()
    expect(steady.stepMs).toBeUndefined()
  })

  it('is put right after a long pause, too, when the members that were heard agree then', async () => {
    const wrong = Object.assign(new TestClock(), { monotonic: () => 0, timeMs: Date.now() + 100 * day })
    const clock = await rootClock(new SteadyClock({ clock: wrong }))
    clock.heard(key(1), Date.now() + 3 * day)
    expect(answerOf(clock)).toContain('97 days ahead of that of 1 of 1 members')
    wrong.advance(-97 * day)
    expect(answerOf(clock)).toBeUndefined()
  })

  it('is not followed when it steps while it runs', async () => {
    const machine = Object.assign(new TestClock(), { monotonic: () => 0 })
    const clock = await rootClock(new SteadyClock({ clock: machine }))
    machine.advance(3 * day)
    expect(answerOf(clock)).toContain('has stepped by 3 days while it ran')
    clock.signed(silentLogger)
    expect(answerOf(clock)).toContain('has stepped by 3 days while it ran')
  })
})

describe('a root that was away for long', () => {
  let machine: TestClock
  let clock: RootClock

  beforeEach(async () => {
    machine = at(Date.now() + 100 * day)
    clock = await rootClock(machine)
  })

  const hears = (number: number, ms: number): void => clock.heard(key(number), machine.timeMs + ms)

  it('hears those that are members now alone: one that has changed its key many times has one voice', async () => {
    const members = new Set([7, 8, 9])
    clock = await rootClock(machine, (publicKey) => members.has(publicKey[0] ?? 0))
    for (const former of [1, 2, 3, 4, 5, 6]) hears(former, -90 * day)
    hears(7, -90 * day)
    expect(answerOf(clock)).toContain('1 of 1 members')
    for (const honest of [8, 9]) hears(honest, 0)
    expect([answerOf(clock), clock.isConfirmed]).toEqual([undefined, true])
  })

  it('signs nothing while more members differ than agree, also when it had begun to', () => {
    hears(1, -90 * day)
    expect(answerOf(clock)).toContain('90 days ahead of that of 1 of 1 members that were heard')
    hears(2, 1_000)
    expect(answerOf(clock)).toBeUndefined()
    expect(said(clock)).toEqual(['this root has signed nothing for 100 days'])
    hears(3, 90 * day)
    expect(answerOf(clock)).toContain('of 2 of 3 members')
    hears(4, 0)
    expect(answerOf(clock)).toBeUndefined()
    hears(5, 0)
    expect([clock.isConfirmed, answerOf(clock)]).toEqual([true, undefined])
    for (const number of [6, 7, 8, 9, 10]) hears(number, 5 * day)
    expect(answerOf(clock)).toBeUndefined()
    expect(clock.others()).toMatchObject({ agree: 3, differ: 7 })
  })

  it('says so when it was behind, and not a word of members whose own clock is behind the log', () => {
    hears(1, 90 * day)
    expect(answerOf(clock)).toContain('90 days behind that of 1 of 1 members')
    hears(2, -101 * day)
    expect(clock.others()).toMatchObject({ agree: 0, differ: 1 })
  })

  it('counts each member once, and 64 of them', () => {
    for (let number = 0; number < 70; number++) hears(number, 9 * day)
    hears(69, 0)
    expect(clock.others()).toMatchObject({ agree: 1, differ: 63 })
  })

  it('signs nothing, where no member decides, before the time service of its machine has set the clock', async () => {
    machine.served = false
    const doubted = 'has signed nothing for 100 days, which neither a member nor the time service'
    expect([answerOf(clock), clock.refusal()?.retryAfterMs]).toEqual([expect.stringContaining(doubted), 5_000])
    machine.served = true
    expect([answerOf(clock), said(clock), clock.isConfirmed]).toEqual([undefined, [], true])
    machine.served = false
    expect(answerOf(clock)).toBeUndefined()
  })

  it('goes by members, also against the time service of its machine', async () => {
    machine.served = false
    hears(1, 1_000)
    expect([answerOf(clock), said(clock)]).toEqual([undefined, []])
    const other = await rootClock(machine)
    machine.served = true
    other.heard(key(1), machine.timeMs - 90 * day)
    expect(answerOf(other)).toContain('90 days ahead of that of 1 of 1 members')
  })

  it('signs without a time service that comes later', () => {
    expect([answerOf(clock), said(clock)]).toEqual([undefined, ['this root has signed nothing for 100 days']])
    machine.served = false
    expect(answerOf(clock)).toBeUndefined()
  })

  it.each([0, 5 * hour])(
    'is put right by the time service before anything was signed, after a pause of %i ms',
    async (pauseMs) => {
      const wrong = Object.assign(new TestClock(), { monotonic: () => 0, timeMs: Date.now() + pauseMs + 99 * day })
      wrong.served = false
      const steady = new SteadyClock({ clock: wrong })
      const doubted = await rootClock(steady)
      expect(answerOf(doubted)).toContain('neither a member nor the time service')
      wrong.served = true
      wrong.advance(-99 * day)
      expect([answerOf(doubted), steady.stepMs, said(doubted)]).toEqual([undefined, undefined, []])
    }
  )

  it('is confirmed by members, by its operator, or by a day', async () => {
    expect([clock.isConfirmed, said(clock).length, said(clock).length]).toEqual([false, 1, 0])
    machine.advance(23 * hour)
    expect(clock.isConfirmed).toBe(false)
    machine.advance(hour)
    expect(clock.isConfirmed).toBe(true)
    const other = await rootClock(machine)
    await other.accept(async () => {})
    expect([other.isConfirmed, said(other)]).toEqual([true, []])
  })
})

describe('a doubt of the clock', () => {
  /** The clock of a root 100 days after its last checkpoint, over restarts: each is given what the one before has kept. */
  async function restarts() {
    const folder = tempFolder()
    const db = openDatabase(join(folder.path, 'registry.db'))
    const doubt = new ClockDoubt(new MetaTable(db))
    await using network = await RealNetwork.create()
    const { checkpoint, ledger } = network.root.replica
    const checkpointMs = checkpoint?.value.timeMs ?? 0
    const start = (clock: Clock, signedMs = checkpointMs): RootClock =>
      new RootClock(
        {
          checkpoint: checkpoint && { ...checkpoint, value: { ...checkpoint.value, timeMs: signedMs } },
          ledger: Object.create(ledger, { clock: { value: clock } }),
          isMember: () => true
        },
        doubt
      )
    return {
      checkpointMs,
      doubt,
      start,
      [Symbol.dispose]() {
        db.close()
        folder[Symbol.dispose]()
      }
    }
  }

  it('is there after a restart, until a member agrees', async () => {
    using root = await restarts()
    const machine = at(root.checkpointMs + 100 * day)
    expect(said(root.start(machine))).toEqual(['this root has signed nothing for 100 days'])
    expect(root.doubt.confirmedMs).toBe(root.checkpointMs)
    const signedMs = machine.timeMs
    machine.advance(hour / 2)
    const again = root.start(machine, signedMs)
    again.heard(key(1), root.checkpointMs + day)
    expect(answerOf(again)).toContain('99 days ahead of that of 1 of 1 members')
    const third = root.start(machine, signedMs)
    third.heard(key(2), machine.timeMs)
    expect([answerOf(third), said(third), root.doubt.confirmedMs]).toEqual([undefined, [], undefined])
    expect(said(third)).toEqual([])
  })

  it('is over when the operator has put the clock right', async () => {
    using root = await restarts()
    const machine = at(root.checkpointMs + 100 * day)
    said(root.start(machine))
    const signedMs = machine.timeMs
    machine.advance(-99 * day)
    const right = root.start(machine, signedMs)
    expect(answerOf(right)).toContain('99 days behind the newest checkpoint')
    await right.accept(async () => {
      expect([right.now(), answerOf(right)]).toEqual([machine.timeMs, undefined])
      right.signed(silentLogger)
    })
    expect(root.doubt.confirmedMs).toBeUndefined()
    expect(said(root.start(machine, machine.timeMs))).toEqual([])
  })
})
