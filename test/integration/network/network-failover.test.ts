import { describe, expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { spawnNode } from '../../helpers/hosts/node-process.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { leaseAt, seenBy, seenDown, statesAt, viewOf, watchStates } from '../../helpers/network-views.ts'

describe('a network whose registries are gone', () => {
  it('lets a member come back from its cache through another member, and goes back to the root when that returns', async () => {
    await using network = await TestNetwork.create()
    await network.join('second', { role: 'secondary' })
    await Promise.all(['a', 'b'].map((name) => network.join(name)))
    const [a, b] = [network.node('a'), network.node('b')]
    await seenBy(network.nodes, 'b', 'online')
    await eventually(() => a.phases.name === 'autonomous' && b.phases.name === 'autonomous')
    await network.node('second').stop()
    await network.node('root').stop()
    await b.stop()

    const back = await network.start('b')
    await back.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(leaseAt(back)).toBe('a')
    await eventually(() => statesAt(back)['a'] === 'online' && statesAt(a)['b'] === 'online')

    const seen = [watchStates(a, 'b'), watchStates(back, 'a')]
    await network.start('root', { role: 'root' })
    await eventually(() => leaseAt(a) === 'root' && leaseAt(back) === 'root')
    const root = network.node('root')
    await eventually(() => statesAt(root)['a'] === 'online' && statesAt(root)['b'] === 'online')
    // Long enough for whatever the old leases would still say.
    await eventually(() => viewOf(a, 'b').source !== undefined && !viewOf(a, 'b').own)
    for (const stop of seen) expect(stop()).toEqual(['online'])
  })

  it('stays on and says why when nobody at all answers', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    await network.node('root').stop()
    await eventually(() => a.network?.trouble !== undefined)
    expect(a.network?.session).toBeUndefined()
    expect(a.network?.trouble?.message).toContain('answered')
    expect(a.network?.isMember()).toBe(true)
  })

  it('takes the next registry when the one that holds its lease freezes', async () => {
    await using network = await TestNetwork.create()
    const inviteFile = await network.inviteFile({ role: 'secondary' })
    await using second = await spawnNode(network, 'second', { role: 'secondary', 'bootstrap.inviteFile': inviteFile })
    const address = `/ip6/::1/tcp/${second.port}/p2p/${second.peerId}`
    const a = await network.join('a', { 'bootstrap.peers': [address] })
    expect(leaseAt(a)).toBe('second')
    second.freeze()
    await eventually(() => leaseAt(a) === 'root')
    await seenBy([network.node('root')], 'a', 'online')
    await seenDown(network.nodes, 'second')
  })

  it('lets a node in at the one of three registries that is not frozen, without waiting for the others', async () => {
    await using network = await TestNetwork.create()
    const spawnSecondary = async (name: string) =>
      await spawnNode(network, name, {
        role: 'secondary',
        'bootstrap.inviteFile': await network.inviteFile({ role: 'secondary' })
      })
    await using first = await spawnSecondary('first')
    await using second = await spawnSecondary('second')
    first.freeze()
    second.freeze()
    const frozen = [first, second].map(({ port }) => `/ip6/::1/tcp/${port}`)
    // Longer than the join may take: whoever waits for a frozen one does not come in time.
    const a = await network.join('a', {
      'bootstrap.peers': [...frozen, network.address('root')],
      'bootstrap.dialTimeout': '60s'
    })
    expect(leaseAt(a)).toBe('root')
  })

  it('is told at once by a registry that stops, and takes the next one', async () => {
    await using network = await TestNetwork.create()
    await network.join('second', { role: 'secondary' })
    const a = await network.join('a')
    await eventually(() => a.attached.sources().length >= 2)
    const holder = leaseAt(a) ?? ''
    await network.node(holder).stop()
    await eventually(() => leaseAt(a) === (holder === 'root' ? 'second' : 'root'))
  })
})
