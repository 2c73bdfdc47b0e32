import { describe, expect, it, test } from 'vitest'
import { HungUpError, NoCandidateError, PinMismatchError } from '../../../../src/node/errors.ts'
import { noticesOf } from '../../../../src/node/status/status-warnings.ts'
import { judge } from '../../../../src/node/status/verdict.ts'
import {
  DuplicateInstanceError,
  InviteExpiredError,
  PendingError,
  UnavailableError,
  WrongNetworkError
} from '../../../../src/runtime/errors.ts'
import { day, networkFacts, now, statusFacts } from '../../../helpers/commands/status-facts.ts'

const alarm = {
  code: 'log_fork',
  message: 'two histories',
  fields: {},
  sinceMs: now,
  lastMs: now,
  times: 1,
  acknowledged: false
}
const silent = { address: '/ip6/2001:db8::1/tcp/8000', error: new Error('no answer in time') }
const foreign = { address: '/ip6/2001:db8::2/tcp/8000', error: new WrongNetworkError('it is of another network') }
const mismatch = {
  address: '/ip6/2001:db8::3/tcp/8000',
  error: new PinMismatchError('/ip6/2001:db8::3/tcp/8000', ['12D3KooWwanted'], '12D3KooWother')
}

describe('the status word', () => {
  it('is healthy when nothing is missing, and says how many are online', () => {
    expect(judge(statusFacts())).toEqual({ word: 'healthy', summary: '5 of 5 members online' })
  })

  it('is stopping above all else', () => {
    expect(judge(statusFacts({ stopping: true, membership: 'revoked' })).word).toBe('stopping')
  })

  it('of a root that listens for newer heads names the address that it cannot listen on', () => {
    const refusal = new UnavailableError('listens for newer heads', 1)
    const fenced = (change: Parameters<typeof networkFacts>[0]) =>
      judge(statusFacts({ role: 'root', network: networkFacts({ fenced: true, refusal, ...change }) }))
    expect(fenced({})).toEqual({ word: 'starting', summary: 'listens for newer heads' })
    expect(fenced({ announced: 0 })).toEqual({ word: 'starting', summary: 'listens for newer heads' })
    expect(fenced({ announced: 0, listenHost: '2001:db8::9' })).toEqual({
      word: 'starting',
      summary: expect.stringContaining('no interface of this machine has 2001:db8::9 now')
    })
  })

  test.each([
    ['starting', { failures: [], upMs: 1000 }],
    ['isolated', { failures: [], upMs: 60_000 }],
    ['isolated', { failures: [silent] }],
    ['isolated', { failures: [silent, foreign] }],
    ['refused', { failures: [foreign, mismatch] }]
  ] as const)('is %s before the network was found with %j', (word, change) => {
    expect(judge(statusFacts({ network: undefined, membership: 'none', ...change })).word).toBe(word)
  })

  test.each([
    ['starting', undefined, 1000],
    ['pending', undefined, 60_000],
    ['pending', new PendingError('waits for the operator'), 60_000],
    ['refused', new InviteExpiredError('the invite ended'), 1000],
    ['isolated', new UnavailableError('nobody answers', 1), 1000]
  ] as const)('is %s for a joiner told %s', (word, trouble, upMs) => {
    const facts = statusFacts({ membership: 'none', session: false, trouble, upMs })
    expect(judge(facts).word).toBe(word)
  })

  it('is refused for a revoked key and for a cloned one', () => {
    expect(judge(statusFacts({ membership: 'revoked' })).word).toBe('refused')
    const trouble = new DuplicateInstanceError('another process has this key')
    expect(judge(statusFacts({ session: false, trouble }))).toEqual({ word: 'refused', summary: trouble.message })
  })

  it('is refused when whoever answers hangs up after the handshake, isolated when one is merely silent', () => {
    const hungUp = { address: '/ip6/2001:db8::4/tcp/8000', error: new HungUpError('it hung up') }
    const shutOut = { session: false, trouble: new NoCandidateError([hungUp, hungUp]) }
    expect(judge(statusFacts(shutOut))).toMatchObject({ word: 'refused', summary: expect.stringContaining('revoked') })
    expect(judge(statusFacts({ session: false, trouble: new NoCandidateError([hungUp, silent]) })).word).toBe(
      'isolated'
    )
    const lost = { network: undefined, membership: 'none', failures: [hungUp] } as const
    expect(judge(statusFacts(lost)).word).toBe('refused')
    expect(noticesOf(statusFacts(shutOut)).map(({ code }) => code)).toContain('shut_out')
  })

  it('is isolated while no registry answers, and says how old the replica is', () => {
    const trouble = new UnavailableError('none of 2 answered', 1)
    const facts = statusFacts({ session: false, trouble, network: networkFacts({ replicaAgeMs: 3 * 60_000 }) })
    expect(judge(facts)).toEqual({
      word: 'isolated',
      summary: 'no registry answers: none of 2 answered; goes on with its own replica, 3 min old'
    })
  })

  it('is degraded, not isolated, between two registries', () => {
    expect(judge(statusFacts({ session: false })).word).toBe('degraded')
    expect(judge(statusFacts({ session: false, upMs: 1000 })).word).toBe('degraded')
    expect(judge(statusFacts({ session: false, hadSession: false, upMs: 1000 })).word).toBe('starting')
    expect(judge(statusFacts({ session: false, hadSession: false })).word).toBe('degraded')
  })

  it('needs no session at the root, which is starting while it listens and degraded while it may not append', () => {
    const refusal = new UnavailableError('listens for newer heads', 1)
    const root = { role: 'root', session: false } as const
    expect(judge(statusFacts(root)).word).toBe('healthy')
    expect(judge(statusFacts({ ...root, network: networkFacts({ refusal, fenced: true }) })).word).toBe('starting')
    expect(judge(statusFacts({ ...root, network: networkFacts({ refusal }) })).word).toBe('degraded')
  })

  it.each(['root', 'secondary', 'integrated', 'external'] as const)(
    'is degraded at a %s whose disk is full',
    (role) => {
      const store = { failure: new Error('no space left'), folder: '/d' }
      const verdict = judge(statusFacts({ role, network: networkFacts({ store }) }))
      expect(verdict).toEqual({ word: 'degraded', summary: 'no space left' })
    }
  )

  it('is degraded by an alarm until it is acknowledged', () => {
    expect(judge(statusFacts({ network: networkFacts({ alarms: [alarm] }) })).word).toBe('degraded')
    const seen = { ...alarm, acknowledged: true }
    expect(judge(statusFacts({ network: networkFacts({ alarms: [seen] }) })).word).toBe('healthy')
  })

  it('is degraded by a replica of a day, but not by one of an hour', () => {
    expect(judge(statusFacts({ network: networkFacts({ replicaAgeMs: day }) })).word).toBe('degraded')
    expect(judge(statusFacts({ network: networkFacts({ replicaAgeMs: 3_600_000 }) })).word).toBe('healthy')
  })

  it('is starting while the replica is fetched, degraded when that takes too long', () => {
    const phaseFacts = { ...statusFacts().phaseFacts, replica: false }
    expect(judge(statusFacts({ phaseFacts, upMs: 5000 })).word).toBe('starting')
    expect(judge(statusFacts({ phaseFacts })).word).toBe('degraded')
  })

  it('does not call a small network degraded that cannot reach the last phases', () => {
    const alone = networkFacts({ up: { members: 0, sources: 0, carriers: 0 }, total: 1 })
    const phaseFacts = { member: true, session: true, replica: true, mesh: 0, sources: 0, cachedPeers: 0 }
    const phase = { name: 'trusted', ageMs: day } as const
    expect(judge(statusFacts({ role: 'root', phase, phaseFacts, network: alone })).word).toBe('healthy')
    const two = networkFacts({ up: { members: 1, sources: 1, carriers: 0 }, total: 2 })
    expect(judge(statusFacts({ phase, phaseFacts: { ...phaseFacts, mesh: 1, sources: 1 }, network: two })).word).toBe(
      'healthy'
    )
  })

  test.each([
    ['trusted', 119_000, 'healthy'],
    ['trusted', 121_000, 'degraded'],
    ['federated', 299_000, 'healthy'],
    ['federated', 301_000, 'degraded']
  ] as const)('gives phase %s %i ms to become the next one where that is possible: %s', (name, ageMs, word) => {
    const phaseFacts = { ...statusFacts().phaseFacts, sources: 1, cachedPeers: 0 }
    expect(judge(statusFacts({ phase: { name, ageMs }, phaseFacts })).word).toBe(word)
  })

  it('does not miss gossip where it is switched off', () => {
    const phase = { name: 'trusted', ageMs: day } as const
    const phaseFacts = { ...statusFacts().phaseFacts, mesh: 0 }
    expect(judge(statusFacts({ phase, phaseFacts })).word).toBe('degraded')
    expect(judge(statusFacts({ phase, phaseFacts, gossip: false })).word).toBe('healthy')
  })
})
