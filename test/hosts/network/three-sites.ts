import { HostNetwork } from '../host-network.ts'

const site = 'fd10:7a11:5e7'
const honestPrefix = `${site}:2`
/** All of this /64 is the attacker's, who speaks from any address of it. */
export const attackerPrefix = `${site}:bad`

/** More /64s of the same /48 that are the attacker's. */
export const morePrefixes = Array.from({ length: 8 }, (_, index) => `${site}:b${index}`)

/** Hosts `root`, `good` and `bad` at sites of their own: neither the joiners nor the attacker share a /64 with a member. */
export function threeSites(): HostNetwork {
  const network = new HostNetwork(['root', 'good', 'bad'])
  const ip = (host: string, ...args: string[]) => network.run(host, ['ip', '-6', ...args])
  const [good, bad] = ['good', 'bad'].map((name) => network.host(name).address)
  ip('root', 'route', 'add', `${honestPrefix}::/64`, 'dev', 'eth0')
  for (const prefix of [attackerPrefix, ...morePrefixes]) {
    ip('root', 'route', 'add', `${prefix}::/64`, 'via', String(bad))
    ip('bad', 'route', 'add', 'local', `${prefix}::/64`, 'dev', 'lo')
  }
  ip('good', 'addr', 'add', `${honestPrefix}::1/64`, 'dev', 'eth0', 'nodad')
  ip('good', 'addr', 'del', `${String(good)}/64`, 'dev', 'eth0')
  ip('good', 'route', 'add', `${site}:1::/64`, 'dev', 'eth0')
  network.run('bad', ['sh', '-c', 'echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind'])
  return network
}
