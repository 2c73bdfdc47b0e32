import { beforeEach, describe, expect, it } from 'vitest'
import { keyId } from '../../../../../src/identity/key-id.ts'
import { EnforcedRevokes } from '../../../../../src/registry/log/epochs/enforced-revokes.ts'
import { keyNumber } from '../../../../helpers/log-network.ts'
import { authority, key, LogState } from '../../../../helpers/registry/log-state.ts'

const week = 7 * 24 * 3_600_000
let log: LogState
let revokes: EnforcedRevokes

beforeEach(() => {
  log = new LogState()
  log.take(log.admit(1))
  revokes = new EnforcedRevokes()
  revokes.addVoid({ publicKey: key(1), epoch: 0, atMs: 1_000 })
})

const opensEpoch = (): void => {
  log.take({ kind: 'delegate', body: { logKey: key(1005) } }, authority, { epoch: 1 })
}

describe('a void revoke', () => {
  it('is in force until a newer epoch has spoken of the key, and no epoch has when none is newer', () => {
    expect(revokes.settle(log.state, 1_000)).toEqual([])
    expect([...revokes]).toEqual([keyId(key(1))])
    opensEpoch()
    expect(revokes.settle(log.state, 1_000)).toEqual([])
    log.take(log.network.registrySet(1), keyNumber(1005), { epoch: 1 })
    expect(revokes.settle(log.state, 1_000)).toEqual([key(1)])
    expect([...revokes]).toEqual([])
  })

  it('ends after a week in which nobody decided, which lifts nothing that the authority has revoked, too', () => {
    opensEpoch()
    revokes.addVoid({ publicKey: key(2), epoch: 0, atMs: 1_000 })
    revokes.addByAuthority(key(2))
    expect(revokes.settle(log.state, 1_000 + week)).toEqual([])
    expect(revokes.settle(log.state, 1_001 + week)).toEqual([key(1)])
    expect([1, 2].map((member) => revokes.has(keyId(key(member))))).toEqual([false, true])
  })
})
