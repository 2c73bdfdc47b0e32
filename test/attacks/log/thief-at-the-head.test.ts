import { expect } from 'vitest'
import { loadKey } from '../../../src/identity/key-file.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { becomeRoot } from '../../../src/node/offline/become-root.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { eventually } from '../../helpers/network.ts'
import { KitNetwork } from '../../helpers/registry/kit-network.ts'
import { attack, control } from '../attack.ts'

const day = 86_400_000
const evil = SigningKey.generate()

/** A network without its root, whose members hold two entries of a thief above the last right one: hal is revoked, evil admitted. */
async function robbed(): Promise<{ network: KitNetwork; rightN: number; hal: TrustNode; bob: TrustNode }> {
  const network = await KitNetwork.create()
  const [hal, bob] = [await network.join('hal'), await network.join('bob')]
  await eventually(() => [hal, bob].every(({ registry }) => registry.replica.state.memberCount === 3))
  const thief = loadKey(network.logKey('root'))
  await network.node('root').stop()
  const { networkId, head } = bob.registry.replica
  const timeMs = Date.now()
  const place = { networkId, epoch: 0, timeMs }
  const revoke = sealEntry(
    {
      ...place,
      n: head.n + 1,
      prevHash: head.hash,
      kind: 'revoke',
      body: { publicKey: hal.key.publicKey, reason: '', name: 'hal' }
    },
    thief
  )
  const join = makeJoin({ networkId, key: evil, name: 'evil', role: 'secondary', timeMs })
  const { publicKey } = evil
  const body = { publicKey, name: 'evil', role: 'secondary', notAfterMs: timeMs + day, via: 'approved', join } as const
  const admit = sealEntry({ ...place, n: head.n + 2, prevHash: revoke.hash, kind: 'admit', body }, thief)
  for (const node of [hal, bob]) await node.registry.replica.apply([revoke.bytes, admit.bytes])
  return { network, rightN: head.n, hal, bob }
}

const isMember = (at: TrustNode, { publicKey }: { publicKey: Uint8Array }): boolean =>
  at.registry.replica.isMember(publicKey)

attack('entries of a thief at the highest head that members can prove', async () => {
  const { network, rightN, hal, bob } = await robbed()
  await using _ = network
  const flags = { 'bootstrap.peers': [network.address('hal'), network.address('bob')] }
  const seen = await becomeRoot(network.recovery('fresh', flags, { apply: false }))
  expect(seen.newest.slice(-2).map(({ kind, name }) => [kind, name])).toEqual([
    ['revoke', null],
    ['admit', 'evil']
  ])
  const plan = await becomeRoot(
    network.recovery('fresh', flags, { apply: false, epoch: { revokeFormer: false, fromN: rightN } })
  )
  expect(plan.fork.n).toBe(rightN)
  expect(plan.voided.map(({ n, kind }) => [n, kind])).toEqual([
    [rightN + 1, 'revoke'],
    [rightN + 2, 'admit']
  ])
  await becomeRoot(network.recovery('fresh', flags, { epoch: { revokeFormer: false, fromN: rightN } }))
  const root = await network.start('fresh', { role: 'root', ...flags })
  await eventually(() => [root, hal, bob].every(({ registry }) => registry.replica.head.epoch === 1))
  await eventually(() => [root, hal, bob].every((node) => isMember(node, hal.key) && !isMember(node, evil)))
  expect(root.registry.replica.state.isRevoked(hal.key.publicKey)).toBe(false)
  const { offered } = await root.control.voidRevokes()
  expect(offered.map(({ member, from }) => [member.name, from])).toEqual([['hal', null]])
  return {
    happened:
      'a revoke and an admission by the stolen key above the last right entry: both void, the revoked member is back',
    held: 'the plan lists the newest entries, --from N makes what is above N void, and none of its revokes is in force'
  }
})

control('without --from the highest head counts, with the entries of the thief', async () => {
  const { network, rightN, hal } = await robbed()
  await using _ = network
  const flags = { 'bootstrap.peers': [network.address('bob')] }
  const done = await becomeRoot(network.recovery('fresh', flags))
  expect(done.fork.n).toBe(rightN + 2)
  const root = await network.start('fresh', { role: 'root', ...flags })
  expect([isMember(root, hal.key), isMember(root, evil)]).toEqual([false, true])
})
