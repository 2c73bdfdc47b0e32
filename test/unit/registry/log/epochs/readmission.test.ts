import { describe, expect, it } from 'vitest'
import { readmission } from '../../../../../src/registry/log/epochs/readmission.ts'
import { keyNumber, LogNetwork } from '../../../../helpers/log-network.ts'

describe('the admission of a member that a new epoch would cut off', () => {
  it('is made again as it was asked for, for as long as the policy of today gives', async () => {
    const network = new LogNetwork()
    const { replica, root } = await network.start()
    await root.append([network.admit(replica.networkId, 1)])
    const before = replica.state.member(keyNumber(1).publicKey)
    await root.append([network.policy({ membershipMs: 3_600_000 })])
    const draft = readmission(replica, keyNumber(1).publicKey)
    expect(draft).toMatchObject({ kind: 'admit', body: { name: 'm1', role: 'integrated', via: 'approved' } })
    if (draft?.kind !== 'admit') throw new Error('there is none')
    expect(draft.body.notAfterMs).toBeLessThan(before?.notAfterMs ?? 0)
    await root.append([draft])
    expect(replica.state.member(keyNumber(1).publicKey)?.notAfterMs).toBe(draft.body.notAfterMs)
  })

  it('is not made for nobody, for the founder, and under a name that was not asked for', async () => {
    const network = new LogNetwork()
    const { replica, root } = await network.start()
    const { publicKey } = keyNumber(1)
    expect(readmission(replica, publicKey)).toBeUndefined()
    expect(readmission(replica, network.rootKey.publicKey)).toBeUndefined()
    await root.append([network.admit(replica.networkId, 1)])
    await root.append([{ kind: 'change', body: { publicKey, name: 'other', role: 'integrated', groups: [] } }])
    expect(readmission(replica, publicKey)).toBeUndefined()
  })
})
