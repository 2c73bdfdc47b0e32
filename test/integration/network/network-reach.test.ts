import { describe, expect, it } from 'vitest'
import { peerIdText } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { memberTargets } from '../../../src/node/peers/member-targets.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { memberAt } from '../../helpers/network-views.ts'

const reachAt = (node: TrustNode, name: string) => node.registry.records.read(memberAt(node, name).publicKey)?.reach

describe('who can be dialled', () => {
  it('is found out by asking others, told to everybody, and heeded: outbound-only members are not dialled', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const open = await network.join('open')
    // Nobody listens there, as behind a firewall that lets nothing in.
    const shut = await network.join('shut', { 'announce.addresses': ['/ip6/::1/tcp/1'] })
    await eventually(() => network.nodes.every((node) => reachAt(node, 'open') === 'direct'))
    await eventually(() => network.nodes.every((node) => reachAt(node, 'shut') === 'outbound'))
    expect((await shut.control.status()).reach).toBe('outbound')
    expect((await open.control.status()).reach).toBe('direct')
    const dialled = memberTargets(root.registry, root.key.publicKey, true).map(({ publicKey }) => peerIdText(publicKey))
    expect(dialled).toEqual([open.peerId])
  })
})
