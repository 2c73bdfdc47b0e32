import { describe, expect, it } from 'vitest'
import type { TrustNode } from '../../src/node/node.ts'
import { eventually, TestNetwork } from '../helpers/network.ts'
import { WallClock } from '../helpers/wall-clock.ts'

const day = 86_400_000

const isMember = (at: TrustNode, who: TrustNode): boolean => at.registry.replica.isMember(who.key.publicKey)

describe('a network whose machines were all off for 200 days', () => {
  it('comes back by itself: the root renews itself first, and members are renewed', async () => {
    const clock = new WallClock()
    await using network = await TestNetwork.create({}, { clock })
    await network.join('keeper', { role: 'secondary' })
    const hal = await network.join('hal')
    const peers = { 'bootstrap.peers': [network.address('root')] }
    const { port } = network.node('root').attached
    await Promise.all(network.nodes.map((node) => node.stop()))
    clock.add(200 * day)

    const root = await network.start('root', { role: 'root', 'listen.port': port })
    await eventually(() => root.registry.root?.refusal === undefined, 45_000)
    await root.registry.root?.checkpoint()
    expect(isMember(root, root)).toBe(true)
    expect(isMember(root, hal)).toBe(false)
    expect(network.logs.some((line) => line.includes('the root has renewed its own membership, which had ended'))).toBe(
      true
    )

    const back = await network.start('hal', peers)
    const keeper = await network.start('keeper', { role: 'secondary', ...peers })
    for (const node of [back, keeper]) await node.joined({ signal: AbortSignal.timeout(60_000) })
    await eventually(() => [root, back, keeper].every((at) => [root, back, keeper].every((who) => isMember(at, who))))
    await network.join('new')
    await eventually(() => back.registry.replica.state.memberByName('new') !== undefined)
  }, 120_000)
})
