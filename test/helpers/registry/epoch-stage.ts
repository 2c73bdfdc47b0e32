import { SigningKey } from '../../../src/identity/keys.ts'
import type { NewEpochInit } from '../../../src/registry/log/epochs/new-epoch.ts'
import { RealNetwork } from '../real-network.ts'

/** A network whose secondary, called keeper, becomes its root. */
export async function epochStage() {
  const network = await RealNetwork.create()
  const keeperKey = await network.admit('keeper')
  const keeper = await network.openReplica('keeper', keeperKey, { role: 'secondary' })
  const init = (more: Partial<NewEpochInit> = {}): NewEpochInit => ({
    path: network.path('keeper'),
    authority: network.authority,
    logKey: SigningKey.generate(),
    node: { key: keeperKey, name: 'keeper' },
    revokeFormer: false,
    clock: network.clock,
    ...more
  })
  return { network, keeperKey, keeper, init }
}
