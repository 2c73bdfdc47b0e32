import { describe, expect, it, test } from 'vitest'
import { PinMismatchError } from '../../../../src/node/errors.ts'
import { Notices } from '../../../../src/node/status/notices.ts'
import { noticesOf } from '../../../../src/node/status/status-warnings.ts'
import type { Clock } from '../../../../src/runtime/clock-and-logger.ts'
import {
  InviteExpiredError,
  NameTakenError,
  PendingError,
  StoreGoneError,
  UnavailableError
} from '../../../../src/runtime/errors.ts'
import { day, networkFacts, now, statusFacts } from '../../../helpers/commands/status-facts.ts'

const codes = (facts: Parameters<typeof noticesOf>[0]): string[] => noticesOf(facts).map(({ code }) => code)
const only = (facts: Parameters<typeof noticesOf>[0]) => {
  const [first, ...more] = noticesOf(facts)
  expect(more).toEqual([])
  return first
}

describe('warnings', () => {
  it('are none when all is well, and none of what stops', () => {
    expect(noticesOf(statusFacts())).toEqual([])
    expect(noticesOf(statusFacts({ stopping: true, network: undefined }))).toEqual([])
  })

  test.each([
    ['pending_joins', { pending: 2 }, 'trustnet registry pending'],
    ['queued_requests', { queued: 1 }, 'trustnet registry pending'],
    ['root_away', { root: { name: 'r', state: 'offline', sinceMs: 7 } }, 'trustnet why r'],
    ['replica_stale', { replicaAgeMs: 300_000 }, 'trustnet why root'],
    ['membership_ends', { notAfterMs: now + 20 * day }, 'trustnet registry status (at the root)'],
    ['clock', { checkpointMs: now + 601_000 }, 'timedatectl set-ntp true'],
    ['no_address', { announced: 0 }, 'trustnet address --assign INTERFACE, or set announce.addresses'],
    [
      'no_address',
      { announced: 0, listenHost: 'fd10::5' },
      'ip -6 address add fd10::5 dev INTERFACE, or set listen.host'
    ],
    ['recovery_kit', { kit: { state: 'unconfirmed', path: '/k' } }, 'trustnet status --acknowledge recovery_kit'],
    ['backup_late', { backup: { lastMs: now - 3 * 60_000, everyMs: 60_000 } }, 'trustnet registry backup'],
    ['backup_late', { backup: { lastMs: null, everyMs: 60_000 } }, 'trustnet registry backup'],
    ['store_fails', { store: { failure: new Error('no space left'), folder: '/d' } }, 'df -h /d'],
    ['flood', { exceeded: [{ limit: 'lookup.rate', who: 'x', name: 'm', lastMs: now - 1 }] }, 'trustnet why m'],
    [
      'flood',
      { exceeded: [{ limit: 'connection.prefix', who: '2001:db8::/64', name: null, lastMs: now - 1 }] },
      'block 2001:db8::/64 in the firewall when it goes on'
    ],
    [
      'flood',
      { exceeded: [{ limit: 'http.requests', who: '/ip6/::1', name: null, lastMs: now - 1 }] },
      'find the program on this machine that does so when it goes on: ss -tnp'
    ],
    ['replica_stale', { replicaAgeMs: 300_000, root: undefined }, 'trustnet registry status'],
    ['self_doubt', { doubt: 'restarted' }, 'trustnet registry evict'],
    [
      'tnr_differs',
      { tnr: { domain: 'example.org', says: ['2001:db8::1'], own: '2001:db8:1::1', stale: [] } },
      'trustnet dns check, then trustnet dns set or the edit that it shows'
    ]
  ] as const)('%s holds for %j and names what fixes it', (code, change, fix) => {
    expect(only(statusFacts({ network: networkFacts(change) }))).toMatchObject({ code, fix, level: 'warning' })
  })

  it('are none of a backup that is not due three times over, or that a start is about to make', () => {
    const late = { lastMs: now - 3 * 60_000, everyMs: 60_000 }
    expect(codes(statusFacts({ upMs: 119_000, network: networkFacts({ backup: late }) }))).toEqual([])
    const due = { lastMs: now - 2 * 60_000, everyMs: 60_000 }
    expect(codes(statusFacts({ upMs: 500_000, network: networkFacts({ backup: due }) }))).toEqual([])
  })

  it('are told of a backup that is late where the process restarts within the interval, too', () => {
    const backup = { lastMs: now - 4 * 3_600_000, everyMs: 3_600_000 }
    const codesAt = (upMs: number) => codes(statusFacts({ upMs, network: networkFacts({ backup }) }))
    expect([codesAt(599_000), codesAt(601_000)]).toEqual([[], ['backup_late']])
  })

  it('leaves a store that is gone to its alarm, which says how to get it back', () => {
    const alarm = { code: 'store_gone', message: 'm', fields: {}, sinceMs: 5, lastMs: 6, times: 1, acknowledged: false }
    const store = { failure: new StoreGoneError('removed'), folder: '/d' }
    expect(only(statusFacts({ network: networkFacts({ store, alarms: [alarm] }) }))).toMatchObject({
      code: 'store_gone',
      fix: expect.stringContaining('registry restore FILE')
    })
  })

  it('tells where the recovery kit still is', () => {
    const facts = statusFacts({
      role: 'root',
      network: networkFacts({ kit: { state: 'here', path: '/d/recovery.kit' } })
    })
    expect(only(facts)?.fix).toBe(
      'move /d/recovery.kit somewhere safe, then trustnet status --acknowledge recovery_kit'
    )
  })

  it('judges the end of the membership by the time of the log, not by the own clock', () => {
    const wrongClock = statusFacts({ now: now + 85 * day })
    expect(codes(wrongClock)).toEqual([])
  })

  it('does not call the root stale by its own checkpoints', () => {
    expect(codes(statusFacts({ role: 'root', network: networkFacts({ replicaAgeMs: day, root: undefined }) }))).toEqual(
      []
    )
  })

  it('carries alarms with their time and whether they were seen', () => {
    const alarm = { code: 'x', message: 'm', fields: {}, sinceMs: 5, lastMs: 6, times: 2, acknowledged: true }
    expect(only(statusFacts({ network: networkFacts({ alarms: [alarm] }) }))).toEqual({
      code: 'x',
      level: 'alarm',
      message: 'm',
      fix: 'trustnet status --acknowledge x',
      sinceMs: 5,
      acknowledged: true
    })
  })

  test.each([
    [new PendingError('waits'), 'trustnet registry approve hal (at the root)'],
    [new InviteExpiredError('over'), 'trustnet invite (at the root), then trustnet join LINE here'],
    [new NameTakenError('taken'), 'trustnet invite --replace hal (at the root), then trustnet join LINE here'],
    [
      new UnavailableError('away', 1),
      'trustnet registry status (at the root); trustnet peers connect MULTIADDR of a member, when none is known here'
    ]
  ])('of a joiner told %s names the next command', (trouble, fix) => {
    const facts = statusFacts({
      membership: 'none',
      session: false,
      trouble,
      phaseFacts: { ...statusFacts().phaseFacts, member: false }
    })
    expect(only(facts)).toMatchObject({ code: 'not_admitted', fix })
  })

  it('of a member that slept longer than its membership name both ways back', () => {
    const phaseFacts = { ...statusFacts().phaseFacts, member: false }
    const trouble = new UnavailableError('none of 1 answered', 1)
    const slept = only(statusFacts({ membership: 'expired', session: false, trouble, phaseFacts }))
    expect(slept).toMatchObject({
      code: 'membership_expired',
      fix: expect.stringContaining('trustnet registry status')
    })
    expect(slept?.fix).toContain('trustnet join LINE here')
  })

  it('of an isolated node say that it goes on, once', () => {
    const facts = statusFacts({ session: false, trouble: new UnavailableError('none of 3 answered', 1) })
    expect(only(facts)).toMatchObject({ code: 'isolated' })
  })

  it('of the first dial name what was tried, both fingerprints of a wrong pin, and not all of many', () => {
    const address = '/ip6/2001:db8::1/tcp/8000'
    const mismatch = { address, error: new PinMismatchError(address, ['12D3KooWwanted'], '12D3KooWother') }
    const silent = Array.from({ length: 9 }, () => ({ address, error: new Error('no answer') }))
    const notices = noticesOf(statusFacts({ network: undefined, membership: 'none', failures: [mismatch, ...silent] }))
    expect(notices.map(({ code }) => code)).toEqual(['wrong_network', 'no_network'])
    expect(notices[0]?.message).toContain('12D3KooWwanted')
    expect(notices[0]?.message).toContain('12D3KooWother')
    expect(notices[1]?.message).toContain('and 6 more')
  })
})

describe('a wrong clock', () => {
  const hour = 3_600_000
  const clocks = { aheadMs: 0, agreeing: 3, heard: 3, aheadOfRootMs: 0 }
  const of = (change: object, checkpointAgeMs = 20_000) =>
    only(
      statusFacts({
        network: networkFacts({ clocks: { ...clocks, ...change }, checkpointMs: now - checkpointAgeMs })
      })
    )

  it('of this machine is named, and not the root accused of silence', () => {
    expect(of({ aheadMs: 26 * hour, aheadOfRootMs: 26 * hour }, 26 * hour)).toMatchObject({
      code: 'clock',
      message: 'the clock of this machine is wrong: it is 1 d ahead of those of 3 of 3 members that were heard',
      fix: 'timedatectl set-ntp true'
    })
    expect(of({ aheadMs: -2 * hour, aheadOfRootMs: -2 * hour }, -2 * hour)).toMatchObject({
      message: expect.stringContaining('2 h behind those of')
    })
  })

  it('of one of two machines is told of both', () => {
    expect(of({ aheadMs: 2 * hour, aheadOfRootMs: 2 * hour, agreeing: 1, heard: 1 }, 2 * hour)).toMatchObject({
      code: 'clock',
      message:
        'the clock of this machine is 2 h ahead of that of the only member that was heard: one of the two is wrong',
      fix: 'timedatectl set-ntp true (on both)'
    })
  })

  it('of the root is told at the members, whose own agree', () => {
    expect(of({ agreeing: 2, aheadOfRootMs: 2 * hour }, 2 * hour)).toMatchObject({
      code: 'root_clock',
      message: 'the clock of the root root is 2 h behind those of this machine and 2 other members',
      fix: 'timedatectl set-ntp true (at the root)'
    })
  })

  it('is not concluded from clocks that do not agree; a root that is silent is told as before', () => {
    const change = { aheadMs: 2 * hour, agreeing: 1, aheadOfRootMs: undefined }
    expect(of(change, 10 * hour)).toMatchObject({ code: 'replica_stale' })
    expect(of({}, 10 * hour)).toMatchObject({ code: 'replica_stale' })
  })
})

/** A clock that says so. */
const at = (ms: number): Clock => ({ now: () => ms, monotonic: () => ms })

describe('the history of warnings', () => {
  const notice = { code: 'a', level: 'warning', message: 'm', fix: null } as const
  const alarm = { code: 'z', level: 'alarm', message: 'm', fix: null, sinceMs: 3, acknowledged: false } as const

  it('keeps since when each holds; alarms come first', () => {
    const notices = new Notices()
    notices.mark([notice], at(10))
    expect(notices.mark([notice, alarm], at(20)).map(({ code, sinceMs }) => [code, sinceMs])).toEqual([
      ['z', 3],
      ['a', 10]
    ])
  })

  it('tells since when by the clock as it was set right meanwhile', () => {
    const notices = new Notices()
    notices.mark([notice], { now: () => 10, monotonic: () => 10 })
    const [warning] = notices.mark([notice], { now: () => 1_000_015, monotonic: () => 15 })
    expect(warning?.sinceMs).toBe(1_000_010)
  })

  it('forgets one that ended, and that it was acknowledged', () => {
    const notices = new Notices()
    notices.mark([notice], at(10))
    expect(notices.acknowledge('a')).toBe(true)
    expect(notices.mark([notice], at(20))[0]).toMatchObject({ sinceMs: 10, acknowledged: true })
    notices.mark([], at(30))
    expect(notices.acknowledge('a')).toBe(false)
    expect(notices.mark([notice], at(40))[0]).toMatchObject({ sinceMs: 40, acknowledged: false })
  })
})
