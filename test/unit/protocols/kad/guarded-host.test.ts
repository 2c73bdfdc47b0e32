import type { Libp2p } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../src/protocols/engine/trust/connection-trust.ts'
import { filterPeer, guardComponents } from '../../../../src/protocols/kad/components.ts'
import { connect, connectionWith, startHost, withSockets } from '../../../helpers/hosts.ts'
import { networkId } from '../../../helpers/signed-objects.ts'

withSockets()

const id = '/test/kad/1.0.0'
const limits = limitsWith()
const key = SigningKey.generate()

let trust: ConnectionTrust
let isMember: boolean
let host: Libp2p
let other: Libp2p
/** Parts of the host as kad-dht is given them. */
let guarded: KadDHTComponents

const source: Parameters<typeof filterPeer>[1] = {
  networkId,
  records: { get: () => undefined, put: () => Promise.reject(new Error('not asked for')), read: () => undefined },
  replica: { isMember: (publicKey) => isMember && peerIdText(publicKey) === peerIdText(key.publicKey) }
}

beforeEach(async () => {
  isMember = true
  trust = new ConnectionTrust({ limits: limits.strangers, settleMs: 50 })
  host = await startHost({
    ping: ping(),
    guard: (components: KadDHTComponents) => {
      guarded = guardComponents(components, { source, trust, limits: limits.kad })
      return {}
    }
  })
  other = await startHost({ ping: ping() }, { privateKey: key.toLibp2p() })
  await other.handle(id, () => {})
})

afterEach(async () => {
  await Promise.all([host.stop(), other.stop()])
  trust.clear()
})

const prove = async (): Promise<void> => {
  trust.prove(await connectionWith(host, other), { publicKey: key.publicKey, name: 'ann', role: 'integrated' })
}

describe('a stream of the DHT', () => {
  test('is opened to a member that has proved that it is one', async () => {
    await connect(host, other)
    await prove()
    const stream = await guarded.connectionManager.openStream(other.peerId, id)
    expect(stream).toMatchObject({ protocol: id, status: 'open' })
  })

  test('is opened to nobody whose hello does not come', async () => {
    const connection = await connect(host, other)
    trust.track(connection)
    await expect(guarded.connectionManager.openStream(other.peerId, id)).rejects.toThrow(
      'did not prove that it is a member'
    )
    expect(connection.streams.filter(({ protocol }) => protocol === id)).toEqual([])
  })

  test('ends with its caller', async () => {
    await connect(host, other)
    await prove()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(guarded.connectionManager.openStream(other.peerId, id, { signal })).rejects.toThrow('enough')
  })
})

test.each([
  ['plain IPv6', ['/ip6/2001:db8::1/tcp/9000'], true],
  ['IPv4', ['/ip4/192.0.2.1/tcp/9000'], false],
  ['a name', ['/dns6/example.org/tcp/9000'], false],
  ['IPv4 and IPv6', ['/ip4/192.0.2.1/tcp/9000', '/ip6/2001:db8::1/tcp/9000'], true],
  ['nothing', [], false]
])('%s can be dialled by the DHT, or not: %j %s', async (_what, addresses, isDialable) => {
  const given = addresses.map((address) => multiaddr(address))
  expect(await guarded.connectionManager.isDialable(given)).toBe(isDialable)
})

describe('what the DHT says of a peer', () => {
  test('is kept of a member, but for its tags and addresses', async () => {
    await guarded.peerStore.merge(other.peerId, {
      tags: { 'kad-peer': { value: 50 } },
      multiaddrs: [multiaddr('/ip6/2001:db8::66/tcp/1')],
      metadata: { known: Uint8Array.of(1) }
    })
    const peer = await host.peerStore.get(other.peerId)
    expect([peer.tags.size, peer.addresses, peer.metadata.get('known')]).toEqual([0, [], Uint8Array.of(1)])
    // What is only read goes through.
    expect(await guarded.peerStore.has(other.peerId)).toBe(true)
  })

  test('is kept of nobody else', async () => {
    isMember = false
    await expect(guarded.peerStore.merge(other.peerId, {})).rejects.toMatchObject({ name: 'NotMemberError' })
    expect(await host.peerStore.has(other.peerId)).toBe(false)
  })
})

describe('the DHT takes into its table', () => {
  test('who is connected and has proved that it is a member', async () => {
    await connect(host, other)
    await prove()
    expect(await guarded.ping.ping(other.peerId)).toBeGreaterThanOrEqual(0)
  })

  test.each([
    ['is not connected', async () => {}],
    ['is connected, and nobody who is known', async () => void (await connect(host, other))]
  ])('nobody who %s', async (_what, before) => {
    await before()
    const asked = guarded.ping.ping(other.peerId)
    await expect(asked).rejects.toMatchObject({ name: 'UnavailableError' })
    // A table is no reason to dial.
    await expect(asked).rejects.toThrow('is not connected')
  })
})

test('a member without a record is known where it is connected from, as long as that is plain IPv6', async () => {
  const connection = await connect(host, other)
  const [{ multiaddrs }] = [filterPeer({ id: other.peerId, multiaddrs: [] }, source, [connection])]
  expect(multiaddrs.map(String)).toEqual([connection.remoteAddr.toString().replace(/\/p2p\/.*/, '')])
  isMember = false
  expect(filterPeer({ id: other.peerId, multiaddrs: [] }, source, [connection]).multiaddrs).toEqual([])
})
