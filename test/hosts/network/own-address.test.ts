import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { prefixMatcher } from '../../../src/address/prefix.ts'
import type { AddressView } from '../../../src/node/api/views.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostMembers, type Rows } from '../host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { SystemdHost, whyNoSystemd } from '../systemd-host.ts'

const whyNoHosts = whyNoNamespaces()
const program = resolve('dist/bin/trustnet.js')

/** One echo over ICMPv6, by a raw socket: answered by the kernel of the other host. */
const echo = `
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.settimeout(float(sys.argv[2]))
s.connect((sys.argv[1], 0))
s.send(bytes([128, 0, 0, 0, 0, 7, 0, 1]) + b"trustnet")
while s.recv(1500)[0] != 129: pass
print("echoed")`

describeUnless(whyNoHosts)('addresses of the own /48', () => {
  const membersOf = async (network: HostNetwork): Promise<HostMembers> => {
    const members = new HostMembers(network, 'ula.test')
    members.found()
    members.registry('root')
    await members.status(['root'], ceilingMs, ({ membership }) => membership.state === 'member')
    await members.join('two', 'integrated')
    await members.status(['two'], ceilingMs, ({ membership }) => membership.state === 'member')
    return members
  }
  const address = (members: HostMembers, name: string, ...args: string[]): AddressView =>
    JSON.parse(members.cli(name, 'address', '--json', ...args))
  const ping = (network: HostNetwork, name: string, to: string, seconds: number): string =>
    network.run(name, ['python3', '-c', echo, to, String(seconds)]).trim()

  it('ping each other once both are assigned, and carry a network that has no other address', async () => {
    using network = new HostNetwork(['root', 'two'])
    const members = await membersOf(network)
    const [root, two] = ['root', 'two'].map((name) => address(members, name))
    if (root === undefined || two === undefined) throw new Error('no addresses')
    expect(() => ping(network, 'two', root.address, 1)).toThrow(/unreachable|timed out/)
    for (const name of ['root', 'two']) address(members, name, '--assign', 'eth0')
    expect(ping(network, 'two', root.address, 60)).toBe('echoed')
    expect(ping(network, 'root', two.address, 60)).toBe('echoed')
    // Each has heard the new record of the other.
    const knows = (name: string, wanted: string) => (rows: Rows) =>
      rows.get(name)?.addresses.some((each) => each.includes(wanted)) === true
    await members.peers(['two'], ceilingMs, knows('root', root.address))
    await members.peers(['root'], ceilingMs, knows('two', two.address))
    for (const name of ['root', 'two'])
      network.run(name, ['ip', '-6', 'address', 'delete', `${network.host(name).address}/64`, 'dev', 'eth0'])
    await members.status(['root'], ceilingMs, ({ announced }) => announced.every((each) => each.includes(root.address)))
    // A node that comes back knows the addresses of the last run alone.
    await members.end('two', 'SIGTERM')
    members.start('two', 'node', 'start', '--name', 'two')
    await members.peers(['two'], ceilingMs, (rows) => rows.get('root')?.state === 'online')
    const reply = JSON.parse(members.cli('two', 'ping', 'root', '-c', '1', '--json')) as { address: string }
    expect(prefixMatcher([root.prefix])(reply.address.split('/')[2] ?? '')).toBe(true)
  })

  it('are gone after --remove, with their route; a second interface and a route of somebody else are respected', async () => {
    using network = new HostNetwork(['root', 'two'])
    const members = await membersOf(network)
    const onTwo = (...command: string[]): string => network.run('two', command)
    const { address: own, prefix } = address(members, 'two', '--assign', 'eth0')
    expect(onTwo('ip', '-6', 'route', 'show', 'exact', prefix)).toContain('dev eth0 proto static src')
    expect(() => members.cli('two', 'address', '--assign', 'lo')).toThrow(/is on eth0 already/)
    address(members, 'two', '--remove')
    expect(onTwo('ip', '-6', 'address', 'show')).not.toContain(own)
    expect(onTwo('ip', '-6', 'route', 'show', 'exact', prefix)).toBe('')
    onTwo('ip', '-6', 'route', 'add', prefix, 'via', network.host('root').address)
    address(members, 'two', '--assign', 'eth0')
    address(members, 'two', '--remove')
    expect(onTwo('ip', '-6', 'route', 'show', 'exact', prefix)).toContain('via')
    onTwo('ip', '-6', 'route', 'delete', prefix)
    address(members, 'two', '--assign', 'lo')
    expect(onTwo('ip', '-6', 'route', 'show', 'exact', prefix)).toBe('')
  })
})

describeUnless(whyNoHosts ?? whyNoFileRoots() ?? whyNoSystemd())('an address that is kept', () => {
  it('is back after a boot, and gone for good after --remove', async () => {
    using network = new HostNetwork(['us'])
    network.useNameServer(network.host('us').address)
    using root = new FileRoot()
    const { namespace } = network.host('us')
    const capabilities = ['CAP_NET_ADMIN']
    const flags = ['--yes', '--role', 'root', '--domain', 'ula.test', '--name', 'root', '--json']
    const onHost = (...command: string[]): string => network.run('us', command)
    let own = { address: '', prefix: '' }
    const isThere = (): boolean =>
      onHost('ip', '-6', 'address', 'show').includes(`${own.address}/128`) &&
      onHost('ip', '-6', 'route', 'show', 'exact', own.prefix).includes('dev eth0')
    {
      await using host = await SystemdHost.boot(namespace, root, capabilities)
      host.run(process.execPath, program, 'install', ...flags)
      own = JSON.parse(host.run('trustnet', 'address', '--json', '--assign', 'eth0', '--persist'))
      expect(isThere()).toBe(true)
    }
    onHost('ip', '-6', 'address', 'flush', 'dev', 'eth0', 'to', own.prefix)
    onHost('ip', '-6', 'route', 'flush', 'exact', own.prefix)
    expect(isThere()).toBe(false)
    await using host = await SystemdHost.bootAgain(namespace, root, capabilities)
    await eventually(isThere, ceilingMs)
    await eventually(() => host.run('sh', '-c', 'trustnet address || true').includes(own.address), ceilingMs)
    host.run('trustnet', 'address', '--remove')
    expect(isThere()).toBe(false)
    expect(
      host.run('sh', '-c', 'ls /etc/systemd/system/*/ /etc/systemd/system | grep trustnet-address || echo none')
    ).toBe('none\n')
  })
})
