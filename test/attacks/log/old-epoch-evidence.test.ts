import { expect } from 'vitest'
import { sha256 } from '../../../src/identity/hash.ts'
import { loadKey } from '../../../src/identity/key-file.ts'
import type { SigningKey } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { becomeRoot } from '../../../src/node/offline/become-root.ts'
import { sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { eventually } from '../../helpers/network.ts'
import { KitNetwork } from '../../helpers/registry/kit-network.ts'
import { attack, control } from '../attack.ts'

/** Another history of an epoch at an entry, as its log key can sign any number of them. */
const otherHistory = (
  { registry }: TrustNode,
  key: SigningKey,
  epoch: number,
  n: number,
  which: number
): Uint8Array => {
  const { checkpoint } = registry.replica
  if (checkpoint === undefined) throw new Error('there is a checkpoint')
  const headHash = sha256(Uint8Array.of(which))
  return sealCheckpoint({ ...checkpoint.value, epoch, n, headHash }, key).bytes
}

const forks = ({ registry }: TrustNode): number => registry.replica.forks().length
const alarmsOf = ({ registry }: TrustNode): string[] => registry.alarms.list().map(({ code }) => code)

/** Shows checkpoints in heartbeats, as a member does, and waits until they were judged. */
async function show(from: TrustNode, to: TrustNode, checkpoints: readonly Uint8Array[]): Promise<void> {
  for (const bytes of checkpoints) await to.attached.heads.shown(bytes, from.key.publicKey)
}

attack('made-up histories by the log key of an ended epoch', async () => {
  await using network = await KitNetwork.create()
  await network.join('keeper', { role: 'secondary' })
  const mallory = await network.join('mallory')
  await eventually(() => network.node('keeper').registry.replica.state.memberCount === 3)
  const thief = loadKey(network.logKey('root'))
  const { port } = network.node('keeper').attached
  await Promise.all([network.node('keeper').stop(), network.node('root').stop()])
  await becomeRoot(network.promotion('keeper'))
  const root = await network.start('keeper', { role: 'root', 'listen.port': port })
  const made = Array.from({ length: 50 }, (_, which) => otherHistory(root, thief, 0, 2, which))
  await show(mallory, root, made)
  expect([forks(root), root.registry.replica.isForked, alarmsOf(root).includes('log_fork')]).toEqual([0, false, false])
  return {
    happened: '50 contradicting checkpoints of epoch 0 shown in epoch 1: 0 proofs kept, no alarm, the log goes on',
    held: 'over an older epoch the authority has decided: only the key of today proves two histories'
  }
})

control('the log key of today proves two histories, of which one proof is kept', async () => {
  await using network = await KitNetwork.create()
  const mallory = await network.join('mallory')
  const root = network.node('root')
  const key = loadKey(network.logKey('root'))
  await show(
    mallory,
    root,
    Array.from({ length: 50 }, (_, which) => otherHistory(root, key, 0, 2, which))
  )
  expect([forks(root), root.registry.replica.isForked]).toEqual([1, true])
})
