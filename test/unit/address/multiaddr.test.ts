import { multiaddr } from '@multiformats/multiaddr'
import * as fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import {
  decodeAddr,
  encodeAddr,
  formatIp6,
  isAnnounceable,
  isPlainIp6,
  memberAddress,
  normalAddr,
  parseAddr,
  parseIp6,
  type Scope,
  scopeOf,
  ulaPrefix
} from '../../../src/address/multiaddr.ts'
import { InvalidPayloadError } from '../../../src/runtime/errors.ts'
import { keyOf, networkId, otherNetworkId } from '../../helpers/signed-objects.ts'

const peer = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X'
/** 16 bytes in which runs of zeros are common. */
const anyIp = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])))

describe('IPv6 text', () => {
  it('leads back to the bytes, is the shortest form and the one that libp2p writes', () => {
    fc.assert(
      fc.property(anyIp, fc.integer({ min: 1, max: 65_535 }), (bytes, port) => {
        const text = formatIp6(bytes)
        expect(parseIp6(text)).toEqual(bytes)
        expect(ipaddr.IPv6.parse(text).toRFC5952String()).toBe(text)
        const addr = `/ip6/${text}/tcp/${port}`
        expect(multiaddr(encodeAddr(addr)).toString()).toBe(addr)
        expect(Uint8Array.from(multiaddr(addr).bytes)).toEqual(encodeAddr(addr))
        expect(decodeAddr(encodeAddr(addr))).toBe(addr)
      }),
      { numRuns: 500 }
    )
  })

  it('is read in every spelling and refused when it is none', () => {
    expect(parseIp6('::ffff:1.2.3.4')).toEqual(Uint8Array.of(...new Uint8Array(10), 255, 255, 1, 2, 3, 4))
    expect(parseIp6('2001:0DB8:0:0:0:0:0:1')).toEqual(parseIp6('2001:db8::1'))
    for (const text of ['', '1.2.3.4', '1::2::3', 'fe80::1%eth0', '12345::', ':::', '1:2:3:4:5:6:7:8:9', ' ::1']) {
      expect(parseIp6(text)).toBeUndefined()
    }
  })
})

describe('scope', () => {
  const scopes: [string, Scope][] = [
    ['2001:db8::1', 'global'],
    ['2a00:1450::1', 'global'],
    ['3fff::1', 'global'],
    ['fd12:3456:789a::1', 'ula'],
    ['fc00::1', 'ula'],
    ['::1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['febf::1', 'link-local'],
    ['ff02::1', 'multicast'],
    ['::', 'other'],
    ['::2', 'other'],
    ['::1.2.3.4', 'other'],
    ['::ffff:1.2.3.4', 'other'],
    ['64:ff9b::1', 'other'],
    ['64:ff9b:1::1', 'other'],
    ['2002::1', 'other'],
    ['2001::1', 'other'],
    ['fec0::1', 'other'],
    ['100::1', 'other'],
    ['4000::1', 'other'],
    ['fe80::1%eth0', 'other'],
    ['127.0.0.1', 'other'],
    ['example.org', 'other']
  ]
  it.each(scopes)('of %s is %s', (ip, scope) => expect(scopeOf(ip)).toBe(scope))
})

describe('multiaddr', () => {
  const table: [string, { plain: boolean; announceable: boolean }][] = [
    ['/ip6/2001:db8::1/tcp/9000', { plain: true, announceable: true }],
    ['/ip6/fd00::1/tcp/9000', { plain: true, announceable: true }],
    ['/ip6/::1/tcp/9000', { plain: true, announceable: true }],
    ['/ip6/fe80::1/tcp/9000', { plain: true, announceable: false }],
    ['/ip6/2001:db8::1', { plain: true, announceable: false }],
    [`/ip6/2001:db8::1/tcp/9000/p2p/${peer}`, { plain: true, announceable: false }],
    [`/ip6/2001:db8::1/p2p/${peer}`, { plain: true, announceable: false }],
    ['/ip4/1.2.3.4/tcp/9000', { plain: false, announceable: false }],
    ['/ip6/::ffff:1.2.3.4/tcp/9000', { plain: false, announceable: false }],
    ['/ip6/64:ff9b::1/tcp/9000', { plain: false, announceable: false }],
    ['/ip6/2002:1::1/tcp/9000', { plain: false, announceable: false }],
    ['/ip6/::/tcp/9000', { plain: false, announceable: false }],
    ['/ip6/ff02::1/tcp/9000', { plain: false, announceable: false }],
    ['/ip6zone/eth0/ip6/fe80::1/tcp/9000', { plain: false, announceable: false }],
    ['/dns6/example.org/tcp/9000', { plain: false, announceable: false }],
    ['/unix/tmp%2Fsocket', { plain: false, announceable: false }],
    ['/ip6/2001:db8::1/udp/9000/quic-v1', { plain: false, announceable: false }],
    ['/ip6/2001:db8::1/tcp/9000/ws', { plain: false, announceable: false }],
    [`/ip6/2001:db8::1/tcp/9000/p2p/${peer}/p2p-circuit`, { plain: false, announceable: false }],
    [`/ip6/2001:db8::1/tcp/9000/p2p/${peer}/p2p-circuit/p2p/${peer}`, { plain: false, announceable: false }],
    ['/ip6/2001:db8::1/tcp/65536', { plain: false, announceable: false }],
    ['/ip6/2001:db8::1/tcp/', { plain: false, announceable: false }],
    ['/ip6/2001:db8::1/tcp/9000/', { plain: false, announceable: false }],
    ['/ip6/2001:db8::1/tcp/9000/p2p', { plain: false, announceable: false }],
    ['ip6/2001:db8::1/tcp/9000', { plain: false, announceable: false }],
    ['', { plain: false, announceable: false }]
  ]

  it.each(table)('%s', (text, { plain, announceable }) => {
    expect(isPlainIp6(text)).toBe(plain)
    expect(isAnnounceable(text)).toBe(announceable)
  })

  it('is judged the same as an object of libp2p', () => {
    for (const [text, { plain }] of table.slice(0, 15)) expect(isPlainIp6(multiaddr(text))).toBe(plain)
  })

  it('is taken apart', () => {
    expect(parseAddr(`/ip6/2001:DB8:0::1/tcp/9000/p2p/${peer}`)).toMatchObject({
      ip: '2001:db8::1',
      port: 9000,
      scope: 'global',
      peerId: peer
    })
    expect(normalAddr('/ip6/2001:DB8:0::1/tcp/9000')).toBe('/ip6/2001:db8::1/tcp/9000')
    expect(normalAddr('/ip4/1.2.3.4')).toBeUndefined()
  })

  it('has a binary form only as IPv6 with a port', () => {
    for (const text of ['/ip6/::1', `/ip6/::1/tcp/1/p2p/${peer}`, '/ip4/1.2.3.4/tcp/1']) {
      expect(() => encodeAddr(text)).toThrow(InvalidPayloadError)
    }
    const good = encodeAddr('/ip6/::1/tcp/1')
    for (const bytes of [good.subarray(1), Uint8Array.of(...good, 0), good.with(0, 4), good.with(17, 0x11)]) {
      expect(() => decodeAddr(bytes)).toThrow(InvalidPayloadError)
    }
  })
})

describe('own addresses of a network', () => {
  it('are in its /48, one for each member, the same for everybody', () => {
    const prefix = ulaPrefix(networkId)
    expect(prefix).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/48$/)
    const address = memberAddress(networkId, keyOf(1).publicKey)
    expect(scopeOf(address)).toBe('ula')
    expect(ipaddr.IPv6.parse(address).match(ipaddr.IPv6.parseCIDR(prefix))).toBe(true)
    expect(memberAddress(networkId, keyOf(1).publicKey)).toBe(address)
    expect(memberAddress(networkId, keyOf(2).publicKey)).not.toBe(address)
    expect(ulaPrefix(otherNetworkId)).not.toBe(prefix)
  })
})
