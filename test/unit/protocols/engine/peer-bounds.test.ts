import type { PeerData, PeerStore } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { boundPeers } from '../../../../src/protocols/engine/peer-bounds.ts'

const limits = { addresses: 3, protocols: 2, textBytes: 8, addressBytes: 128, envelopeBytes: 10 }
const newId = () => peerIdFromPrivateKey(SigningKey.generate().toLibp2p())
const [self, peer] = [newId(), newId()]
const addr = (port: number) => multiaddr(`/ip6/2001:db8::1/tcp/${port}`)
const ports = (data: PeerData | undefined): string[] =>
  [...(data?.addresses ?? [])].map((each) => each.multiaddr.toString().split('/').at(-1) ?? '')

/** Data that the store was given last, by the name of the method. */
let given: Record<string, PeerData>
let known: { port: number }[]
let store: PeerStore

beforeEach(() => {
  given = {}
  known = []
  const taking = (name: string) => async (_: unknown, data: PeerData) => {
    given[name] = data
  }
  const get = async () => {
    if (known.length === 0) throw new Error('not found')
    return { addresses: known.map(({ port }) => ({ multiaddr: addr(port), isCertified: false })) }
  }
  store = { save: taking('save'), patch: taking('patch'), merge: taking('merge'), get } as unknown as PeerStore
  boundPeers(store, self, { ...limits })
})

describe('what is remembered of a peer', () => {
  const many: PeerData = {
    multiaddrs: [1, 2, 3, 4, 5].map(addr),
    addresses: [6, 7, 8, 9].map((port) => ({ multiaddr: addr(port), isCertified: true })),
    protocols: ['/a', '/a-protocol-of-a-long-name', '/b', '/c'],
    metadata: { agent: new Uint8Array(20), none: undefined },
    peerRecordEnvelope: new Uint8Array(11)
  }

  it.each(['save', 'patch'] as const)('is bounded when it is told by %s', async (method) => {
    await store[method](peer, many)
    const data = given[method]
    expect(data?.multiaddrs).toHaveLength(3)
    expect(ports(data)).toEqual(['6', '7', '8'])
    expect(data?.protocols).toEqual(['/a', '/b'])
    expect(data?.metadata).toEqual(
      new Map([
        ['agent', new Uint8Array(8)],
        ['none', undefined]
      ])
    )
    expect(data).not.toHaveProperty('peerRecordEnvelope')
  })

  it('keeps a small envelope, and metadata that came as a map', async () => {
    const metadata = new Map([['agent', Uint8Array.of(1)]])
    await store.save(peer, { peerRecordEnvelope: new Uint8Array(10), metadata })
    expect(given['save']).toEqual({ peerRecordEnvelope: new Uint8Array(10), metadata })
  })

  it('has what was told last before what was known, each address once', async () => {
    known = [{ port: 1 }, { port: 2 }, { port: 3 }]
    await store.merge(peer, { multiaddrs: [addr(9), addr(1)], protocols: ['/a'] })
    expect(ports(given['patch'])).toEqual(['9', '1', '2'])
    expect(given['merge']).toEqual({ protocols: ['/a'] })
  })

  it('begins with a peer of which nothing is known, and is not touched by what says no address', async () => {
    await store.merge(peer, { addresses: [{ multiaddr: addr(4), isCertified: true }] })
    expect(ports(given['patch'])).toEqual(['4'])
    given = {}
    await store.merge(peer, { protocols: ['/a', '/b', '/c'] })
    expect(given).toEqual({ merge: { protocols: ['/a', '/b'] } })
  })

  it('is no matter for this node itself', async () => {
    await store.save(self, many)
    expect(given['save']).toBe(many)
  })
})
