import { describe, expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { WallClock } from '../../helpers/faults/wall-clock.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { memberAt, seenBy } from '../../helpers/network-views.ts'

const knowsRevoke = (
  node: { registry: { replica: { state: { isRevoked(key: Uint8Array): boolean } } } },
  key: Uint8Array
) => node.registry.replica.state.isRevoked(key)

describe('a revoked node', () => {
  it('loses its connections everywhere, knows why, and cannot come back, not even with a new invite', async () => {
    await using network = await TestNetwork.create()
    await network.join('second', { role: 'secondary' })
    await Promise.all(['a', 'b'].map((name) => network.join(name)))
    const [root, bad] = [network.node('root'), network.node('b')]
    const others = network.nodes.filter((node) => node !== bad)
    await eventually(() => [...bad.attached.trust.members()].length >= 3)

    await root.registry.admission.revoke(bad.key.publicKey, 'stolen')
    await eventually(() => others.every((node) => knowsRevoke(node, bad.key.publicKey)))
    const connected = (): boolean =>
      others.some((node) => node.libp2p.getConnections().some(({ remotePeer }) => remotePeer.toString() === bad.peerId))
    await eventually(() => !connected())
    await eventually(() => bad.network?.trouble?.name === 'RevokedError')
    expect(bad.network?.isMember()).toBe(false)
    for (const node of others) expect(node.registry.replica.state.memberByName('b')).toBeUndefined()

    await bad.stop()
    const again = network.make('b', { 'bootstrap.peers': [network.address('root')] })
    again.invites.use(await network.invite({ role: 'integrated' }))
    await again.start()
    await eventually(() => again.network?.trouble?.name === 'RevokedError')
    expect(connected()).toBe(false)
  })

  it('that was away when it happened is told so, and status says by whom', async () => {
    await using network = await TestNetwork.create()
    const bad = await network.join('b')
    await bad.stop()
    await network.node('root').registry.admission.revoke(bad.key.publicKey, 'stolen')
    const again = await network.start('b')
    await eventually(async () => (await again.control.status()).word === 'refused')
    const { summary, warnings } = await again.control.status()
    expect(summary).toContain('revoked')
    expect(warnings.map(({ code }) => code)).toContain('revoked')
  })

  it('is refused also when it has lost its store and does not know that it was revoked', async () => {
    await using network = await TestNetwork.create()
    const bad = await network.join('b')
    await bad.stop()
    const root = network.node('root')
    await root.registry.admission.revoke(bad.key.publicKey, 'stolen')
    const again = network.make('b2', {
      'paths.key': bad.config.paths.key,
      'bootstrap.peers': [network.address('root')]
    })
    again.invites.use(await network.invite({ role: 'integrated' }))
    await again.start()
    await eventually(() => again.discoveryFailures.length > 0)
    expect(root.registry.replica.isMember(bad.key.publicKey)).toBe(false)
  })
})

/** The calendar goes on by so much at every machine, and its operator says that this is right. */
async function passes(network: TestNetwork, clock: WallClock, ms: number): Promise<void> {
  clock.add(ms)
  // One that is stopped has nobody to tell.
  await Promise.allSettled(network.nodes.map(async (node) => await node.control.acceptClock()))
}

describe('a membership', () => {
  const hour = 3_600_000
  const short = { 'admission.membership': '2h' }

  it('is renewed by itself after half of its time', async () => {
    const clock = new WallClock()
    await using network = await TestNetwork.create(short, { clock })
    const a = await network.join('a')
    const { notAfterMs } = memberAt(a, 'a')
    await passes(network, clock, 1.4 * hour)
    await network.node('root').registry.root?.checkpoint()
    await eventually(() => memberAt(a, 'a').notAfterMs > notAfterMs)
  })

  it('ends by the time of the log, and its late renewal brings the member back', async () => {
    const clock = new WallClock()
    await using network = await TestNetwork.create(short, { clock })
    const a = await network.join('a')
    const b = await network.join('b')
    await seenBy(network.nodes, 'a', 'online')
    await a.stop()
    await passes(network, clock, 1.4 * hour)
    await network.node('root').registry.root?.checkpoint()
    await eventually(() => memberAt(b, 'b').notAfterMs > clock.now() + hour)
    await passes(network, clock, hour)
    await network.node('root').registry.root?.checkpoint()
    await eventually(() => !b.registry.replica.isMember(a.key.publicKey))

    const back = await network.start('a')
    // It registered a moment ago, and may do that twice in 10 s.
    await back.joined({ signal: AbortSignal.timeout(ceilingMs) })
    await seenBy(
      network.nodes.filter((node) => node !== a),
      'a',
      'online'
    )
  })
})
