import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDhcp } from '../../../src/install/machine/dhcp-client.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

const whyNoRouters = (): string | undefined => {
  try {
    execFileSync('sh', ['-c', 'command -v radvd && command -v dnsmasq && command -v dhclient && command -v dhcpcd'], {
      stdio: 'pipe'
    })
    return undefined
  } catch {
    return 'needs radvd, dnsmasq, dhclient and dhcpcd'
  }
}

const program = resolve('dist/bin/trustnet.js')
const prefix = 'fd10:7a11:5e7:9'
/** Prefix of the addresses that a DHCPv6 server gives out. */
const managed = 'fd10:7a11:5e7:a'

describeUnless(whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoRouters())('install where IPv6 is off', () => {
  let network: HostNetwork
  let root: FileRoot
  let router: ChildProcess

  const flags = [
    'install',
    '--yes',
    '--deployment',
    'foreground',
    '--role',
    'root',
    '--domain',
    'example.test',
    '--name',
    'r'
  ]
  const inside = (...args: string[]): string[] => root.inside(process.execPath, program, ...args)
  const setting = (): string => network.run('w', ['cat', '/proc/sys/net/ipv6/conf/eth0/disable_ipv6']).trim()
  const file = (): string => join(root.path, 'etc/sysctl.d/60-trustnet-ipv6.conf')

  beforeAll(() => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['router', 'w'])
    network.run('router', ['ip', 'addr', 'add', `${managed}::1/64`, 'dev', 'eth0', 'nodad'])
    network.useNameServer(network.host('router').address)
    root = new FileRoot()
    network.run('w', ['sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=1', 'net.ipv6.conf.all.disable_ipv6=1'])
  })

  afterAll(() => {
    network?.[Symbol.dispose]()
    root?.[Symbol.dispose]()
  })

  it('is refused with what would help', () => {
    expect(() => network.run('w', inside(...flags))).toThrow(
      /it is turned off.*Fix: run this again with --ipv6-auto-enable/
    )
    expect(setting()).toBe('1')
  })

  it('without a router it tries five times, says how an address is got, and turns it off again', () => {
    expect(() => network.run('w', inside(...flags, '--ipv6-auto-enable'))).toThrow(
      /try 5 of 5[\s\S]*no interface has a global or unique local address[\s\S]*ip -6 addr add/
    )
    expect(setting()).toBe('1')
    expect(existsSync(file())).toBe(false)
    expect(existsSync(join(root.path, 'var/lib/trustnet-install'))).toBe(false)
  })

  it('with a router it is on within a few seconds, and uninstall turns it off', async () => {
    const config = join(network.folder, 'radvd.conf')
    writeFileSync(
      config,
      `interface eth0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; prefix ${prefix}::/64 { }; };\n`
    )
    network.run('router', ['sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1'])
    router = network.start('router', 'radvd', [
      'radvd',
      '--nodaemon',
      '--config',
      config,
      '--pidfile',
      join(network.folder, 'radvd.pid')
    ])
    const child = network.start('w', 'install', inside(...flags, '--ipv6-auto-enable'))
    await eventually(
      () => network.log('w', 'install').includes('The node runs under this command') || child.exitCode !== null
    )
    expect(network.log('w', 'install')).toMatch(new RegExp(`pass {2}IPv6 +${prefix}:`))
    expect(setting()).toBe('0')
    expect(existsSync(file())).toBe(true)
    network.run('w', root.inside('trustnet', 'uninstall', '--purge'))
    expect(setting()).toBe('1')
    expect(existsSync(file())).toBe(false)
  })

  describe('with a router that leaves addresses to DHCPv6', () => {
    /** Processes of the client that was started for this interface. */
    const clients = (): string[] =>
      network
        .run('w', ['ps', '-eo', 'args'])
        .split('\n')
        .filter((args) => args.includes('-pf /run/trustnet-dhclient6-eth0.pid'))
    const addresses = (): string => network.run('w', ['ip', '-6', 'addr', 'show', 'dev', 'eth0'])

    beforeAll(async () => {
      router.kill()
      await once(router, 'exit')
      const range = `--dhcp-range=${managed}::100,${managed}::1ff,64,5m`
      const lease = `--dhcp-leasefile=${join(network.folder, 'leases')}`
      const advertise = ['--enable-ra', '--ra-param=eth0,3,60', '--dhcp-authoritative', range, lease]
      const alone = ['--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--interface=eth0', '--user=root']
      network.start('router', 'dnsmasq', ['dnsmasq', ...alone, ...advertise])
    })

    it('the client that is there is started, and ends with uninstall', async () => {
      const child = network.start('w', 'managed', inside(...flags, '--ipv6-auto-enable'))
      await eventually(
        () => network.log('w', 'managed').includes('The node runs under this command') || child.exitCode !== null
      )
      expect(network.log('w', 'managed')).toContain('dhclient asks for an address by DHCPv6 on eth0')
      expect(network.log('w', 'managed')).toMatch(new RegExp(`pass {2}IPv6 +${managed}::1`))
      expect(clients()).toHaveLength(1)
      network.run('w', root.inside('trustnet', 'uninstall', '--purge'))
      expect(clients()).toEqual([])
      expect(addresses()).not.toContain(managed)
      expect(setting()).toBe('1')
    })

    it('another client is started and ended in its own way', async () => {
      const start = startDhcp('eth0', (client) => client === 'dhcpcd')
      network.run('w', ['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=0'])
      const resolvers = (): string => network.run('w', root.inside('cat', '/etc/resolv.conf'))
      const before = resolvers()
      network.run('w', root.inside(...(start?.run ?? [])))
      await eventually(() => addresses().includes(`${managed}::1`))
      network.run('w', root.inside(...(start?.undo ?? [])))
      await eventually(() => !addresses().includes(`${managed}::1`))
      expect(resolvers()).toBe(before)
    })
  })

  it('an address that another machine of the link has is named as a duplicate', async () => {
    network.run('w', ['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.eth0.accept_ra=0'])
    network.run('w', ['sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=1'])
    const { address } = network.host('router')
    network.run('w', ['ip', '-6', 'addr', 'flush', 'dev', 'eth0', 'scope', 'global'])
    network.run('w', ['ip', 'addr', 'add', `${address}/64`, 'dev', 'eth0'])
    await eventually(() => network.run('w', ['ip', '-6', 'addr', 'show', 'dev', 'eth0']).includes('dadfailed'))
    expect(() => network.run('w', inside(...flags))).toThrow(
      new RegExp(`${address} on eth0 is a duplicate: another machine of the link has it`)
    )
  })
})
