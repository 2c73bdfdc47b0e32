import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { loadKey } from '../../src/identity/key-file.ts'
import type { SigningKey } from '../../src/identity/keys.ts'
import type { TrustNode } from '../../src/node/node.ts'
import { becomeRoot } from '../../src/node/offline/become-root.ts'
import { readRecoveryKit } from '../../src/node/offline/recovery-kit.ts'
import { sealRevoke } from '../../src/registry/log/epochs/authority-revocations.ts'
import { sealEntry } from '../../src/registry/objects/entry.ts'
import { KitNetwork, kitPassphrase } from '../helpers/kit-network.ts'
import { eventually } from '../helpers/network.ts'
import { attack, control } from './attack.ts'

/** A revoke by a key of epoch 0, above everything that counts of it. */
const voidRevoke = (node: TrustNode, thief: SigningKey, publicKey: Uint8Array, n: number): Uint8Array => {
  const { networkId } = node.registry
  const place = { networkId, n, prevHash: networkId, epoch: 0, timeMs: Date.now() }
  return sealEntry({ ...place, kind: 'revoke', body: { publicKey, reason: 'void' } }, thief).bytes
}

/** What a member is told who gives an entry to the registry that holds its lease. */
async function handOver(member: TrustNode, entry: Uint8Array): Promise<string> {
  const session = member.network?.session?.session
  if (session === undefined) throw new Error('the member has no session')
  return await session.handOver(entry).then(
    () => 'taken',
    (error: Error) => error.name
  )
}

const isMember = (at: TrustNode, who: TrustNode): boolean => at.registry.replica.isMember(who.key.publicKey)

/** A network that was recovered on a new machine because the log key was stolen, with the stolen key. */
async function recovered(): Promise<{
  network: KitNetwork
  thief: SigningKey
  root: TrustNode
  hal: TrustNode
  mallory: TrustNode
}> {
  const network = await KitNetwork.create()
  const [hal, mallory] = [await network.join('hal'), await network.join('mallory')]
  await eventually(() => [hal, mallory].every(({ registry }) => registry.replica.state.memberCount === 3))
  const thief = loadKey(network.logKey('root'))
  await network.node('root').stop()
  const flags = { 'bootstrap.peers': [network.address('hal'), network.address('mallory')] }
  await becomeRoot(network.recovery('fresh', flags))
  const root = await network.start('fresh', { role: 'root', ...flags })
  await eventually(() => root.registry.root?.refusal === undefined)
  await eventually(() => [hal, mallory].every((node) => node.registry.replica.head.epoch === 1))
  await eventually(() => mallory.network?.session?.peer.name === 'fresh')
  return { network, thief, root, hal, mallory }
}

describe('a log key of the past', () => {
  attack('void revokes by a stolen log key are handed to the root that replaced it', async () => {
    const { network, thief, root, hal, mallory } = await recovered()
    await using _ = network
    const { n } = root.registry.replica.head
    const answers = [
      await handOver(mallory, voidRevoke(root, thief, hal.key.publicKey, n + 5)),
      await handOver(mallory, voidRevoke(root, thief, root.key.publicKey, n + 6)),
      await handOver(mallory, voidRevoke(root, thief, mallory.key.publicKey, 3))
    ]
    // Whatever came of them is in the log before this.
    await root.control.revoke({ peer: 'root', reason: 'it was stolen' })
    await eventually(() => [hal, mallory].every(({ registry }) => registry.replica.state.memberCount === 3))
    for (const node of [root, hal, mallory]) {
      for (const who of [root, hal, mallory]) expect(isMember(node, who)).toBe(true)
    }
    const { offered } = await root.control.voidRevokes()
    expect(offered.map(({ member, from }) => [member.name, from?.name])).toEqual([['hal', 'mallory']])
    return {
      happened: `3 void revokes handed over: ${answers.join(', ')}; 0 entered, 1 shown to the operator`,
      held: 'a revoke by the key of an older epoch is entered by the operator alone, and never for the root'
    }
  })

  control('a revoke by the authority, handed over in the same way, is entered at once', async () => {
    const { network, root, hal, mallory } = await recovered()
    await using _ = network
    const { authority } = readRecoveryKit(network.kit, kitPassphrase)
    if (authority === undefined) throw new Error('the kit holds the authority')
    const { networkId, head } = root.registry.replica
    const body = { publicKey: hal.key.publicKey, reason: 'stolen' }
    const { bytes } = sealRevoke({ networkId, head, nowMs: Date.now() }, authority, body)
    expect(await handOver(mallory, bytes)).toBe('taken')
    await eventually(() => !isMember(root, hal) && !isMember(mallory, hal))
  })

  attack('the log key that a demoted machine has left', async () => {
    await using network = await KitNetwork.create()
    await network.join('keeper', { role: 'secondary' })
    const [hal, mallory] = [await network.join('hal'), await network.join('mallory')]
    await eventually(() => network.node('keeper').registry.replica.state.memberCount === 4)
    const copy = join(network.folder, 'stolen.key')
    copyFileSync(network.logKey('root'), copy)
    const { port } = network.node('keeper').attached
    await network.node('keeper').stop()
    await becomeRoot(network.promotion('keeper'))
    const root = await network.start('keeper', { role: 'root', 'listen.port': port })
    await eventually(() => root.registry.root?.refusal === undefined)
    const former = network.node('root')
    await eventually(() => former.registry.replica.head.epoch === 1)
    await eventually(() => !network.hasLogKey('root'))
    await eventually(() => mallory.registry.replica.head.epoch === 1)
    await Promise.all([mallory.stop(), former.stop()])
    const back = await network.start('mallory', { 'bootstrap.peers': [network.address('keeper')] })
    await eventually(() => back.network?.session?.peer.name === 'keeper')
    const { n } = root.registry.replica.head
    const thief = loadKey(copy)
    const answers = [
      await handOver(back, voidRevoke(root, thief, hal.key.publicKey, n + 5)),
      await handOver(back, voidRevoke(root, thief, root.key.publicKey, n + 6))
    ]
    await root.control.invite({ role: 'integrated' })
    for (const who of [root, hal, back, former]) expect(isMember(root, who)).toBe(true)
    return {
      happened: `log.key of the former root is gone; 2 void revokes with a copy of it: ${answers.join(', ')}; 0 entered`,
      held: 'a machine that learns of its end deletes its log key; a key of an older epoch enters nothing'
    }
  })
})
