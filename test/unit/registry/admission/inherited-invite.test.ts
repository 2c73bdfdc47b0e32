import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { sealDelegation } from '../../../../src/registry/log/log-writer.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { InviteInvalidError, InviteUsedError } from '../../../../src/runtime/errors.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'

describe('an invite of the root before this one', () => {
  /** Puts the secondary in the root's place, with what it holds of the log. */
  const promote = async (network: RealNetwork, name: string, key: SigningKey): Promise<Registry> => {
    const logKey = SigningKey.generate()
    const registry = await network.openReplica(name, key)
    await registry.replica.apply([sealDelegation(registry.replica, network.authority, logKey.publicKey).bytes])
    await registry.close()
    return network.openReplica(name, key, { role: 'root', root: { logKey } })
  }

  const second = async (network: RealNetwork): Promise<SigningKey> => {
    const key = SigningKey.generate()
    const invite = await network.invite({ role: 'secondary' })
    await network.root.admission.join(network.wish({ key, name: 'second', role: 'secondary', invite }))
    return key
  }

  it('lets in whom it was for', async () => {
    await using network = await RealNetwork.create()
    const key = await second(network)
    const invite = await network.invite()
    const root = await promote(network, 'second', key)
    await expect(root.admission.join(network.wish({ name: 'ann', invite }))).resolves.toHaveProperty('admit')
    await expect(root.admission.join(network.wish({ name: 'bob', invite }))).rejects.toThrow(InviteUsedError)
  })

  it('is used up also when the one that it let in was revoked since', async () => {
    await using network = await RealNetwork.create()
    const key = await second(network)
    const invite = await network.invite()
    const ann = SigningKey.generate()
    await network.root.admission.join(network.wish({ key: ann, name: 'ann', invite }))
    await network.root.admission.revoke(ann.publicKey, 'lost')
    const root = await promote(network, 'second', key)
    await expect(root.admission.join(network.wish({ name: 'bob', invite }))).rejects.toThrow(InviteInvalidError)
  })

  it('is used up also when its use was compacted away', async () => {
    await using network = await RealNetwork.create()
    const key = await second(network)
    const invite = await network.invite({ ttlMs: 30 * day })
    const ann = SigningKey.generate()
    await network.root.admission.join(network.wish({ key: ann, name: 'ann', invite }))
    await network.root.admission.revoke(ann.publicKey, 'lost')
    for (let member = 0; member < 30; member++) await network.admit(`m${member}`)
    network.clock.advance(20 * day)
    await network.root.root?.checkpoint()
    const before = await network.openReplica('second', key)
    expect(await before.replica.compact()).toBeGreaterThan(0)
    await before.close()
    const root = await promote(network, 'second', key)
    await expect(root.admission.join(network.wish({ name: 'bob', invite }))).rejects.toThrow(InviteInvalidError)
  })
})
