import { chooseAddresses } from '../../address/announced-addresses.ts'
import type { InterfaceAddress } from '../../address/interfaces.ts'
import { scopeOf } from '../../address/multiaddr.ts'
import { isRegistryRole } from '../../identity/role.ts'
import type { Answers } from '../model/answers.ts'
import { type Check, fail, pass, warn } from '../model/check.ts'
import type { Deployment } from '../model/deployment.ts'
import type { BeyondFacts, MachineFacts } from '../model/facts.ts'
import { namesCheck } from '../model/names.ts'
import { firewallCloses } from './firewall.ts'
import { enableAdvice } from './ipv6-advice.ts'

/** A program of 200 MB, a database and its backups. */
const neededDiskBytes = 1024 ** 3
/** A node takes 120 MB; the rest is for the system and for a network that grows. */
const neededMemoryBytes = 512 * 1024 ** 2

const mebi = (count: number): string => `${Math.round(count / 1024 ** 2)} MiB`

const supported = 'Linux on x64 or arm64 with glibc, or with musl and a Node 24 of its own'

const system = ({ os }: MachineFacts): Check =>
  os.platform === 'linux' && ['x64', 'arm64'].includes(os.arch)
    ? pass('system', 'System', `${os.name}, Linux ${os.kernel}, ${os.arch}`)
    : fail('system', 'System', `${os.name} on ${os.platform} ${os.arch} is not supported: it has to be ${supported}`)

const rights = ({ uid }: MachineFacts): Check =>
  uid === 0
    ? pass('rights', 'Rights', 'root')
    : fail('rights', 'Rights', `an install writes to /opt, /etc and /var: this is user ${uid}`, 'run it with sudo')

const disk = ({ diskFreeBytes }: Pick<MachineFacts, 'diskFreeBytes'>): Check => {
  if (diskFreeBytes === null) return warn('disk', 'Disk', 'the free space could not be read', 'df -h /opt /var/lib')
  return diskFreeBytes >= neededDiskBytes
    ? pass('disk', 'Disk', `${mebi(diskFreeBytes)} free`)
    : fail('disk', 'Disk', `${mebi(diskFreeBytes)} free, ${mebi(neededDiskBytes)} are needed`, 'df -h /opt /var/lib')
}

const memory = ({ memoryBytes }: MachineFacts): Check =>
  memoryBytes >= neededMemoryBytes
    ? pass('memory', 'Memory', mebi(memoryBytes))
    : fail('memory', 'Memory', `${mebi(memoryBytes)}, ${mebi(neededMemoryBytes)} are needed`)

const usable = (addresses: readonly InterfaceAddress[]): string[] =>
  chooseAddresses(addresses, { port: 1, allow: ['global', 'ula'] }).map((multiaddr) => multiaddr.split('/')[2] ?? '')

/** The addresses that others may be told, best first. */
export const stableAddresses = ({ ipv6 }: Pick<MachineFacts, 'ipv6'>): string[] => usable(ipv6.addresses)

/** The first of them; undefined: none that stays. */
export const stableAddress = ({ ipv6 }: Pick<MachineFacts, 'ipv6'>): string | undefined => usable(ipv6.addresses)[0]

const ipv6Address = (facts: Pick<MachineFacts, 'ipv6' | 'os'>): Check => {
  const { ipv6, os } = facts
  const found = stableAddress(facts)
  if (found !== undefined) {
    const device = ipv6.addresses.find(({ address }) => address === found)?.device ?? ''
    return pass('ipv6', 'IPv6', `${found} on ${device}`)
  }
  const taken = ipv6.addresses.find(({ address, duplicate }) => duplicate && scopeOf(address) !== 'link-local')
  const fix =
    taken === undefined
      ? enableAdvice(ipv6, os)
      : `give one of the two another address: ip -6 addr del ${taken.address}/64 dev ${taken.device}, then add a free one`
  if (!ipv6.kernel) return fail('ipv6', 'IPv6', 'this kernel runs without IPv6', fix)
  if (ipv6.disabled.includes('all'))
    return fail('ipv6', 'IPv6', 'it is turned off (net.ipv6.conf.all.disable_ipv6)', fix)
  return fail(
    'ipv6',
    'IPv6',
    `no interface has a global or unique local address that stays: ${seen(ipv6.addresses)}`,
    fix
  )
}

/** Each address and why it will not do. */
const seen = (addresses: readonly InterfaceAddress[]): string => {
  const others = addresses.filter(({ address }) => scopeOf(address) !== 'loopback')
  if (others.length === 0) return 'there are none'
  return others.map((one) => `${one.address} on ${one.device} is ${whyNot(one)}`).join(', ')
}

const whyNot = ({ address, temporary, deprecated, tentative, duplicate }: InterfaceAddress): string => {
  if (scopeOf(address) === 'link-local') return 'link-local'
  if (duplicate) return 'a duplicate: another machine of the link has it (duplicate address detection failed)'
  if (tentative) return 'tentative (its duplicate address detection goes on)'
  if (temporary) return 'temporary'
  return deprecated ? 'deprecated' : 'of another kind'
}

const gateway = ({ ipv6 }: MachineFacts): Check =>
  ipv6.gateway === null
    ? warn(
        'gateway',
        'Gateway',
        'there is no IPv6 default route: only machines of the same link and of routed prefixes are reached',
        'ip -6 route show default'
      )
    : pass('gateway', 'Gateway', `${ipv6.gateway.via} on ${ipv6.gateway.device}`)

/** Empty: nothing was tried. */
const beyond = ({ ipv6 }: MachineFacts, found: BeyondFacts | undefined): Check[] => {
  if (found === undefined) return []
  const { tried, answered } = found
  const title = 'Beyond it'
  if (answered !== undefined) return [pass('beyond', title, `${answered} answers`)]
  return [
    warn(
      'beyond',
      title,
      `nothing behind the router ${ipv6.gateway?.via} answered (tried ${tried.join(', ')}): it has no way out, or a firewall stands in between. The install goes on; machines elsewhere may be out of reach`,
      'where that is as it should be: --ipv6-probe none, or --ipv6-probe ADDRESS for something that must answer'
    )
  ]
}

const resolver = ({ resolvers }: Pick<MachineFacts, 'resolvers'>): Check =>
  resolvers.length > 0
    ? pass('resolver', 'DNS servers', resolvers.join(', '))
    : warn(
        'resolver',
        'DNS servers',
        '/etc/resolv.conf names none: tnr cannot be looked up',
        'name one in /etc/resolv.conf'
      )

/** Ports below it are for root, unless the machine says otherwise. */
const lowestOpenPort = 1024

/** A registry has to have its port; a node takes another one. */
const port = (facts: MachineFacts, answers: Answers, isOurs: boolean): Check => {
  const holder = facts.ports.get(answers.port)
  const title = `Port ${answers.port}`
  if (holder === undefined && answers.port < lowestOpenPort) {
    const fix = `choose another with --port, or let everybody take it: sysctl -w net.ipv4.ip_unprivileged_port_start=${answers.port}`
    return warn('port', title, 'free, but below 1024: the node does not run as root, and may have no right to it', fix)
  }
  if (holder === undefined) return pass('port', title, 'free')
  if (isOurs) return pass('port', title, 'this node listens there')
  const reason = `${holder} listens there already`
  return isRegistryRole(answers.role)
    ? fail(
        'port',
        title,
        `${reason}; a ${answers.role} is dialled at this port`,
        `stop it, or choose another with --port`
      )
    : warn('port', title, `${reason}; the node takes the next free port and keeps it in its configuration`)
}

/** The command that opens the port for good. */
const openCommand = ({ firewall }: Pick<MachineFacts, 'firewall'>, number: number): string | null => {
  switch (firewall.tool) {
    case 'ufw':
      return `ufw allow ${number}/tcp`
    case 'firewalld':
      return `firewall-cmd --permanent --add-port=${number}/tcp && firewall-cmd --reload`
    case 'nftables':
      return `nft insert rule ${firewall.chain.join(' ')} tcp dport ${number} accept`
    default:
      return null
  }
}

const firewallCheck = (facts: MachineFacts, answers: Answers): Check => {
  const { tool, dropsInbound } = facts.firewall
  if (!dropsInbound) return pass('firewall', 'Firewall', 'none that closes ports')
  if (!firewallCloses(facts, answers.port)) return pass('firewall', 'Firewall', `${tool} lets in ${answers.port}/tcp`)
  if (answers.openFirewall) return pass('firewall', 'Firewall', `${tool} closes ${answers.port}/tcp; it will be opened`)
  const command = openCommand(facts, answers.port)
  return warn(
    'firewall',
    'Firewall',
    `${tool} closes ${answers.port}/tcp: others cannot dial this machine`,
    command === null ? null : `${command}   (or --open-firewall)`
  )
}

/** A tag is whatever the registry of images says today; empty: no image is named. */
const image = ({ image: name }: Answers): Check[] => {
  if (name === null) return []
  const title = 'Image'
  if (/@sha256:[0-9a-f]{64}$/.test(name)) return [pass('image', title, `${name}, by its digest`)]
  const reason = `${name} is named by a tag: who can write to its registry can put another image there`
  return [warn('image', title, reason, 'name it by digest, NAME@sha256:…, as `docker push` prints it')]
}

/** Checks that hold for any node on this machine. */
export const machineChecks = (facts: MachineFacts): Check[] => [
  system(facts),
  ipv6Address(facts),
  gateway(facts),
  resolver(facts),
  disk(facts),
  memory(facts)
]

export interface PreflightInit {
  /** This node runs already, from an earlier install. */
  readonly isOurs: boolean
  /** undefined: nothing was tried. */
  readonly beyond?: BeyondFacts | undefined
}

/** All that is looked at before anything is changed. Pure. */
export const preflight = (
  facts: MachineFacts,
  answers: Answers,
  deployment: Deployment,
  init: PreflightInit
): Check[] =>
  deployment.isElsewhere === true
    ? [system(facts), rights(facts), deployment.check(facts, answers), ...image(answers)]
    : preflightHere(facts, answers, deployment, init)

const preflightHere = (facts: MachineFacts, answers: Answers, deployment: Deployment, init: PreflightInit): Check[] => [
  system(facts),
  rights(facts),
  deployment.check(facts, answers),
  ...image(answers),
  ipv6Address(facts),
  gateway(facts),
  ...beyond(facts, init.beyond),
  resolver(facts),
  ...namesCheck(facts, answers),
  port(facts, answers, init.isOurs),
  firewallCheck(facts, answers),
  disk(facts),
  memory(facts)
]
