import { describe, expect, it } from 'vitest'
import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { openRegistry } from '../../../src/registry/registry.ts'
import { PendingError } from '../../../src/runtime/errors.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { WallClock } from '../../helpers/faults/wall-clock.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { leaseAt, memberAt, seenBy } from '../../helpers/network-views.ts'

describe('a secondary', () => {
  it('lets nodes in that know nobody else, by asking the root', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    await network.join('second', { role: 'secondary' })
    const a = network.make('a', { 'bootstrap.peers': [network.address('second')] })
    a.invites.use({ ...(await network.invite({ role: 'integrated' })), registries: [] })
    await a.start()
    await a.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(leaseAt(a)).toBe('second')
    await seenBy(network.nodes, 'a', 'online')
  })

  it('keeps joins while the root is away, says so, and brings them when it is back', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const second = await network.join('second', { role: 'secondary' })
    const invite = await network.invite({ role: 'integrated' })
    await network.node('root').stop()
    await eventually(() => leaseAt(second) === undefined)

    const a = network.make('a', { 'bootstrap.peers': [network.address('second')] })
    a.invites.use(invite)
    await a.start()
    await eventually(() => a.network?.trouble?.name === 'PendingError')
    expect(a.network?.trouble?.message).toMatch(
      /^the join waits at second \(secondary\): the root is away, or its operator/
    )
    expect(second.registry.admission.queuedJoins().map(({ name }) => name)).toEqual(['a'])

    await network.start('root', { role: 'root' })
    await a.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(second.registry.admission.queued).toBe(0)
    await eventually(() => memberAt(network.node('root'), 'a').name === 'a')
  })

  it('tells whoever waits there with an invite of the other registries, and nobody else', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'approve' })
    const second = await network.join('second', { role: 'secondary' })
    await eventually(() => second.registry.replica.state.registries().length === 2)
    const invite = await network.invite({ role: 'integrated' })
    const third = await network.join('third', { role: 'secondary' })
    for (const node of [second, third]) await eventually(() => node.registry.replica.state.registries().length === 3)
    await eventually(() => second.registry.records.read(third.key.publicKey) !== undefined)
    await network.node('root').stop()
    await eventually(() => leaseAt(second) === undefined && leaseAt(third) === undefined)

    const a = network.make('a', { 'bootstrap.peers': [network.address('second')] })
    a.invites.use({ ...invite, registries: [] })
    const stranger = network.make('b', { 'bootstrap.peers': [network.address('second')] })
    await Promise.all([a.start(), stranger.start()])
    for (const node of [a, stranger]) await eventually(() => node.network?.trouble?.name === 'PendingError')
    const knows = (node: TrustNode): boolean =>
      node.resolvers.known.registries().some(({ peerIds }) => peerIds?.includes(third.peerId))
    await eventually(() => knows(a))
    expect(knows(stranger)).toBe(false)
    await second.stop()
    await eventually(() => a.network?.trouble?.message.startsWith('the join waits at third') === true)
    await network.start('root', { role: 'root' })
    await a.joined({ signal: AbortSignal.timeout(ceilingMs) })
  })

  it('keeps its queue over a restart of its own', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const second = await network.join('second', { role: 'secondary' })
    const invite = await network.invite({ role: 'integrated' })
    await network.node('root').stop()
    const a = network.make('a', { 'bootstrap.peers': [network.address('second')] })
    a.invites.use(invite)
    await a.start()
    await eventually(() => a.network?.trouble?.name === 'PendingError')
    await second.stop()
    await a.stop()
    const again = await network.start('second', { role: 'secondary', 'listen.port': second.attached.port })
    expect(again.registry.admission.queued).toBe(1)
    await network.start('root', { role: 'root' })
    await eventually(() => again.registry.replica.state.memberByName('a') !== undefined)
    await eventually(() => again.registry.admission.queued === 0)
  })

  it('is behind by its own word alone: what it showed before it stopped is no lag, and it is up to date when it is back', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const second = await network.join('second', { role: 'secondary' })
    const lagOf = async (name: string, at: TrustNode) =>
      (await at.control.registryStatus()).registries.find((each) => each.name === name)
    await eventually(async () => (await lagOf('second', root))?.behind === 0)
    await eventually(async () => (await lagOf('root', second))?.behind === 0)
    expect(await lagOf('root', root)).toMatchObject({
      shown: { head: root.registry.replica.head.n, ageMs: 0 },
      behind: 0
    })
    await second.stop()
    const a = await network.join('a')
    const stopped = await lagOf('second', root)
    expect(stopped?.shown?.head).toBeLessThan(root.registry.replica.head.n)
    expect(stopped?.behind).toBeNull()
    await eventually(async () => (await lagOf('root', a))?.behind === 0)
    expect(await lagOf('second', a)).toMatchObject({ shown: null, behind: null })

    await network.start('second', { role: 'secondary', 'listen.port': second.attached.port })
    await eventually(async () => (await lagOf('second', root))?.behind === 0)
    expect(await lagOf('second', root)).toMatchObject({ shown: { head: root.registry.replica.head.n } })
  })

  it('decides over its own queue when it has become the root', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const root = network.node('root')
    const joiner = SigningKey.generate()
    const { grant, inviteKey, networkId } = await network.invite({ role: 'integrated' })
    const wish = { networkId, key: joiner, name: 'a', role: 'integrated' as const, timeMs: Date.now() }
    await root.stop()
    const { paths } = root.config
    const before = await openRegistry({ path: dataFiles(paths.data).store, role: 'secondary', nodeKey: root.key })
    const join = makeJoin({ ...wish, grant, inviteKey })
    await expect(before.admission.join({ join })).rejects.toThrow(PendingError)
    await before.close()
    const again = await network.start('root', { role: 'root' })
    await eventually(() => again.registry.admission.queued === 0)
    expect(peerIdText(memberAt(again, 'a').publicKey)).toBe(peerIdText(joiner.publicKey))
  })

  it('keeps renewals while the root is away, and brings them when it is back', async () => {
    const clock = new WallClock()
    await using network = await TestNetwork.create({ 'admission.membership': '2h' }, { clock })
    const second = await network.join('second', { role: 'secondary' })
    const a = await network.join('a', { 'bootstrap.peers': [network.address('second')] })
    const { notAfterMs } = memberAt(a, 'a')
    const root = network.node('root')
    clock.add(1.4 * 3_600_000)
    await Promise.all(network.nodes.map(async (node) => await node.control.acceptClock()))
    await root.registry.root?.checkpoint()
    await root.stop()
    await eventually(() => second.registry.admission.queued > 0)
    await network.start('root', { role: 'root' })
    await eventually(() => memberAt(a, 'a').notAfterMs > notAfterMs)
    await eventually(() => second.registry.admission.queued === 0)
  })
})
