import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { invitedHistory } from '../../../../src/node/session/invited-history.ts'
import { sealDelegation } from '../../../../src/registry/log/log-writer.ts'
import type { Invite } from '../../../../src/registry/objects/invite.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

describe('the history that a newcomer is shown', () => {
  it('is the one of its invite where the grant entry stands at its place', async () => {
    await using network = await RealNetwork.create()
    const { replica, networkId } = network.root
    const { grant, inviteKey } = await network.invite()
    const invite: Invite = { domain: 'example.org', networkId, registries: [], grant, inviteKey }
    const told = (change: Partial<Invite['grant']>) =>
      invitedHistory(replica, { ...invite, grant: { ...grant, ...change } })
    expect(invitedHistory(replica, undefined)).toBe('same')
    expect(invitedHistory(replica, { ...invite, networkId: new Uint8Array(32) })).toBe('same')
    expect(told({})).toBe('same')
    expect(told({ n: grant.n + 1 })).toBe('shorter')
    expect(told({ epoch: 1 })).toBe('shorter')
    expect(told({ hash: new Uint8Array(32) })).toBe('another')
    const logKey = SigningKey.generate()
    await replica.apply([sealDelegation(replica, network.authority, logKey.publicKey, grant.n - 1).bytes])
    expect(told({})).toBe('same')
  })
})
