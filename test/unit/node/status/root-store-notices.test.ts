import { describe, expect, it, test } from 'vitest'
import { AwayAlarm } from '../../../../src/node/root/store/away-alarm.ts'
import { type RootStoreFacts, rootStoreNotices } from '../../../../src/node/status/root-store-notices.ts'
import { noticesOf } from '../../../../src/node/status/status-warnings.ts'
import { systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { networkFacts, now, statusFacts } from '../../../helpers/commands/status-facts.ts'

const held: RootStoreFacts = {
  store: 'postgres://u@db/log',
  isHeld: true,
  leaseLeftMs: 2500,
  failure: undefined,
  fault: undefined,
  others: ['12D3KooWother'],
  weaknesses: []
}
const waiting: RootStoreFacts = { ...held, isHeld: false, leaseLeftMs: undefined, others: [] }
const failure = { message: 'connection refused', sinceMs: now - 90_000 }

const noticesFor = (facts: RootStoreFacts, upMs = 3_600_000) =>
  rootStoreNotices(facts, upMs).filter((notice) => notice !== undefined)

describe('warnings of a root whose log is in a database', () => {
  it('are none when it holds the lease, a candidate waits and the database keeps what it says', () => {
    expect(noticesFor(held)).toEqual([])
    expect(noticesFor(waiting)).toEqual([])
    expect(rootStoreNotices(undefined, 0)).toEqual([])
  })

  test.each([
    ['root_store_down', { ...held, failure }, 'the lease of this process ends in 2 s'],
    ['root_store_down', { ...held, failure, leaseLeftMs: -10 }, 'the lease of this process has ended'],
    ['root_store_down', { ...waiting, failure }, 'connection refused'],
    ['root_store_lease', { ...held, leaseLeftMs: 700 }, 'is not renewed yet'],
    ['no_candidate', { ...waiting, fault: 'it has no log key' }, 'it has no log key'],
    ['root_store_weak', { ...held, weaknesses: ['fsync'] }, 'fsync'],
    ['root_store_alone', { ...held, others: [] }, 'nobody takes the place']
  ])('%s is one of them, alone', (code, facts, words) => {
    const notices = noticesFor(facts)
    expect(notices.map((each) => each.code)).toEqual([code])
    expect(notices[0]?.message).toContain(words)
  })

  it('say nothing of candidates before these had time to come', () => {
    expect(noticesFor({ ...held, others: [] }, 59_000)).toEqual([])
    expect(noticesFor({ ...held, others: undefined })).toEqual([])
  })

  it('are among those of the node', () => {
    const facts = statusFacts({ role: 'root', network: networkFacts({ rootStore: { ...held, failure } }) })
    expect(noticesOf(facts).map(({ code, sinceMs }) => [code, sinceMs])).toEqual([['root_store_down', failure.sinceMs]])
  })
})

describe('alarm of a database that is away', () => {
  it('is raised after a minute, once for each time', () => {
    const raised: string[] = []
    const alarm = new AwayAlarm({ ...systemClock, now: () => now })
    const look = (sinceMs: number | undefined): void => {
      const trouble = sinceMs === undefined ? undefined : { ...failure, sinceMs }
      alarm.look({ ...held, state: undefined, failure: trouble }, { raise: (code) => raised.push(code) })
    }
    look(now - 59_000)
    look(undefined)
    expect(raised).toEqual([])
    look(now - 60_000)
    look(now - 60_000)
    expect(raised).toEqual(['root_store_away'])
    look(now - 61_000)
    expect(raised).toHaveLength(2)
  })
})
