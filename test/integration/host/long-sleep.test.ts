import { describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { WallClock } from '../../helpers/faults/wall-clock.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const day = 86_400_000

const isMember = (at: TrustNode, who: TrustNode): boolean => at.registry.replica.isMember(who.key.publicKey)

// Each has a network of its own, and waits most of the time.
describe.concurrent('a network whose machines were all off for 200 days', () => {
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
    await eventually(() => root.registry.root?.refusal === undefined)
    await root.registry.root?.checkpoint()
    expect(isMember(root, root)).toBe(true)
    expect(isMember(root, hal)).toBe(false)
    expect(network.logs.some((line) => line.includes('the root has renewed its own membership, which had ended'))).toBe(
      true
    )

    const back = await network.start('hal', peers)
    const keeper = await network.start('keeper', { role: 'secondary', ...peers })
    for (const node of [back, keeper]) await node.joined({ signal: AbortSignal.timeout(ceilingMs) })
    await eventually(() => [root, back, keeper].every((at) => [root, back, keeper].every((who) => isMember(at, who))))
    await network.join('new')
    await eventually(() => back.registry.replica.state.memberByName('new') !== undefined)
  })
})

/** A member that slept past the grace of its policy while the root was awake. */
async function overslept(network: TestNetwork): Promise<TrustNode> {
  const { admission, root } = network.node('root').registry
  await admission.changePolicy({ membershipMs: 3_000, returnGraceMs: 0 }, { force: true })
  const hal = await network.join('hal')
  await hal.stop()
  await eventually(async () => {
    // The time of the newest checkpoint decides whether it is over.
    await root?.checkpoint()
    return !isMember(network.node('root'), hal)
  })
  await admission.changePolicy({ membershipMs: 90 * day })
  return hal
}

const back = async (network: TestNetwork): Promise<TrustNode> =>
  await network.start('hal', { 'bootstrap.peers': [network.address('root')] })

describe.concurrent('a member that slept past the grace of the policy', () => {
  it('waits for the word of the operator, with its old key and name', async () => {
    await using network = await TestNetwork.create()
    const { admission } = network.node('root').registry
    const hal = await overslept(network)
    await admission.changePolicy({ admission: 'approve' })
    const again = await back(network)
    await eventually(() => again.network?.trouble?.name === 'PendingError')
    expect(admission.pending()).toMatchObject([{ name: 'hal' }])
    await admission.approve('hal')
    await again.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(again.peerId).toBe(hal.peerId)
  })

  it('comes back with an invite', async () => {
    await using network = await TestNetwork.create()
    await overslept(network)
    await network.node('root').registry.admission.changePolicy({ admission: 'invite' })
    const again = await back(network)
    again.invites.use(await network.invite({ role: 'integrated' }))
    again.retry()
    await again.joined({ signal: AbortSignal.timeout(ceilingMs) })
  })

  it('comes back by itself to an open network', async () => {
    await using network = await TestNetwork.create()
    await overslept(network)
    await (await back(network)).joined({ signal: AbortSignal.timeout(ceilingMs) })
  })
})
