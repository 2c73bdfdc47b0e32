import { describe, expect, it } from 'vitest'
import {
  type AddressKind,
  AddressSpellingError,
  anyAddress,
  dialAddress,
  hostAddress,
  listenAddress,
  ownAddress,
  prefixAddress,
  resolverAddress
} from '../../../src/address/spelling.ts'
import { badIps, badResolvers, ip, sameIp } from '../../helpers/faults/address-spellings.ts'

const peerId = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

const takes = (kind: AddressKind, frame: (ip: string) => string): void => {
  for (const spelling of sameIp) {
    expect(kind(frame(spelling)), spelling).toBe(frame(ip))
    expect(kind(` ${frame(spelling)} `), spelling).toBe(frame(ip))
  }
}

const refuses = (kind: AddressKind, spellings: readonly string[]): void => {
  for (const spelling of spellings) expect(() => kind(spelling), spelling).toThrow(AddressSpellingError)
}

describe('one spelling for each address', () => {
  it('of a machine', () => {
    takes(hostAddress, (text) => text)
    refuses(hostAddress, [...badIps, '::', ''])
    expect(hostAddress('0:0:0:0:0:0:0:1')).toBe('::1')
  })

  it('to listen on, where all addresses have many spellings', () => {
    takes(listenAddress, (text) => text)
    refuses(listenAddress, [...badIps, ''])
    for (const all of ['::', '::0', '0::', '0:0:0:0:0:0:0:0', '::0.0.0.0']) expect(listenAddress(all)).toBe('::')
  })

  it('to dial, with and without a key', () => {
    takes(dialAddress, (text) => `/ip6/${text}/tcp/8000`)
    takes(dialAddress, (text) => `/ip6/${text}/tcp/8000/p2p/${peerId}`)
    expect(dialAddress('/ip6/0::1/tcp/8000')).toBe('/ip6/::1/tcp/8000')
    refuses(
      dialAddress,
      badIps.map((bad) => `/ip6/${bad}/tcp/8000`)
    )
    const tails = [
      '',
      '/tcp/0',
      '/tcp/08000',
      '/tcp/65536',
      '/tcp/8000/',
      '/udp/8000',
      '/tcp/8000/ws',
      '/tcp/8000/p2p/',
      '/tcp/8000/p2p/x'
    ]
    refuses(
      dialAddress,
      tails.map((tail) => `/ip6/::1${tail}`)
    )
    const keys = [
      `2${peerId.slice(1)}`,
      `${peerId.slice(0, -1)}0`,
      'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
      `${peerId}a`
    ]
    refuses(
      dialAddress,
      keys.map((key) => `/ip6/::1/tcp/8000/p2p/${key}`)
    )
    refuses(dialAddress, ['/ip4/192.0.2.1/tcp/1', '/ip6zone/eth0/ip6/fe80::1/tcp/1', '/dns6/a.test/tcp/1', '::1', ''])
  })

  it('of its own, which has no key in it', () => {
    takes(ownAddress, (text) => `/ip6/${text}/tcp/8000`)
    refuses(ownAddress, [`/ip6/::1/tcp/8000/p2p/${peerId}`, '/ip6/::1', ...badIps.map((bad) => `/ip6/${bad}/tcp/8000`)])
  })

  it('of a prefix, without what is behind it', () => {
    takes(prefixAddress, (text) => `${text}/128`)
    expect(prefixAddress('FD10:AAAA:1::2/48')).toBe('fd10:aaaa:1::/48')
    expect(prefixAddress('fd10:aaaa:1:ffff::/50')).toBe('fd10:aaaa:1:c000::/50')
    expect(prefixAddress('fd10::/16')).toBe('fd10::/16')
    expect(prefixAddress('fe80::1/10')).toBe('fe80::/10')
    expect(prefixAddress('2001:db8::/0')).toBe('::/0')
    expect(() => prefixAddress('ff02::/64')).toThrow(/'ff02::\/64' is of multicast addresses, .*: write /)
    refuses(prefixAddress, [
      ip,
      '10.0.0.0/8',
      '::ffff:10.0.0.0/104',
      `${ip}/129`,
      `${ip}/-1`,
      `${ip}/`,
      '/64',
      `${ip}%a/64`
    ])
  })

  it('of a resolver, which may be IPv4, or link-local where the interface is named', () => {
    takes(resolverAddress, (text) => text)
    takes(resolverAddress, (text) => `[${text}]:5353`)
    expect(resolverAddress('[FD10::1]')).toBe('fd10::1')
    expect(resolverAddress('[fd10::1]:53')).toBe('fd10::1')
    expect(resolverAddress('192.0.2.53')).toBe('192.0.2.53')
    expect(resolverAddress('192.0.2.53:53')).toBe('192.0.2.53')
    expect(resolverAddress('192.0.2.53:5353')).toBe('192.0.2.53:5353')
    expect(resolverAddress('FE80:0::1%eth0')).toBe('fe80::1%eth0')
    expect(resolverAddress('FE80::1%25eth0')).toBe('fe80::1%eth0')
    expect(resolverAddress('[fe80::0:1%25eth0]:53')).toBe('fe80::1%eth0')
    expect(resolverAddress('[fe80::1%br-lan.7]:5353')).toBe('[fe80::1%br-lan.7]:5353')
    refuses(resolverAddress, badResolvers)
  })

  it('of a record that must go, whatever it is', () => {
    takes(anyAddress, (text) => text)
    expect(anyAddress('FF02::1')).toBe('ff02::1')
    refuses(anyAddress, ['192.0.2.1', 'fe80::1%eth0', 'x'])
  })

  it('a refusal says what is wrong and what is right', () => {
    expect(() => listenAddress('::ffff:192.0.2.1')).toThrow(
      "'::ffff:192.0.2.1' is unspecified, reserved, or an IPv4 address in disguise: write a global, unique local or loopback address like 2001:db8::5, or :: for all"
    )
    expect(() => dialAddress('/ip6/fe80::1%eth0/tcp/1')).toThrow(
      'names an interface, which means nothing to other machines'
    )
  })
})
