import { expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { leaseAt } from '../../helpers/network-views.ts'

const isConnected = (node: TrustNode, to: TrustNode): boolean =>
  node.libp2p.getConnections().some(({ remotePeer }) => remotePeer.toString() === to.peerId)

it('reaches members that hear of it from their secondary alone, within a second, and closes what they have open', async () => {
  // Without gossip and DHT the push of the registry that holds the lease is all that is left.
  await using network = await TestNetwork.create({ 'gossip.enabled': false, 'dht.enabled': false })
  const second = await network.join('second', { role: 'secondary' })
  const bySecond = { 'bootstrap.peers': [network.address('second')] }
  const [bad, member] = [await network.join('bad', bySecond), await network.join('member', bySecond)]
  const outside = await network.join('outside', { role: 'external', ...bySecond })
  const bystanders = [member, outside]
  for (const node of bystanders) {
    await eventually(() => isConnected(node, bad))
    expect(leaseAt(node)).toBe('second')
  }
  const root = network.node('root')
  const others = [root, second, ...bystanders]
  await root.registry.admission.revoke(bad.key.publicKey, 'stolen')
  await eventually(() => others.every((node) => node.registry.replica.state.isRevoked(bad.key.publicKey)))
  await eventually(() => !others.some((node) => isConnected(node, bad)))
})
