import { describe, expect, it } from 'vitest'
import { tellLie } from '../../../../src/node/replication/source-alarms.ts'
import { sealEntry } from '../../../../src/registry/objects/entry.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'

const hour = 3_600_000

describe('a policy', () => {
  it('has all changes that were made at once', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    await Promise.all([admission.changePolicy({ openGrants: 5 }), admission.changePolicy({ grantUses: 6 })])
    expect(replica.state.policy).toMatchObject({ openGrants: 5, grantUses: 6 })
  })

  it.each([{ membershipMs: 1000 }, { membershipMs: 2 * hour, returnGraceMs: 0 }, { openGrants: 0 }, { grantMs: 1000 }])(
    'that locks everybody out is refused without force: %o',
    async (changes) => {
      await using network = await RealNetwork.create()
      const { admission, replica } = network.root
      await expect(admission.changePolicy(changes)).rejects.toThrow('--force')
      await admission.changePolicy({ nameHoldMs: 0, returnGraceMs: 100 * 365 * day })
      expect(await admission.changePolicy(changes, { force: true })).toMatchObject(changes)
      expect(replica.state.policy).toMatchObject(changes)
    }
  )

  it('of a newer program is followed by nobody here, and is not the lie of whoever sends it', async () => {
    await using network = await RealNetwork.create()
    const follower = await network.addSecondary('follower')
    await network.sync(follower)
    const { replica, alarms, networkId } = follower
    const { n, hash, epoch } = replica.head
    const body = { ...replica.state.policy, criticalKinds: [99] }
    const place = { networkId, n: n + 1, prevHash: hash, epoch, timeMs: network.clock.now() }
    const { bytes } = sealEntry({ ...place, kind: 'policy', body }, network.logKey)
    const error = await replica.apply([bytes]).catch((reason: unknown) => reason)
    tellLie(follower, network.rootKey.publicKey, error)
    expect(alarms.list().map(({ code }) => code)).toEqual(['newer_rules'])
    expect(replica.head.n).toBe(n)
  })
})
