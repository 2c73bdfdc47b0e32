import type { PeerInfo } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { filterPeer } from '../../../../src/protocols/kad/components.ts'
import { recordOf } from '../../../helpers/observations.ts'
import { networkId } from '../../../helpers/signed-objects.ts'

const key = SigningKey.generate()
const { publicKey } = key
const told: PeerInfo = {
  id: peerIdFromString(peerIdText(publicKey)),
  multiaddrs: [
    '/ip4/192.0.2.1/tcp/9000',
    '/ip6/::ffff:192.0.2.1/tcp/9000',
    '/ip6/64:ff9b::c000:201/tcp/9000',
    '/dns4/example.org/tcp/9000',
    '/ip6/2001:db8::1/tcp/9000'
  ].map((text) => multiaddr(text))
}
const source = (isMember: boolean): Parameters<typeof filterPeer>[1] => ({
  networkId,
  records: {
    get: () => undefined,
    put: () => Promise.reject(new Error('not asked for')),
    read: () => recordOf(key, 1, { addrs: ['/ip6/2001:db8::7/tcp/9000'] }).value
  },
  replica: { isMember: () => isMember }
})

test('of the addresses in an answer none is kept: those that the member signed stand in their place', () => {
  expect(filterPeer(told, source(true)).multiaddrs.map(String)).toEqual(['/ip6/2001:db8::7/tcp/9000'])
  expect(filterPeer(told, source(false)).multiaddrs).toEqual([])
})
