import { beforeEach, describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../../../../src/registry/log/log-writer.ts'
import { openJoin } from '../../../../../src/registry/objects/join.ts'
import { sealReceipt } from '../../../../../src/registry/objects/receipt.ts'
import { keyNumber } from '../../../../helpers/log-network.ts'
import { key, LogState } from '../../../../helpers/registry/log-state.ts'

const hour = 3_600_000

let log: LogState

beforeEach(() => {
  log = new LogState()
})

/** What is left in a compacted log makes the same state. */
const expectSameWhenLoaded = (): void => {
  const again = log.newState()
  for (const n of log.state.live().slice(1)) again.load(log.entry(n))
  expect(again.root()).toEqual(log.state.root())
  expect([...again.grants()]).toEqual([...log.state.grants()])
}

describe('an invite', () => {
  it('is spent by the admissions that name it, and leaves the log with the last', () => {
    log.take(log.network.grant(1, { uses: 2 }))
    expect(log.take(log.admit(1, { invite: 1 }))).toEqual([])
    expect(log.state.grant(log.network.grantId(1))?.taken).toBe(1)
    expectSameWhenLoaded()
    expect(log.take(log.admit(2, { invite: 1 }))).toEqual([1])
    expect(log.state.grantCount).toBe(0)
    expect(log.refusal(log.admit(3, { invite: 1 }))).toBe('InviteInvalidError')
    expectSameWhenLoaded()
  })

  it('goes on counting those whose membership has ended', () => {
    log.take(log.network.grant(1, { uses: 3 }))
    log.take(log.admit(1, { invite: 1 }))
    log.take(log.network.renew(log, 1))
    expect(log.take(log.network.revoke(1))).toEqual([3])
    expectSameWhenLoaded()
    log.take(log.admit(2, { invite: 1 }))
    expect(log.take(log.admit(3, { invite: 1 }))).toEqual([1, 2])
    expectSameWhenLoaded()
  })

  it('lets go of what it counted when it is taken back', () => {
    log.take(log.network.grant(1, { uses: 3 }))
    log.take(log.admit(1, { invite: 1 }))
    log.take(log.network.revoke(1))
    expect(log.take(log.network.grantEnd(1))).toEqual([1, 2, 4])
    expect(log.refusal(log.network.grantEnd(1))).toBe('NotFoundError')
    expect(log.refusal(log.admit(2, { invite: 1 }))).toBe('InviteInvalidError')
    expectSameWhenLoaded()
  })

  it('counts again whoever uses it twice, and forgets what is undone', () => {
    log.take(log.network.grant(1, { uses: 5 }))
    log.take(log.admit(1, { invite: 1 }))
    const root = log.state.root()
    log.state.begin()
    const mark = log.state.mark()
    expect(log.take(log.admit(1, { invite: 1, name: 'again' }))).toEqual([])
    expect(log.state.grant(log.network.grantId(1))).toMatchObject({ taken: 2, past: new Set([2]) })
    expectSameWhenLoaded()
    log.take(log.network.policy({ admission: 'open' }))
    log.state.undoTo(mark)
    log.state.settle()
    expect(log.state.grant(log.network.grantId(1))).toMatchObject({ taken: 1, past: new Set() })
    expect(log.state.policy.admission).toBe('invite')
    expect(log.state.root()).toEqual(root)
  })

  it('is refused as root, twice, for too many, for too long, with a name for many, and beyond the number of the policy', () => {
    const { network } = log
    log.take(network.policy({ openGrants: 2, grantUses: 10, grantMs: hour }))
    expect(log.refusal(network.grant(1, { role: 'root' }))).toBe('InvalidPayloadError')
    expect(log.refusal(network.grant(1, { uses: 11 }))).toBe('InvalidPayloadError')
    expect(log.refusal(network.grant(1, { notAfterMs: network.clock.now() + 2 * hour }))).toBe('InvalidPayloadError')
    expect(log.refusal(network.grant(1, { name: 'a', uses: 2 }))).toBe('InvalidPayloadError')
    expect(log.refusal(network.grant(1, { replaces: 'a', uses: 2 }))).toBe('InvalidPayloadError')
    log.take(network.grant(1))
    expect(log.refusal(network.grant(1))).toBe('InvalidPayloadError')
    log.take(network.grant(2))
    expect(log.refusal(network.grant(3))).toBe('LimitError')
  })

  it('lets in only whom it is for, and in its time', () => {
    const { network } = log
    log.take(network.grant(1, { name: 'web' }))
    expect(log.refusal(log.admit(1, { invite: 1 }))).toBe('InviteInvalidError')
    expect(log.refusal(network.admit(log.networkId, 1, { name: 'web', role: 'external', invite: 1 }))).toBe(
      'InviteInvalidError'
    )
    network.clock.nowMs += hour + 1
    expect(log.refusal(log.admit(1, { name: 'web', invite: 1 }))).toBe('InviteExpiredError')
    network.clock.nowMs -= 1
    expect(log.refusal(log.admit(1, { name: 'web', invite: 1 }))).toBe('taken')
  })

  it('that replaces a member lets nobody in before that one is revoked', () => {
    log.take(log.admit(1, { name: 'web' }))
    log.take(log.network.grant(1, { name: 'mail', replaces: 'web' }))
    expect(log.refusal(log.admit(2, { name: 'mail', invite: 1 }))).toBe('LogMismatchError')
    expect(log.refusal(log.admit(1, { name: 'mail', invite: 1 }))).toBe('taken')
    log.take(log.network.revoke(1))
    expect(log.refusal(log.admit(2, { name: 'mail', invite: 1 }))).toBe('taken')
  })
})

describe('the receipt of an admission by invite', () => {
  const withReceipt = (by: number, ageMs: number): EntryDraft => {
    const draft = log.admit(1, { invite: 1 })
    if (draft.kind !== 'admit' || draft.body.join === undefined) throw new Error('no admission')
    const joinHash = openJoin(draft.body.join, log.networkId).hash
    const timeMs = log.network.clock.now() - ageMs
    const receipt = sealReceipt({ networkId: log.networkId, joinHash, timeMs }, keyNumber(by)).bytes
    return { ...draft, body: { ...draft.body, receipt } }
  }

  it('counts from a registry of the set, for a day', () => {
    const { network } = log
    log.take(network.admit(log.networkId, 2, { role: 'secondary' }))
    log.take(network.admit(log.networkId, 3))
    log.take(network.registrySet(2))
    log.take(network.grant(1))
    network.clock.nowMs += 2 * hour
    expect(log.refusal(withReceipt(2, 2 * hour))).toBe('taken')
    expect(log.refusal(withReceipt(2, hour - 1))).toBe('InviteExpiredError')
    expect(log.refusal(withReceipt(3, 2 * hour))).toBe('LogMismatchError')
    expect(log.refusal(withReceipt(2, 25 * hour))).toBe('LogMismatchError')
    expect(log.refusal(withReceipt(2, -hour))).toBe('LogMismatchError')
    log.take(network.registrySet(2, true))
    expect(log.refusal(withReceipt(2, 2 * hour))).toBe('LogMismatchError')
  })
})

describe('a policy', () => {
  it('is the last one of the log, and takes the place of the one before', () => {
    log.take(log.network.policy({ membershipMs: hour }))
    expect(log.state.policyRow).toMatchObject({ n: 1, policy: { membershipMs: hour } })
    expect(log.refusal(log.admit(1))).toBe('LogMismatchError')
    expect(log.take(log.network.policy())).toEqual([1])
    expect(log.refusal(log.admit(1))).toBe('taken')
    expectSameWhenLoaded()
  })

  it('of a newer version is not followed', () => {
    const newer = log.network.policy({ criticalKinds: [11, 99] })
    expect(log.refusal(newer)).toBe('UnsupportedVersionError')
    expect(() => log.newState().load(log.next(newer))).toThrow('update this program')
    expect(log.refusal(log.network.policy({ criticalKinds: [0, 11] }))).toBe('taken')
  })
})

describe('the name of a revoked member', () => {
  it('is free after the time of the policy, at once for who replaces it, and for the entry behind the revoke', () => {
    const { network } = log
    log.take(network.policy({ nameHoldMs: hour }))
    log.take(log.admit(1, { name: 'web' }))
    log.take(network.revoke(1))
    expect(log.refusal(log.admit(2, { name: 'web' }))).toBe('taken')
    log.take(network.grant(1, { name: 'web', replaces: 'web' }))
    expect(log.state.heldName('web')).toMatchObject({ publicKey: key(1) })
    expect(log.refusal(log.admit(2, { name: 'web' }))).toBe('NameTakenError')
    expect(log.refusal(log.admit(2, { name: 'web', invite: 1 }))).toBe('taken')
    network.clock.nowMs += hour
    log.take(log.admit(2, { name: 'web' }))
    expect(log.state.heldName('web')).toBeUndefined()
    expectSameWhenLoaded()
  })

  it('goes to nobody without the word of an operator, also right behind the revoke', () => {
    const { network } = log
    log.take(log.admit(1, { name: 'web' }))
    log.take(network.grant(1))
    log.take(network.revoke(1))
    const open = log.admit(2, { name: 'web' })
    if (open.kind !== 'admit') throw new Error('no admission')
    expect(log.refusal({ ...open, body: { ...open.body, via: 'open' } })).toBe('NameTakenError')
    expect(log.refusal(log.admit(2, { name: 'web', invite: 1 }))).toBe('NameTakenError')
    expect(log.refusal(open)).toBe('taken')
  })

  it('is what its revoke says', () => {
    log.take(log.admit(1, { name: 'web' }))
    const wrong = log.next(log.network.revoke(1)).value
    if (wrong.kind !== 'revoke') throw new Error('no revoke')
    for (const body of [
      { publicKey: key(1), reason: '' },
      { publicKey: key(2), reason: '', name: 'web' }
    ]) {
      expect(() => log.state.checkContent({ kind: 'revoke', body }, 0, undefined)).toThrow('the member is')
    }
  })
})

describe('the root', () => {
  it('cannot be revoked until another epoch has replaced it', () => {
    const root: EntryDraft = { kind: 'registrySet', body: { publicKey: key(1), role: 'root', removed: false } }
    log.take(log.network.admit(log.networkId, 1, { name: 'root', role: 'root' }))
    log.take(root)
    expect(log.refusal(log.network.revoke(1))).toBe('LogMismatchError')
    const [first, second] = [keyNumber(1004), keyNumber(77)]
    expect(first.publicKey).not.toEqual(second.publicKey)
    log.take({ kind: 'delegate', body: { logKey: second.publicKey } }, keyNumber(1001), { epoch: 1 })
    expect(log.refusal(log.network.revoke(1), second)).toBe('taken')
    log.take(root, second)
    expect(log.refusal(log.network.revoke(1), second)).toBe('LogMismatchError')
  })
})
