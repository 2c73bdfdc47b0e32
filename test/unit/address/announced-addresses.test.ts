import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AddressWatch, chooseAddresses } from '../../../src/address/announced-addresses.ts'
import { interfaceAddresses, parseIfInet6 } from '../../../src/address/interfaces.ts'
import { WokenServices } from '../../helpers/registry/woken-services.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** address, index, prefix length, scope, flags, device: as the kernel prints them. */
const table = `20010db8000000000000000000000005 02 40 00 80     eth0
20010db8000000000000000000000006 02 40 00 01     eth0
20010db8000000000000000000000007 02 40 00 20     eth0
20010db8000000000000000000000008 02 40 00 40     eth0
20010db8000000000000000000000009 02 40 00 88     eth0
20010db800000000000000000000000a 02 40 00 00     eth0
fd123456789a00000000000000000001 02 40 00 80     eth0
fd00d0c0000000000000000000000001 03 40 00 80  docker0
fe800000000000000000000000000001 02 40 20 80     eth0
200200000000000000000000000000ff 04 40 00 80     sit0
00000000000000000000000000000001 01 80 10 80       lo
`

const allow = ['global', 'ula', 'loopback'] as const

describe('chooseAddresses', () => {
  const addresses = parseIfInet6(table)

  it('takes stable addresses only, global first, those of local bridges last in their scope', () => {
    expect(chooseAddresses(addresses, { port: 9000, allow })).toEqual([
      '/ip6/2001:db8::5/tcp/9000',
      '/ip6/2001:db8::a/tcp/9000',
      '/ip6/fd12:3456:789a::1/tcp/9000',
      '/ip6/fd00:d0c0::1/tcp/9000',
      '/ip6/::1/tcp/9000'
    ])
  })

  it('takes those of named interfaces and prefixes alone', () => {
    const chosen = (filters: { interfaces?: string[]; prefixes?: string[] }) =>
      chooseAddresses(addresses, { port: 1, allow, ...filters }).map((each) => each.split('/')[2])
    expect(chosen({ interfaces: ['docker*'] })).toEqual(['fd00:d0c0::1'])
    expect(chosen({ interfaces: ['lo', 'docker0'] })).toEqual(['fd00:d0c0::1', '::1'])
    expect(chosen({ interfaces: ['eth'] })).toEqual([])
    expect(chosen({ prefixes: ['2001:db8::/32'] })).toEqual(['2001:db8::5', '2001:db8::a'])
    expect(chosen({ interfaces: ['eth0'], prefixes: ['fd00::/8'] })).toEqual(['fd12:3456:789a::1'])
  })

  it('takes loopback only when it is allowed', () => {
    expect(chooseAddresses(addresses, { port: 1, allow: ['global'] })).toHaveLength(2)
    expect(chooseAddresses(addresses, { port: 1, allow: ['loopback'] })).toEqual(['/ip6/::1/tcp/1'])
  })

  it('a node that listens on one address announces no other', () => {
    expect(chooseAddresses(addresses, { port: 1, allow, host: '2001:db8::a' })).toEqual(['/ip6/2001:db8::a/tcp/1'])
  })

  it('takes 8 at most', () => {
    const many = Array.from({ length: 20 }, (_, i) => ({
      address: `2001:db8::${(i + 1).toString(16)}`,
      device: 'eth0',
      temporary: false,
      deprecated: false,
      tentative: false,
      duplicate: false
    }))
    expect(chooseAddresses(many, { port: 1, allow })).toHaveLength(8)
  })
})

describe('interfaceAddresses', () => {
  it('finds loopback on this machine, with and without the table of the kernel', async () => {
    expect((await interfaceAddresses()).map(({ address }) => address)).toContain('::1')
    expect((await interfaceAddresses('/nonexistent')).map(({ address }) => address)).toContain('::1')
  })

  it('skips lines that are none', () => {
    expect(parseIfInet6('\nnonsense\n0001 02\n')).toEqual([])
  })
})

describe('AddressWatch', () => {
  it('tells of a new prefix once, and of nothing while nothing changes', async () => {
    using folder = tempFolder()
    const file = join(folder.path, 'if_inet6')
    const changes: (readonly string[])[] = []
    writeFileSync(file, table)
    using watch = new AddressWatch({
      port: 9000,
      allow: ['global'],
      read: async () => await interfaceAddresses(file),
      onChange: (addresses) => changes.push(addresses)
    })
    expect(await watch.start(new WokenServices())).toEqual(['/ip6/2001:db8::5/tcp/9000', '/ip6/2001:db8::a/tcp/9000'])
    await watch.check()
    writeFileSync(file, table.replaceAll('20010db8', '20010db9'))
    await watch.check()
    await watch.check()
    expect(changes).toEqual([['/ip6/2001:db9::5/tcp/9000', '/ip6/2001:db9::a/tcp/9000']])
    expect(watch.current).toEqual(changes[0])
  })

  it('is silent after its stop', async () => {
    const read = [parseIfInet6(table), []]
    const changes: unknown[] = []
    const watch = new AddressWatch({
      port: 1,
      allow,
      read: async () => read.shift() ?? [],
      onChange: (addresses) => changes.push(addresses)
    })
    await watch.start(new WokenServices())
    watch.stop()
    await watch.check()
    expect(changes).toEqual([])
  })
})
