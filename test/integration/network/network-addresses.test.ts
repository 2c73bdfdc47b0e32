import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/node/errors.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { leaseAt, memberAt, seenBy } from '../../helpers/network-views.ts'

const isPlainIp6 = (address: string): boolean => /^\/ip6\/[0-9a-f:]+\/tcp\/\d+(\/p2p\/\w+)?$/.test(address)

describe('an external node', () => {
  it('keeps the log, knows who is up, and serves no registry protocol', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    const outside = await network.join('outside', { role: 'external' })
    await seenBy(network.nodes, 'outside', 'online')
    await eventually(() => outside.registry.replica.head.n === network.node('root').registry.replica.head.n)
    const served = outside.libp2p.getProtocols()
    for (const name of ['register', 'sync', 'lookup']) expect(served.join(' ')).not.toContain(`/trustnet/${name}/`)
    expect(served.join(' ')).toContain('/trustnet/hello/')
    expect(memberAt(a, 'outside').role).toBe('external')
    await network.join('late')
    await eventually(() => outside.registry.replica.state.memberByName('late') !== undefined)
  })

  it('is never asked to stand in for a registry', async () => {
    await using network = await TestNetwork.create()
    const outside = await network.join('outside', { role: 'external' })
    const a = await network.join('a')
    await seenBy(network.nodes, 'a', 'online')
    await network.node('root').stop()
    await eventually(() => leaseAt(outside) === 'a')
    expect(leaseAt(a)).toBeUndefined()
  })
})

describe('the addresses of a node', () => {
  it('are registered again with a higher seq when they change, and everybody gets them', async () => {
    await using network = await TestNetwork.create()
    await network.join('second', { role: 'secondary' })
    const a = await network.join('a')
    const b = await network.join('b')
    const { port } = a.attached
    const record = () => b.registry.records.read(a.key.publicKey)
    await eventually(() => record()?.addrs.join() === `/ip6/::1/tcp/${port}`)
    const before = record()?.seq ?? 0
    const fresh = [`/ip6/fd00::7/tcp/${port}`, `/ip6/::1/tcp/${port}`]
    await a.attached.readdress(fresh)
    for (const node of network.nodes) {
      await eventually(() => node.registry.records.read(a.key.publicKey)?.addrs.join() === fresh.join())
    }
    expect(record()?.seq).toBeGreaterThan(before)
    expect(a.libp2p.getMultiaddrs().map((address) => address.toString())).toContain(
      `/ip6/fd00::7/tcp/${port}/p2p/${a.peerId}`
    )
  })

  it('are IPv6 everywhere: in records, peer stores, connections and what is listened on', async () => {
    await using network = await TestNetwork.create()
    await network.join('second', { role: 'secondary' })
    await Promise.all(['a', 'b'].map((name) => network.join(name)))
    await seenBy(network.nodes, 'b', 'online')
    for (const { libp2p, registry } of network.nodes) {
      const known = (await libp2p.peerStore.all()).flatMap(({ addresses }) =>
        addresses.map(({ multiaddr: m }) => m.toString())
      )
      const recorded = [...registry.replica.state.members()].flatMap(
        ({ publicKey }) => registry.records.read(publicKey)?.addrs ?? []
      )
      const used = libp2p.getConnections().map(({ remoteAddr }) => remoteAddr.toString())
      const own = libp2p.getMultiaddrs().map((address) => address.toString())
      for (const address of [...known, ...recorded, ...used, ...own]) expect(address).toSatisfy(isPlainIp6)
    }
  })

  it('of IPv4 are refused in the configuration, for peers as for the own ones', async () => {
    await using network = await TestNetwork.create()
    for (const address of ['/ip4/127.0.0.1/tcp/1', '/ip6/::ffff:127.0.0.1/tcp/1', '/dns4/example.org/tcp/1']) {
      expect(() => network.config('a', { 'bootstrap.peers': [address] })).toThrow(ConfigError)
      expect(() => network.config('a', { 'announce.addresses': [address] })).toThrow(ConfigError)
    }
  })

  it('of IPv4 are not dialled, whoever asks for it', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    for (const address of ['/ip4/127.0.0.1/tcp/1', '/ip6/::ffff:127.0.0.1/tcp/1']) {
      await expect(a.libp2p.dial(multiaddr(address))).rejects.toThrow(/denied|no valid addresses|not allowed/i)
      await a.libp2p.peerStore.merge(network.node('root').libp2p.peerId, { multiaddrs: [multiaddr(address)] })
    }
    const { addresses } = await a.libp2p.peerStore.get(network.node('root').libp2p.peerId)
    for (const { multiaddr: known } of addresses) expect(known.toString()).toSatisfy(isPlainIp6)
  })

  it('of IPv4 in a record of a member make the record worth nothing', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    const current = a.attached.selfRecord.current?.value
    if (current === undefined) throw new Error('a member has a record')
    const sealed = (): Uint8Array =>
      sealRecord({ ...current, seq: current.seq + 1, addrs: ['/ip6/::ffff:10.0.0.1/tcp/1'] }, a.key).bytes
    expect(sealed).toThrow('address of the record')
  })
})
