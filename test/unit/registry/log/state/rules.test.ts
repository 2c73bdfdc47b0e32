import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../../../../src/registry/log/log-writer.ts'
import { sealForgetRequest } from '../../../../../src/registry/objects/forget-request.ts'
import { openJoin } from '../../../../../src/registry/objects/join.ts'
import { sealReceipt } from '../../../../../src/registry/objects/receipt.ts'
import { keyNumber } from '../../../../helpers/log-network.ts'
import { authority, key, LogState, logKey } from '../../../../helpers/registry/log-state.ts'

let log: LogState

beforeEach(() => {
  log = new LogState()
})

describe('admissions', () => {
  it('give a key its name, role and end', () => {
    log.take(log.admit(1, { name: 'web' }))
    expect(log.state.member(key(1))).toMatchObject({ name: 'web', role: 'integrated' })
    expect(log.state.memberByName('web')?.publicKey).toEqual(key(1))
    expect(log.state.memberCount).toBe(1)
    expect(log.state.rows).toBe(2)
  })

  it('take no name that another has', () => {
    log.take(log.admit(1, { name: 'web' }))
    expect(log.refusal(log.admit(2, { name: 'web' }))).toBe('NameTakenError')
  })

  it('of a member again replace the first one, with another name', () => {
    log.take(log.admit(1, { name: 'web' }))
    log.take(log.network.renew(log, 1))
    expect(log.take(log.admit(1, { name: 'mail' }))).toEqual([1, 2])
    expect(log.state.memberByName('web')).toBeUndefined()
    expect(log.state.memberByName('mail')?.renew).toBeUndefined()
    expect(log.refusal(log.admit(2, { name: 'web' }))).toBe('taken')
    expect(log.take(log.admit(1, { name: 'mail' }))).toEqual([3])
  })

  it('of a revoked key never come back', () => {
    log.take(log.admit(1))
    log.take(log.network.revoke(1))
    expect(log.refusal(log.admit(1))).toBe('RevokedError')
    log.take(log.network.revoke(2))
    expect(log.refusal(log.admit(2))).toBe('RevokedError')
  })

  it('last no longer than the genesis allows', () => {
    const draft = log.admit(1)
    log.network.clock.nowMs -= 600_001
    expect(log.refusal(draft)).toBe('LogMismatchError')
    log.network.clock.nowMs += 1
    expect(log.refusal(draft)).toBe('taken')
  })

  it('need the request of the joiner', () => {
    const draft = log.network.admit(log.networkId, 1)
    if (draft.kind !== 'admit') return
    expect(log.refusal({ kind: 'admit', body: { ...draft.body, name: 'other' } })).toBe('InvalidPayloadError')
    expect(log.refusal({ kind: 'admit', body: { ...draft.body, role: 'secondary' } })).toBe('InvalidPayloadError')
    expect(log.refusal({ kind: 'admit', body: { ...draft.body, publicKey: key(2) } })).toBe('InvalidEnvelopeError')
  })

  it('of a founder are for an empty network', () => {
    const founder: EntryDraft = {
      kind: 'admit',
      body: { publicKey: key(1), name: 'root', role: 'root', notAfterMs: 1, via: 'founder' }
    }
    expect(log.refusal(founder)).toBe('taken')
    log.take(log.network.revoke(9))
    expect(log.refusal(founder)).toBe('LogMismatchError')
    log = new LogState()
    log.take(log.admit(2))
    expect(log.refusal(founder)).toBe('LogMismatchError')
  })
})

describe('receipts', () => {
  const withReceipt = (joinHash: Uint8Array): EntryDraft => {
    const draft = log.admit(1)
    if (draft.kind !== 'admit') return draft
    const { networkId } = log
    const receipt = sealReceipt({ networkId, joinHash, timeMs: log.network.clock.now() }, keyNumber(8)).bytes
    return { kind: 'admit', body: { ...draft.body, receipt } }
  }

  it('are of the join request that they stand with', () => {
    const draft = log.admit(1)
    if (draft.kind !== 'admit' || draft.body.join === undefined) return
    expect(log.refusal(withReceipt(openJoin(draft.body.join, log.networkId).hash))).toBe('taken')
    expect(log.refusal(withReceipt(new Uint8Array(32)))).toBe('InvalidPayloadError')
  })
})

describe('requests to be forgotten', () => {
  it('are signed by the key whose membership ends, and for this membership', () => {
    log.take(log.admit(1))
    const { hash } = log.state.head
    log.take(log.admit(2))
    const { networkId } = log
    const asked = (membership: Uint8Array): Uint8Array =>
      sealForgetRequest({ networkId, publicKey: key(1), membership }, keyNumber(1)).bytes
    const end = (member: number, request: Uint8Array): EntryDraft => ({
      kind: 'end',
      body: { publicKey: key(member), reason: 'left', request }
    })
    expect(log.refusal(end(2, asked(hash)))).toBe('InvalidEnvelopeError')
    expect(log.refusal(end(1, asked(new Uint8Array(32))))).toBe('LogMismatchError')
    expect(log.refusal(end(1, asked(hash)))).toBe('taken')
  })
})

describe('renewals', () => {
  it('move the end, once per request', () => {
    log.take(log.admit(1))
    log.network.clock.nowMs += 1000
    const draft = log.network.renew(log, 1)
    expect(log.take(draft)).toEqual([])
    expect(log.state.member(key(1))?.renew?.value.kind).toBe('renew')
    expect(log.refusal(draft)).toBe('LogMismatchError')
    log.network.clock.nowMs += 1000
    expect(log.take(log.network.renew(log, 1))).toEqual([2])
  })

  it('never make a membership shorter or too long', () => {
    log.take(log.admit(1))
    log.network.clock.nowMs -= 1000
    expect(log.refusal(log.network.renew(log, 1))).toBe('LogMismatchError')
    const draft = log.network.renew(log, 1)
    if (draft.kind !== 'renew') return
    const notAfterMs = draft.body.notAfterMs + 700_000
    expect(log.refusal({ kind: 'renew', body: { ...draft.body, notAfterMs } })).toBe('LogMismatchError')
  })

  it('are for members', () => {
    expect(log.refusal(log.network.renew(log, 1))).toBe('NotMemberError')
    log.take(log.admit(1))
    log.take(log.network.revoke(1))
    expect(log.refusal(log.network.renew(log, 1))).toBe('RevokedError')
  })
})

describe('revocations', () => {
  it('end membership, name and place among the registries, for ever', () => {
    log.take(log.admit(1, { name: 'web' }))
    log.take(log.network.renew(log, 1))
    log.take(log.network.registrySet(1))
    expect(log.take(log.network.revoke(1))).toEqual([1, 2, 3])
    expect(log.state.member(key(1))).toBeUndefined()
    expect(log.state.memberByName('web')).toBeUndefined()
    expect(log.state.registries()).toEqual([])
    expect(log.state.isRevoked(key(1))).toBe(true)
    expect(log.state.revoked(key(1))?.n).toBe(4)
    expect([...log.state.revokedKeys()]).toHaveLength(1)
    expect(log.refusal(log.network.revoke(1))).toBe('RevokedError')
    expect(log.state.live()).toEqual([0, 4])
  })

  it('are enforced from outside without being in the log', () => {
    log = new LogState(new Set([Buffer.from(key(1)).toString('latin1')]))
    log.take(log.admit(1))
    expect(log.state.isRevoked(key(1))).toBe(true)
    expect(log.state.revoked(key(1))).toBeUndefined()
  })
})

describe('rotations', () => {
  it('hand name, role, end and place among the registries to the new key, and shut the old one out', () => {
    log.take(log.admit(1, { name: 'web' }))
    log.take(log.network.registrySet(1))
    log.take(log.network.rotate(log.networkId, 1, 2))
    expect(log.state.memberByName('web')?.publicKey).toEqual(key(2))
    expect(log.state.member(key(2))?.admit.value.kind).toBe('rotate')
    expect(log.state.isRevoked(key(1))).toBe(true)
    expect(log.state.registry(key(2))?.n).toBe(2)
    expect(log.state.registry(key(1))).toBeUndefined()
    expect(log.state.live()).toEqual([0, 1, 2, 3])
    log.take(log.network.rotate(log.networkId, 2, 3))
    expect(log.take(log.network.revoke(3))).toEqual([1, 2])
    // What shuts out the old keys stays.
    expect(log.state.live()).toEqual([0, 3, 4, 5])
  })

  it('are for members, to a key that is new', () => {
    expect(log.refusal(log.network.rotate(log.networkId, 1, 2))).toBe('NotMemberError')
    log.take(log.admit(1))
    log.take(log.admit(2))
    expect(log.refusal(log.network.rotate(log.networkId, 1, 2))).toBe('LogMismatchError')
    log.take(log.network.revoke(2))
    expect(log.refusal(log.network.rotate(log.networkId, 1, 2))).toBe('RevokedError')
    expect(log.refusal(log.network.rotate(log.networkId, 2, 3))).toBe('RevokedError')
  })
})

describe('registries and publishers', () => {
  it('are members, entered, replaced and removed', () => {
    expect(log.refusal(log.network.registrySet(1))).toBe('NotMemberError')
    expect(log.refusal(log.network.registrySet(1, true))).toBe('NotFoundError')
    log.take(log.admit(1))
    log.take(log.network.registrySet(1))
    expect(log.take({ kind: 'registrySet', body: { publicKey: key(1), role: 'root', removed: false } })).toEqual([2])
    expect(log.state.rootRegistry()?.publicKey).toEqual(key(1))
    log.take(log.admit(2))
    log.take({ kind: 'registrySet', body: { publicKey: key(2), role: 'root', removed: false } })
    expect(log.state.rootRegistry()?.publicKey).toEqual(key(2))
    expect(log.take(log.network.registrySet(1, true))).toEqual([3, 6])
    expect(log.state.registries()).toHaveLength(1)
  })

  it('give a member that was admitted as one of them its role, and take it back when they leave', () => {
    log.take(log.network.admit(log.networkId, 1, { role: 'secondary' }))
    log.take(log.admit(2))
    const setRoot = (member: number): EntryDraft => ({
      kind: 'registrySet',
      body: { publicKey: key(member), role: 'root', removed: false }
    })
    log.take(setRoot(1))
    log.take(setRoot(2))
    expect([1, 2].map((member) => log.state.member(key(member))?.role)).toEqual(['root', 'integrated'])
    log.take(log.network.registrySet(1, true))
    expect(log.state.member(key(1))?.role).toBe('secondary')
  })

  it('name who may publish', () => {
    const byMember = log.network.publish('a', 1, 10, key(5))
    expect(log.refusal(byMember)).toBe('LogMismatchError')
    expect(log.refusal(log.network.publisher(5, true))).toBe('NotFoundError')
    log.take(log.network.publisher(5))
    expect(log.refusal(log.network.publisher(5))).toBe('LogMismatchError')
    expect(log.refusal(byMember)).toBe('taken')
    expect(log.state.publishers()).toHaveLength(1)
    expect(log.take(log.network.publisher(5, true))).toEqual([1, 2])
    expect(log.refusal(byMember)).toBe('LogMismatchError')
    expect(log.refusal(log.network.publish('a', 1, 10, logKey.publicKey))).toBe('taken')
    expect(log.refusal(log.network.publish('a', 1, 10, authority.publicKey))).toBe('taken')
    log.take({ kind: 'delegate', body: { logKey: key(1006) } }, authority, { epoch: 1 })
    const byOldKey = log.network.publish('a', 1, 10, logKey.publicKey)
    expect(log.refusal(byOldKey, keyNumber(1006))).toBe('LogMismatchError')
    expect(log.refusal(log.network.publish('a', 1, 10, key(1006)), keyNumber(1006))).toBe('taken')
  })
})

it('a revoked key publishes nothing, though it was a publisher before, and becomes none', () => {
  log.take(log.network.publisher(5))
  log.take({ kind: 'revoke', body: { publicKey: key(5), name: '', reason: 'lost' } })
  expect(log.refusal(log.network.publish('a', 1, 10, key(5)))).toBe('LogMismatchError')
  expect(log.take(log.network.publisher(5, true))).toHaveLength(2)
  expect(log.refusal(log.network.publisher(5))).toBe('RevokedError')
})

describe('documents', () => {
  beforeEach(() => {
    log.take(log.network.publisher(1003))
  })

  it('go up version by version, are retired, and come back', () => {
    expect(log.refusal(log.network.publish('a', 2))).toBe('LogMismatchError')
    expect(log.refusal(log.network.retire('a'))).toBe('NotFoundError')
    log.take(log.network.publish('a', 1))
    expect(log.refusal(log.network.publish('a', 1))).toBe('LogMismatchError')
    expect(log.take(log.network.publish('a', 2))).toEqual([2])
    expect(log.take(log.network.retire('a'))).toEqual([])
    expect(log.state.document('a')).toMatchObject({ version: 2, retired: { reason: 'old' } })
    expect(log.refusal(log.network.retire('a'))).toBe('LogMismatchError')
    expect(log.take(log.network.publish('a', 3))).toEqual([3, 4])
    expect([...log.state.documents()]).toHaveLength(1)
    expect(log.state.document('a')?.retired).toBeUndefined()
  })

  it('keep within the quota of all that are not retired', () => {
    log.take(log.network.publish('a', 1, 600))
    expect(log.refusal(log.network.publish('b', 1, 401))).toBe('LogMismatchError')
    expect(log.refusal(log.network.publish('a', 2, 1000))).toBe('taken')
    log.take(log.network.publish('b', 1, 400))
    log.take(log.network.retire('a'))
    expect(log.refusal(log.network.publish('c', 1, 600))).toBe('taken')
  })

  it('are counted with their bytes as they come, change, go, and are taken back', () => {
    const change = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      bytes: fc.nat(300),
      step: fc.constantFrom('publish', 'retire', 'take back')
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (steps) => {
        log = new LogState()
        log.take(log.network.publisher(1003))
        log.state.begin()
        const mark = log.state.mark()
        for (const { id, bytes, step } of steps) {
          if (step === 'take back') log.state.undoTo(mark)
          else {
            const version = (log.state.document(id)?.version ?? 0) + 1
            const content = step === 'publish' ? log.network.publish(id, version, bytes) : log.network.retire(id)
            if (log.refusal(content) === 'taken') log.take(content)
          }
          const current = [...log.state.documents()].filter(({ retired }) => retired === undefined)
          const sum = current.reduce((all, { sizeBytes }) => all + sizeBytes, 0)
          expect(log.state.currentDocuments).toEqual({ count: current.length, bytes: sum })
        }
      }),
      { numRuns: 30 }
    )
  })
})
