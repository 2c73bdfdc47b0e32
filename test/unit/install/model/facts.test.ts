import { describe, expect, it } from 'vitest'
import {
  parseDisabled,
  parseFirewalld,
  parseGateway,
  parseNftables,
  parseOsRelease,
  parseResolvers,
  parseUfw,
  toMultiaddr
} from '../../../../src/install/machine/parse-facts.ts'

describe('what the system says of itself', () => {
  it('os-release, quoted or not', () => {
    const text =
      'PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\nID=\'rocky\'\nID_LIKE="rhel centos fedora"\nVERSION_ID=9.4\n'
    expect(parseOsRelease(text)).toEqual({
      id: 'rocky',
      like: ['rhel', 'centos', 'fedora'],
      name: 'Rocky Linux 9.4 (Blue Onyx)'
    })
    expect(parseOsRelease('')).toEqual({ id: 'unknown', like: [], name: '' })
  })

  it('resolvers, without comments and options', () => {
    expect(parseResolvers('# a\nnameserver 2001:db8::53\nsearch x\noptions timeout:1\n nameserver ::1 \n')).toEqual([
      '2001:db8::53',
      '::1'
    ])
  })

  it('interfaces with IPv6 off, each once', () => {
    expect(
      parseDisabled([
        ['all', '1\n'],
        ['eth0', '0\n'],
        ['eth1', '1'],
        ['eth1', '1'],
        ['lo', '']
      ])
    ).toEqual(['all', 'eth1'])
  })

  it('the default route, not the one of the kernel itself', () => {
    const zeros = '0'.repeat(32)
    const own = `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo\n`
    const real = `${zeros} 00 ${zeros} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n`
    expect(parseGateway(own)).toBeNull()
    expect(parseGateway(own + real)).toEqual({ via: 'fe80::1', device: 'eth0' })
  })
})

describe('firewalls', () => {
  it('ufw, when it is active', () => {
    expect(parseUfw('Status: inactive\n')).toBeUndefined()
    const text =
      'Status: active\n\nTo   Action   From\n--   ------   ----\n22/tcp   ALLOW   Anywhere\n9000/tcp (v6)  ALLOW   Anywhere (v6)\n80/tcp   DENY   Anywhere\n'
    expect(parseUfw(text)).toEqual({ tool: 'ufw', dropsInbound: true, open: [22, 9000], chain: [] })
  })

  it('firewalld', () => {
    expect(parseFirewalld('8000/tcp 53/udp 9000/tcp\n').open).toEqual([8000, 9000])
  })

  const ruleset = (policy: string, ...rules: object[]): string =>
    JSON.stringify({
      nftables: [
        { metainfo: {} },
        { table: { family: 'inet', name: 'filter' } },
        { chain: { family: 'inet', table: 'filter', name: 'input', hook: 'input', policy } },
        ...rules.map((expr) => ({ rule: { family: 'inet', table: 'filter', chain: 'input', expr } }))
      ]
    })
  const dport = (right: unknown) => [
    { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right } },
    { accept: null }
  ]

  it('an nftables chain that drops by policy, and the ports that it lets in', () => {
    expect(parseNftables(ruleset('drop', dport(22), dport({ set: [8000, 9000] })))).toEqual({
      tool: 'nftables',
      dropsInbound: true,
      open: [22, 8000, 9000],
      chain: ['inet', 'filter', 'input']
    })
  })

  it('one whose last rule drops', () => {
    expect(parseNftables(ruleset('accept', dport(22), [{ drop: null }])).open).toEqual([22])
  })

  it('one that accepts is none', () => {
    expect(parseNftables(ruleset('accept', dport(22))).tool).toBe('none')
    expect(parseNftables('').tool).toBe('none')
  })
})

it.each([
  ['2001:db8::5', '/ip6/2001:db8::5/tcp/8000'],
  ['2001:0db8:0::5', '/ip6/2001:db8::5/tcp/8000'],
  ['[2001:db8::5]:9001', '/ip6/2001:db8::5/tcp/9001'],
  ['/ip6/2001:DB8::5/tcp/1', '/ip6/2001:db8::5/tcp/1']
])('%s is %s', (text, multiaddr) => {
  expect(toMultiaddr(text, 8000)).toBe(multiaddr)
})

it.each(['example.org', '10.0.0.1', '[2001:db8::5]:99999', '/dns6/example.org/tcp/1'])('%s is no address', (text) => {
  expect(() => toMultiaddr(text, 8000)).toThrow('write')
})
