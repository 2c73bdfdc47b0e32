import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../../src/identity/hash.ts'
import type { SigningKey } from '../../../../../src/identity/keys.ts'
import { readStoredEntry } from '../../../../../src/registry/log/state/stored-entry.ts'
import type { EntryPosition } from '../../../../../src/registry/objects/entry.ts'
import { keyNumber } from '../../../../helpers/log-network.ts'
import { authority, key, LogState, logKey, nextAuthority } from '../../../../helpers/registry/log-state.ts'

let log: LogState

beforeEach(() => {
  log = new LogState()
})

describe('the order of entries', () => {
  it.each<[string, Partial<EntryPosition>, SigningKey?]>([
    ['a place that is not due', { n: 5 }],
    ['another entry before it', { prevHash: new Uint8Array(32) }],
    ['another epoch', { epoch: 1 }],
    ['another network', { networkId: new Uint8Array(32) }],
    ['another signer', {}, keyNumber(9)]
  ])('is broken by %s', (_, changes, signer) => {
    const revoke = { ...log.network.revoke(1) }
    const entry = log.next(revoke, signer, changes)
    expect(() => log.state.check(entry, {})).toThrow(expect.objectContaining({ name: 'LogMismatchError' }))
  })

  it('takes entries of newer kinds without effect', () => {
    const root = log.state.root()
    expect(log.take({ kind: 'unknown', kindNumber: 99, body: Uint8Array.of(8, 2) })).toEqual([])
    expect(log.state.root()).toEqual(root)
    expect(log.state.live()).toEqual([0, 1])
    const stored = readStoredEntry(log.entries.get(1)?.bytes ?? new Uint8Array())
    expect(stored.value).toMatchObject({ kind: 'unknown', kindNumber: 99, n: 1 })
  })
})

describe('log keys', () => {
  it('open epochs, each with its place', () => {
    log.take({ kind: 'delegate', body: { logKey: key(1005) } }, authority, { epoch: 3 })
    expect(log.state.head).toMatchObject({ epoch: 3, n: 1 })
    expect(log.state.logKeyOf(3)).toEqual(key(1005))
    expect(log.state.logKeyOf(2)).toBeUndefined()
    expect(log.state.forkPoint(3)).toMatchObject({ forkN: 0, forkHash: log.networkId })
    expect(log.state.keys.epoch).toBe(3)
    expect(log.refusal(log.network.revoke(1))).toBe('LogMismatchError')
    expect(log.refusal(log.network.revoke(1), keyNumber(1005))).toBe('taken')
  })

  it('are opened by the authority that was revealed last', () => {
    const digest = sha256(key(1010))
    expect(
      log.refusal({ kind: 'authority', body: { authorityKey: key(7), nextAuthorityDigest: digest } }, keyNumber(7))
    ).toBe('LogMismatchError')
    log.take(
      { kind: 'authority', body: { authorityKey: nextAuthority.publicKey, nextAuthorityDigest: digest } },
      nextAuthority
    )
    expect(log.refusal({ kind: 'delegate', body: { logKey: key(5) } }, authority, { epoch: 1 })).toBe(
      'LogMismatchError'
    )
    expect(log.refusal({ kind: 'delegate', body: { logKey: key(5) } }, nextAuthority, { epoch: 1 })).toBe('taken')
  })

  it('are judged by the entries of their kinds only', () => {
    const other = log.next(log.network.revoke(1))
    expect(() => log.state.keys.afterDelegate(other)).toThrow('no delegation')
    expect(() => log.state.keys.afterAuthority(other)).toThrow('no authority')
  })
})

describe('taking back', () => {
  it('comes to the state before, as if nothing had been', () => {
    log.take(log.admit(1, { name: 'web' }))
    log.take(log.network.registrySet(1))
    log.take(log.network.publisher(1003))
    log.take(log.network.publish('a', 1))
    const facts = () => ({
      head: log.state.head,
      root: log.state.root(),
      rows: log.state.rows,
      bytes: log.state.bytes,
      live: log.state.live(),
      member: log.state.member(key(1))?.name,
      epoch: log.state.keys.epoch
    })
    const before = facts()
    log.state.begin()
    log.take(log.network.renew(log, 1))
    const mark = log.state.mark()
    const middle = facts()
    log.take(log.network.rotate(log.networkId, 1, 2))
    log.take(log.network.revoke(2))
    log.take(log.admit(3, { name: 'web' }))
    log.take(log.network.retire('a'))
    log.take(log.network.publish('a', 2))
    log.take(log.network.publisher(1003, true))
    log.take({ kind: 'delegate', body: { logKey: key(1005) } }, authority, { epoch: 1 })
    log.state.undoTo(mark)
    expect(facts()).toEqual(middle)
    log.state.undoTo(0)
    expect(facts()).toEqual(before)
    log.state.settle()
    expect(log.take(log.network.revoke(1))).toEqual([1, 2])
  })
})

describe('a compacted log', () => {
  it('is refused out of order, with what was superseded, or with an end that is not its own', () => {
    log.take(log.admit(1))
    log.take(log.network.renew(log, 1))
    log.take(log.network.renew(log, 1))
    const [one, two, three] = [1, 2, 3].map((n) => log.entries.get(n))
    if (one === undefined || two === undefined || three === undefined) return
    const loaded = log.newState()
    loaded.load(one)
    expect(() => loaded.load(one)).toThrow('comes after')
    const gap = log.newState()
    expect(() => gap.load(three)).toThrow('not there')
    const all = log.newState()
    all.load(one)
    all.load(two)
    expect(() => all.load(three)).toThrow('should be gone')
    const good = log.newState()
    good.load(one)
    good.load(three)
    expect(() => good.finishLoad({ ...log.state.head, n: 2 })).toThrow('not at 2')
    expect(() => good.finishLoad({ ...log.state.head, hash: log.networkId })).toThrow('not at 3')
    expect(() => good.finishLoad({ ...log.state.head, epoch: 1 })).toThrow('not at 3')
    good.finishLoad(log.state.head)
    expect(good.root()).toEqual(log.state.root())
  })

  it('keeps out a key that was rotated, also when its successor is gone', () => {
    log.take(log.admit(1))
    log.take(log.network.registrySet(1))
    log.take(log.network.rotate(log.networkId, 1, 2))
    log.take(log.network.revoke(2))
    const live = log.state.live()
    expect(live).toEqual([0, 3, 4])
    const loaded = log.newState()
    for (const n of live.slice(1)) loaded.load(log.entry(n))
    loaded.finishLoad(log.state.head)
    expect([1, 2].map((member) => loaded.isRevoked(key(member)))).toEqual([true, true])
    expect(loaded.root()).toEqual(log.state.root())
  })

  it.each([
    ['publisher', () => [log.network.publisher(5), log.network.publisher(5, true)]],
    ['registry', () => [log.admit(1), log.network.registrySet(1), log.network.registrySet(1, true)]],
    ['invite', () => [log.network.grant(1), log.network.grantEnd(1)]]
  ])('that removes a %s which is not there is refused', (_, entries) => {
    for (const entry of entries()) log.take(entry)
    const removal = log.entry(log.state.head.n)
    expect(() => log.newState().load(removal)).toThrow('should be gone')
  })

  it('that removes an operator who is not there is refused', () => {
    const removal = log.next({ kind: 'operator', body: { publicKey: key(1), name: 'ann', removed: true } })
    expect(() => log.newState().load(removal)).toThrow('should be gone')
  })

  it('that breaks the chain or retires nothing is refused', () => {
    log.take(log.network.publisher(1003))
    log.take(log.network.publish('a', 1))
    log.take(log.network.retire('a'))
    const retire = log.entries.get(3)
    if (retire === undefined) return
    expect(() => log.newState().load(retire)).toThrow('not there')
    const forged = log.next(log.network.revoke(1), logKey, { n: 1, prevHash: new Uint8Array(32) })
    expect(() => log.newState().load(forged)).toThrow('does not follow')
  })
})
