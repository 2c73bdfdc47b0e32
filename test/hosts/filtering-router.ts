import { type ChildProcess, execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ceilingMs } from '../helpers/ceiling.ts'
import type { HostNetwork } from './host-network.ts'

/** Why no router speaks PCP here; undefined: one does. */
export function whyNoRouter(): string | undefined {
  try {
    execFileSync('miniupnpd', ['--version'], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'needs miniupnpd (miniupnpd-nftables)'
  }
}

interface Names {
  readonly router: string
  readonly outside: string
  readonly inside: string
}

/** Lets nobody in who was not called, but through the chain that miniupnpd keeps. Its rules for IPv4 have to be there, too. */
const firewall = `table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { type nat hook prerouting priority -100; }
  chain postrouting_miniupnpd { type nat hook postrouting priority 100; }
  chain forward { type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    jump miniupnpd
  }
}`

/** A home router: one host behind it, another one before it, global addresses, and a firewall that drops what comes in. */
export class FilteringRouter {
  readonly insideAddress = '2001:db8:1::2'
  readonly outsideAddress = '2001:db8:2::2'
  readonly #network: HostNetwork
  readonly #names: Names
  readonly #config: string
  readonly #pid: string
  #pcp: ChildProcess | undefined

  constructor(network: HostNetwork, names: Names) {
    this.#network = network
    this.#names = names
    const { folder } = network.host(names.router)
    this.#config = join(folder, 'miniupnpd.conf')
    this.#pid = join(folder, 'miniupnpd.pid')
    this.#connect()
    network.run(names.router, ['nft', '-f', '-'], {}, firewall)
    writeFileSync(this.#config, this.#settings(folder))
  }

  /** The link to the inside is one of its own; the switch is the outside. */
  #connect(): void {
    const { router, outside, inside } = this.#names
    const namespaceOf = (name: string): string => this.#network.host(name).namespace
    const ip = (name: string, ...args: string[]): void => void this.#network.run(name, ['ip', ...args])
    ip(inside, 'link', 'set', 'eth0', 'down')
    ip(router, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'lan0', 'netns', namespaceOf(inside))
    ip(router, 'link', 'set', 'lan', 'up')
    ip(router, 'addr', 'add', '2001:db8:1::1/64', 'dev', 'lan', 'nodad')
    ip(router, 'addr', 'add', '2001:db8:2::1/64', 'dev', 'eth0', 'nodad')
    // What miniupnpd says to all machines of a link goes to the one that the kernel takes first.
    ip(router, '-6', 'route', 'add', 'multicast', 'ff02::1/128', 'dev', 'lan', 'table', 'local', 'metric', '1')
    // It serves no network without IPv4.
    ip(router, 'addr', 'add', '192.0.2.1/24', 'dev', 'lan')
    ip(router, 'addr', 'add', '198.51.100.1/24', 'dev', 'eth0')
    this.#network.run(router, ['sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1'])
    ip(inside, 'link', 'set', 'lan0', 'up')
    ip(inside, 'addr', 'add', `${this.insideAddress}/64`, 'dev', 'lan0', 'nodad')
    ip(inside, 'route', 'add', 'default', 'via', this.#linkLocal(), 'dev', 'lan0')
    ip(outside, 'addr', 'add', `${this.outsideAddress}/64`, 'dev', 'eth0', 'nodad')
    ip(outside, 'route', 'add', '2001:db8:1::/64', 'via', '2001:db8:2::1')
  }

  /** The kernel gives it some time after both ends of the cable are up. */
  #linkLocal(): string {
    const show = ['ip', '-6', '-o', 'addr', 'show', 'dev', 'lan', 'scope', 'link']
    const deadline = performance.now() + ceilingMs
    for (;;) {
      const [, address] = /inet6 (\S+)\//.exec(this.#network.run(this.#names.router, show)) ?? []
      if (address !== undefined) return address
      if (performance.now() > deadline) throw new Error('the router has no link-local address')
    }
  }

  #settings(folder: string): string {
    return [
      'ext_ifname=eth0',
      'ext_ifname6=eth0',
      'listening_ip=lan',
      'enable_natpmp=yes',
      'enable_upnp=no',
      'secure_mode=yes',
      'system_uptime=no',
      'upnp_table_name=filter',
      'upnp_nat_table_name=filter',
      'upnp_forward_chain=miniupnpd',
      'upnp_nat_chain=prerouting_miniupnpd',
      'upnp_nat_postrouting_chain=postrouting_miniupnpd',
      'min_lifetime=120',
      'max_lifetime=86400',
      'uuid=00000000-0000-0000-0000-000000000001',
      `lease_file6=${join(folder, 'leases6')}`,
      ''
    ].join('\n')
  }

  startPcp(): void {
    this.#pcp = this.#network.start(this.#names.router, 'pcp', ['miniupnpd', '-d', '-f', this.#config, '-P', this.#pid])
  }

  endPcp(): void {
    this.#pcp?.kill('SIGKILL')
    rmSync(this.#pid, { force: true })
  }

  /** Loses all that it has given, as a router that was off. */
  forget(): void {
    this.#network.run(this.#names.router, ['nft', 'flush', 'chain', 'inet', 'filter', 'miniupnpd'])
    rmSync(join(this.#network.host(this.#names.router).folder, 'leases6'), { force: true })
  }

  /** Ports at which it lets others in. */
  openPorts(): string[] {
    const rules = this.#network.run(this.#names.router, ['nft', 'list', 'chain', 'inet', 'filter', 'miniupnpd'])
    return [...rules.matchAll(/dport (\d+)/g)].map(([, port = '']) => port)
  }
}
