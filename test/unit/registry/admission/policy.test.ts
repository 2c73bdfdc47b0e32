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

  it('waits for nobody who is being asked for a signature', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const asked = Promise.withResolvers<never>()
    const by = { asksPerson: true, append: async () => await asked.promise }
    const signed = admission.changePolicy({ openGrants: 5 }, { by })
    await admission.changePolicy({ grantUses: 6 })
    expect(replica.state.policy).toMatchObject({ grantUses: 6 })
    asked.reject(new Error('nobody has signed'))
    await expect(signed).rejects.toThrow('nobody has signed')
  })

  it('that is so already makes no entry', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    await admission.changePolicy({ openGrants: 5 })
    const { n } = replica.head
    expect(await admission.changePolicy({ openGrants: 5 })).toMatchObject({ openGrants: 5 })
    expect(replica.head.n).toBe(n)
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

  it('is changed only by who saw the last one: of two at once the second is told', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const seen = replica.state.policyRow.n
    const [first, second] = await Promise.allSettled([
      admission.changePolicy({ openGrants: 5 }, { seen }),
      admission.changePolicy({ openGrants: 6 }, { seen })
    ])
    expect(first).toMatchObject({ status: 'fulfilled' })
    expect(second).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('somebody else') } })
    expect(replica.state.policy.openGrants).toBe(5)
    const later = admission.changePolicy({ openGrants: 7 }, { seen: 0, force: true })
    await expect(later).rejects.toThrow('that of the genesis')
    await admission.changePolicy({ openGrants: 7 }, { seen: replica.state.policyRow.n })
    await expect(admission.changePolicy({ openGrants: 8 }, { seen: 1 })).rejects.toThrow('that of entry 1')
  })

  it('by which no member could call anything is refused without force', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const rules = [{ from: 'web', to: 'db', service: 'postgres' }]
    await expect(admission.changePolicy({ rules })).rejects.toThrow('nobody is in the groups')
    expect(await admission.changePolicy({ rules: [{ from: '*', to: '*', service: 'ssh' }] })).toBeDefined()
    expect(await admission.changePolicy({ rules }, { force: true })).toMatchObject({ rules })
  })

  it('whose rules do not pass its tests is refused by the log itself, with force too', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const tests = [{ from: 'web', to: 'db', service: 'ssh', allowed: false }]
    await expect(admission.changePolicy({ tests }, { force: true })).rejects.toThrow('a test of the policy fails')
  })

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
