import { describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { spawnNode } from '../../helpers/hosts/node-process.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { memberAt, seenBy, seenDown, viewOf } from '../../helpers/network-views.ts'

describe('who is up in a network', () => {
  it('shows a killed node as suspect with the reason at every member, and online again after its restart', async () => {
    await using network = await TestNetwork.create()
    await network.join('second', { role: 'secondary' })
    await Promise.all(['a', 'b'].map((name) => network.join(name)))
    await using victim = await spawnNode(network, 'victim')
    await seenBy(network.nodes, 'victim', 'online')
    const { publicKey } = memberAt(network.node('a'), 'victim')
    const before = network.node('a').registry.records.read(publicKey)?.seq ?? 0

    await victim.kill()
    await seenDown(network.nodes, 'victim')
    for (const node of network.nodes) expect(viewOf(node, 'victim').reason).not.toBe('')

    await using again = await spawnNode(network, 'victim')
    expect(again.peerId).toBe(victim.peerId)
    await seenBy(network.nodes, 'victim', 'online')
    await eventually(() => network.nodes.every((node) => (node.registry.records.read(publicKey)?.seq ?? 0) > before))
  })

  it('shows a frozen node as down, with the reason', async () => {
    await using network = await TestNetwork.create()
    await network.join('a')
    await using victim = await spawnNode(network, 'victim')
    await seenBy(network.nodes, 'victim', 'online')
    victim.freeze()
    await seenDown(network.nodes, 'victim')
    expect(viewOf(network.node('a'), 'victim').reason).not.toBe('')
  })

  it('shows a stopped node as left with its reason, and online when it is started again', async () => {
    await using network = await TestNetwork.create()
    await Promise.all(['a', 'b', 'c'].map((name) => network.join(name)))
    await seenBy(network.nodes, 'c', 'online')
    const stopped = network.node('c')
    const { seq } = stopped.attached.selfRecord.current?.value ?? { seq: 0 }
    await stopped.stop('upgrade')
    const others = network.nodes.filter((node) => node !== stopped)
    await seenBy(others, 'c', 'left')
    for (const node of others) expect(viewOf(node, 'c').reason).toContain('upgrade')

    const again = await network.join('c')
    const { current } = again.attached.selfRecord
    expect(current?.value.seq).toBeGreaterThan(seq)
    expect(current?.value.addrs).toEqual(again.attached.announced)
    await seenBy(others, 'c', 'online')
  })

  it('shows a root that stops as left at every member, and online when it is back', async () => {
    await using network = await TestNetwork.create()
    await network.join('second', { role: 'secondary' })
    await Promise.all(['a', 'b'].map((name) => network.join(name)))
    const root = network.node('root')
    const others = network.nodes.filter((node) => node !== root)
    await seenBy(network.nodes, 'root', 'online')
    await root.stop('upgrade')
    await seenBy(others, 'root', 'left')
    await network.start('root', { role: 'root' })
    await seenBy(others, 'root', 'online')
  })

  it('shows a killed root as suspect with the reason at every member', async () => {
    await using network = await TestNetwork.create()
    const { port } = network.node('root').attached
    await network.node('root').stop()
    await using root = await spawnNode(network, 'root', { role: 'root', 'listen.port': port, 'bootstrap.peers': [] })
    await Promise.all(['a', 'b', 'c'].map((name) => network.join(name)))
    const others = network.nodes.filter((node) => !node.isStopping)
    await seenBy(others, 'root', 'online')
    await eventually(() => others.some((node) => viewOf(node, 'root').own))
    await root.kill()
    await seenDown(others, 'root')
    for (const node of others) expect(viewOf(node, 'root').reason).not.toBe('')
  })

  it('blames itself when its event loop stood still for 5 s: it never shows anybody as suspect or offline', async () => {
    await using network = await TestNetwork.create({ 'heartbeat.interval': '30s', 'heartbeat.timeout': '5s' })
    const { port } = network.node('root').attached
    await network.node('root').stop()
    await using root = await spawnNode(network, 'root', { role: 'root', 'listen.port': port, 'bootstrap.peers': [] })
    const names = ['a', 'b', 'c']
    const nodes = await Promise.all(names.map((name) => network.join(name)))
    await eventually(() => names.every((name) => root.shown(name).at(-1) === 'online'))

    await root.block(5_000)
    // Whoever gave it up meanwhile comes back; a heartbeat that it answers is later than all that had piled up there.
    const beat = async (node: TrustNode): Promise<boolean> =>
      (await node.network?.session?.session.heartbeat({ seq: 1 }).catch(() => undefined)) !== undefined
    for (const node of nodes) await eventually(async () => await beat(node))
    for (const name of names) {
      expect(root.shown(name)).not.toContain('suspect')
      expect(root.shown(name)).not.toContain('offline')
    }
  })
})
