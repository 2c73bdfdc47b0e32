import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import { networkFingerprint, networkIdText } from '../../../src/identity/network-id.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { frozenHost } from '../../helpers/faults/frozen-host.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { leaseAt, seenBy } from '../../helpers/network-views.ts'

/** What one dial that is waited for would take. */
const dialMs = 60_000
const patient = { 'bootstrap.dialTimeout': `${dialMs}ms` }

describe('finding the network', () => {
  it('takes nobody whose network is not the pinned one, and says so', async () => {
    await using network = await TestNetwork.create()
    const pin = networkIdText(SigningKey.generate().publicKey)
    const a = await network.start('a', { networkId: pin, 'bootstrap.peers': [network.address('root')] })
    await eventually(() => a.discoveryFailures.length > 0)
    expect(a.discoveryFailures[0]?.error.message).toMatch(
      /it is of another network \(fingerprint tn( \w{4}){8}; pinned is tn( \w{4}){8}\)/
    )
    expect(a.network).toBeUndefined()
    expect(network.node('root').registry.admission.pending()).toEqual([])
  })

  it('passes by an imposter of another network at the address of the root', async () => {
    await using network = await TestNetwork.create()
    await using imposter = await TestNetwork.create()
    const { port } = imposter.node('root').attached
    const a = await network.start('a', {
      'bootstrap.peers': [`/ip6/::1/tcp/${port}`, network.address('root')]
    })
    await a.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(leaseAt(a)).toBe('root')
    expect(imposter.node('root').registry.admission.pending()).toEqual([])
  })

  it('gives a host with another key than the invite names nothing but Noise, and tries the others', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    await using imposter = await TestNetwork.create()
    const helloed: unknown[] = []
    imposter.node('root').libp2p.services.hello.events.addEventListener('refused', (event) => helloed.push(event))
    const invite = await network.invite({ role: 'integrated' })
    const [root] = invite.registries
    if (root === undefined) throw new Error('an invite names the root')
    const { port } = imposter.node('root').attached
    const registries = [{ ...root, addrs: [`/ip6/::1/tcp/${port}`, ...root.addrs] }]
    const a = network.make('a')
    a.invites.use({ ...invite, registries })
    await a.start()
    await a.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(helloed).toEqual([])
    expect(imposter.node('root').libp2p.getPeers().map(String)).not.toContain(a.peerId)
  })

  it('does not wait for two of three addresses that are frozen', async () => {
    await using network = await TestNetwork.create()
    await using first = await frozenHost()
    await using second = await frozenHost()
    const started = performance.now()
    const a = await network.start('a', {
      'bootstrap.peers': [first.address, second.address, network.address('root')],
      ...patient
    })
    await a.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(performance.now() - started).toBeLessThan(dialMs)
    expect(first.accepted + second.accepted).toBeGreaterThan(0)
  })

  it('does not wait for two of three cached registries that are frozen when it comes back', async () => {
    await using network = await TestNetwork.create()
    await network.join('b')
    await network.join('c')
    const a = await network.join('a')
    await seenBy(network.nodes, 'a', 'online')
    await eventually(() => a.phases.name === 'autonomous')
    const [b, c] = [network.node('b'), network.node('c')]
    const ports = [b.attached.port, c.attached.port]
    const cached = () => [b, c].map(({ key }) => a.registry.records.read(key.publicKey)?.addrs.join())
    await eventually(() => cached().every((addrs) => addrs !== undefined))
    const known = cached()
    await a.stop()
    await Promise.all([b.stop(), c.stop()])
    await using first = await frozenHost(ports[0])
    await using second = await frozenHost(ports[1])
    const started = performance.now()
    const back = await network.start('a', patient)
    await back.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(performance.now() - started).toBeLessThan(dialMs)
    expect(leaseAt(back)).toBe('root')
    // Those that it had in its store stood still.
    expect([first.address, second.address]).toEqual(known)
  })

  it('without a pin does not start, unless told to trust the first network, whose fingerprint it says and keeps to', async () => {
    await using network = await TestNetwork.create()
    await using other = await TestNetwork.create()
    const unpinned = { networkId: undefined, 'bootstrap.peers': [network.address('root')] }
    await expect(network.start('a', unpinned)).rejects.toThrow('--trust-on-first-use')

    const trusting = await network.start('a', { ...unpinned, 'bootstrap.trustOnFirstUse': true })
    await trusting.joined({ signal: AbortSignal.timeout(ceilingMs) })
    const { networkId } = network.node('root').registry
    expect(network.logs.join('')).toContain(`on first use; fingerprint ${networkFingerprint(networkId)}`)
    await trusting.stop()

    const elsewhere = {
      networkId: undefined,
      'bootstrap.peers': [other.address('root')],
      'bootstrap.trustOnFirstUse': true
    }
    const again = await network.start('a', elsewhere)
    await again.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(networkIdText(again.registry.networkId)).toBe(network.networkId)
    expect([...other.node('root').registry.replica.state.members()]).toHaveLength(1)
  })

  it('refuses to start with a pin that its store contradicts, names both, and changes nothing', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    await a.stop()
    const pin = networkIdText(SigningKey.generate().publicKey)
    await expect(network.start('a', { networkId: pin })).rejects.toThrow(network.networkId)
    const again = await network.start('a')
    await again.joined({ signal: AbortSignal.timeout(ceilingMs) })
  })
})
