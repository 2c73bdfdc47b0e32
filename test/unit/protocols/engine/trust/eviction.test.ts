import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { oneTooMany, prefixesOf } from '../../../../../src/protocols/engine/trust/eviction.ts'

/** Connections by the address of the other side, in the order in which they came. */
const entries = (...addresses: string[]) =>
  addresses.map((address) => ({ address, connection: { remoteAddr: multiaddr(`/ip6/${address}/tcp/1`) } }))

describe('the prefixes of a connection', () => {
  it.each([
    ['2001:db8:1:2::5', '20010db80001', '20010db800010002'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '20010db80001', '20010db800010002'],
    ['2001:db8:1:3::5', '20010db80001', '20010db800010003'],
    ['::1', '000000000000', '0000000000000000']
  ])('of %s are its /48 and its /64', (address, site, net) => {
    expect(prefixesOf({ remoteAddr: multiaddr(`/ip6/${address}/tcp/1`) })).toEqual({ site, net })
  })

  it('of an address that is no IPv6 are those of all who have none', () => {
    for (const text of ['/ip4/192.0.2.1/tcp/1', '/dns6/example.org/tcp/1', '/memory/1']) {
      expect(prefixesOf({ remoteAddr: multiaddr(text) })).toEqual({ site: 'unknown', net: 'unknown' })
    }
  })
})

describe('the connection that is one too many', () => {
  it.each([
    ['nobody where there is none', [], undefined, undefined],
    ['the only one', ['2001:db8:1::1'], '2001:db8:1::1', '2001:db8:1::1'],
    [
      'one of the /48 that has most, although a /64 of another one has more than each of its own',
      ['2001:db8:9::1', '2001:db8:9::2', '2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:1:3::1'],
      '2001:db8:1:3::1',
      '2001:db8:1:1::1'
    ],
    [
      'in the /48 that has most one of the /64 that has most',
      ['2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:3::1', '2001:db8:7::1'],
      '2001:db8:1:2::2',
      '2001:db8:1:2::1'
    ],
    [
      'of prefixes that have as many the last comer of all, or the first',
      ['2001:db8:1::1', '2001:db8:2::1', '2001:db8:3::1'],
      '2001:db8:3::1',
      '2001:db8:1::1'
    ]
  ])('is %s', (_, addresses, last, first) => {
    expect(oneTooMany(entries(...addresses))?.address).toBe(last)
    expect(oneTooMany(entries(...addresses), 'first')?.address).toBe(first)
  })

  it('is never an honest one from elsewhere while a site fills the places', () => {
    const honest = ['2001:db8:a::1', '2001:db8:b::1']
    const flood = Array.from({ length: 30 }, (_, index) => `2001:db8:ffff:${index.toString(16)}::1`)
    let all = entries(...flood.slice(0, 15), ...honest, ...flood.slice(15))
    for (let gone = 0; gone < 28; gone++) {
      const one = oneTooMany(all)
      expect(honest).not.toContain(one?.address)
      all = all.filter((each) => each !== one)
    }
    expect(all.map(({ address }) => address)).toEqual(expect.arrayContaining(honest))
  })
})
