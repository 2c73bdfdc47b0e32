import { z } from 'zod'
import {
  dialAddress,
  listenAddress,
  loopbackSocket,
  ownAddress,
  prefixAddress,
  resolverAddress,
  socketAddress
} from '../../address/spelling.ts'
import type { Role } from '../../identity/role.ts'
import { defaultLimits, type ProtocolLimits } from '../../protocols/engine/limits.ts'
import { maxServices } from '../../registry/objects/service.ts'
import { hookProgram } from '../hooks/hook-field.ts'
import { addressOf, networkIdText, peerIdText } from './field-types/address-fields.ts'
import { followField } from './field-types/follow-field.ts'
import { rootStoreField } from './field-types/root-store-field.ts'
import { serviceField } from './field-types/service-field.ts'
import { domainName, duration, flag, integer, list, nodeName, number, oneOf, rate, text } from './fields.ts'

/**
 * Every key, its rule and its one-line explanation; parser, environment names, flags and the example file come from here.
 * A key that ends in `Ms` is written without it: `intervalMs` is `interval: 30s` in YAML.
 */

export const roleNames = ['root', 'secondary', 'integrated', 'external'] as const satisfies readonly Role[]

const network = z.object({
  pins: list(peerIdText(), 32).describe('PeerIds of registries that are trusted for the first contact')
})

const listen = z.object({
  host: addressOf(listenAddress).describe('IPv6 address to listen on; :: is every address of this machine'),
  port: integer(0, 65_535).describe(
    'TCP port; default 8000 for root and secondary, 9000 for the others; 0 takes a free one'
  )
})

const announce = z.object({
  addresses: list(addressOf(ownAddress), 8)
    .optional()
    .describe('announce exactly these multiaddrs; default: the stable addresses of the interfaces'),
  allow: list(oneOf(['global', 'ula', 'loopback']), 3).describe('scopes of interface addresses that may be announced'),
  interfaces: list(text(), 32).describe('only addresses of these interfaces, like eth0 or wg*; none: of all'),
  prefixes: list(addressOf(prefixAddress), 32).describe(
    'only addresses in these prefixes, like 2001:db8::/32; none: any'
  )
})

const offered = list(serviceField(), maxServices).describe(
  'what this node offers to the others: name, port, protocol (tcp, udp), tags, check (tcp or http://[::1]:PORT/PATH), every and expose (true, unix:PATH), each name once'
)

const paths = z.object({
  data: text().describe('folder of the database and the keys; default: NAME in the data folder'),
  key: text().describe("file of this node's private key; default: node.key in the data folder"),
  runtime: text().describe('folder of the control socket')
})

const bootstrap = z.object({
  port: integer(1, 65_535).describe('port that is dialled after an AAAA answer'),
  dnsServers: list(addressOf(resolverAddress), 8).describe('resolvers; default: those of the system'),
  dnsTimeoutMs: duration('100ms', '60s').describe('how long all resolvers together may take'),
  peers: list(addressOf(dialAddress), 64).describe('multiaddrs to try at the first start, before DNS'),
  registries: list(addressOf(dialAddress), 64).describe('multiaddrs of known registries'),
  rootAddress: addressOf(dialAddress).optional().describe('multiaddr of the root, when it is known'),
  inviteFile: text()
    .optional()
    .describe('file with the invite line; its content is a secret, so it is never a value here'),
  trustOnFirstUse: flag().describe('accept the first network that answers, print its fingerprint and pin it'),
  staggerMs: duration('10ms', '5s').describe('the next address of a race is dialled after this long'),
  dialTimeoutMs: duration('500ms', '60s').describe('how long one dial may take')
})

const admission = z.object({
  policy: oneOf(['invite', 'approve', 'open']).describe(
    'who is let in; used by `trustnet init`, then part of the network'
  ),
  membershipMs: duration('1h', '3650d').describe('how long a membership lasts unless renewed; used by `trustnet init`'),
  openMembers: integer(0, 100_000_000).describe(
    'members up to which the root of an open network lets in without its operator'
  ),
  openJoins: rate().describe('machines that it lets in so at once, and the time in which as many more may follow')
})

const replication = z.object({
  enabled: flag().describe('keep records of the other members (the log is always kept)'),
  intervalMs: duration('1s', '1d').describe('periodic pull, besides the push'),
  syncTimeoutMs: duration('1s', '10m').describe('a pull without progress for this long is given up'),
  queueLimit: integer(1, 1_000_000).describe('joins that may wait for the root; default 1000 integrated, 5000 others'),
  backoffInitialMs: duration('100ms', '1h').describe(
    'longest first pause after a failure, with full jitter; 10 ms for each member where that is more'
  ),
  backoffMaxMs: duration('1s', '1d').describe('longest pause after failures'),
  backoffMultiplier: number(1, 10).describe('what one pause may make of the time that nobody has answered')
})

const heartbeat = z.object({
  intervalMs: duration('1s', '1h').describe('time between heartbeats, ± 10 %'),
  timeoutMs: duration('500ms', '5m').describe('how long an answer may take'),
  missedThreshold: integer(1, 100).describe('the lease is this many intervals: after it a silent member is offline')
})

const limits = z.object({
  connections: integer(8, 1_000_000).describe('inbound connections; default 300, root and secondary 12000'),
  peersWanted: integer(0, 1000).describe('members to keep connections to'),
  peersMax: integer(1, 10_000).describe('outbound connections to members, at most'),
  peerTimeoutMs: duration('1s', '1h').describe('a connected member that says nothing for this long is disconnected'),
  unfinished: integer(1, 100_000).describe('handshakes at a time, of all prefixes'),
  unfinishedPerPrefix: integer(1, 10_000).describe('handshakes at a time of one /64'),
  unfinishedPerMemberPrefix: integer(1, 10_000).describe('handshakes at a time of a /64 with a known member'),
  openPerPrefix: integer(1, 10_000).describe('connections of one /64 without a known member'),
  openPerPeer: integer(2, 10_000).describe('connections of one key; beyond it the oldest is closed'),
  exemptPrefixes: list(addressOf(prefixAddress), 64).describe(
    'prefixes that are not limited per /64; loopback never is'
  ),
  upgradeTimeoutMs: duration('500ms', '60s').describe('how long a handshake of an unknown /64 may take'),
  memberUpgradeTimeoutMs: duration('500ms', '2m').describe('the same for loopback, exempt prefixes and members')
})

const gossip = z.object({
  enabled: flag().describe('spread and hear advertisements; without it only registries tell of changes'),
  refreshMs: duration('10s', '1d').describe('own record again without a change; grows with the network')
})

const dht = z.object({
  enabled: flag().describe('find addresses of members that no known address reaches'),
  server: oneOf(['auto', 'always', 'never']).describe('answer queries of others; auto: only root and secondary')
})

const relay = z.object({
  serve: oneOf(['auto', 'on', 'off']).describe(
    'relay connections between members that nobody can dial; auto: root and secondary. The policy of the network has the last word'
  ),
  use: oneOf(['auto', 'on', 'off']).describe(
    'be reached through members that relay; auto: when nobody gets through to this node'
  )
})

const backup = z.object({
  enabled: flag().describe('online backups of the database'),
  intervalMs: duration('1m', '30d').describe('time between backups'),
  path: text().optional().describe('folder of the backups; default: backups in the data folder'),
  keep: integer(1, 10_000).describe('how many are kept')
})

const stores = z.object({
  fetch: followField().describe(
    'stores of other members to fetch and keep up to date: all, none, or a list of NAME, OWNER/NAME and OWNER/*'
  ),
  quotaBytes: integer(1_048_576, 2 ** 50).describe('bytes of the blocks of all stores on this machine'),
  keep: integer(1, 100).describe('versions of each store whose blocks are kept, the newest among them'),
  symlinks: oneOf(['refuse', 'skip', 'keep']).describe(
    'symbolic links in shared and written folders; keep: those that lead out of the folder are still refused'
  ),
  modes: oneOf(['ignore', 'keep']).describe(
    'keep: files that can be run stay so, in folders that are shared and in those that are written; other CIDs come of it'
  ),
  readableBy: oneOf(['owner', 'group', 'all']).describe(
    'users of this machine who may read files that are written into a folder: the one of the process, its group too, or all'
  ),
  revoked: oneOf(['keep', 'drop']).describe('what becomes of stores whose owner was revoked; none is followed any more')
})

const root = z.object({
  store: rootStoreField()
    .optional()
    .describe(
      'database that keeps the log, the same for the root and its candidates: postgres://USER@HOST/DATABASE, whose password is a secret, or etcd+https://HOST,HOST,HOST?cert=FILE&key=FILE; sqlite takes the log back into the store of this root'
    )
})

const alarms = z.object({
  hook: text().optional().describe('command that is run for every alarm, with ALARM_CODE and ALARM_MESSAGE set')
})

const http = z.object({
  listen: addressOf(socketAddress)
    .optional()
    .describe('address and port of the HTTP API, which only answers questions; without it there is none'),
  tokenFile: text()
    .optional()
    .describe('file with the token that every request must bring; needed on anything but loopback'),
  hosts: list(domainName(), 16).describe(
    'names of this machine by which it may be asked, beside localhost and its addresses: such that nobody else can point elsewhere'
  )
})

const dns = z.object({
  listen: addressOf(loopbackSocket)
    .optional()
    .describe('loopback address and port at which names of members are answered; without it none are')
})

const pinholes = z.object({
  ask: oneOf(['auto', 'off']).describe(
    'auto: the default router is asked (PCP) to let others in at the announced global addresses, and nothing is said where it does not answer'
  )
})

const hooks = z.object({
  onEvent: hookProgram()
    .optional()
    .describe('program that is run for events: join, leave, suspect, offline, back, alarm; JSON on its stdin'),
  timeoutMs: duration('100ms', '5m').describe('a hook that runs for longer is ended, with all that it has started')
})

const logging = z.object({
  level: oneOf(['debug', 'info', 'warn', 'error', 'fatal']).describe('least level that is written'),
  format: oneOf(['auto', 'json', 'pretty']).describe('auto: pretty on a terminal, JSON lines otherwise')
})

/** Limits of the protocols are one key each, by their name in the protocol's own table. */
const limitsOf = (section: string, values: object) =>
  z.object(
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, limitRule(name, value).describe(`limit of ${section}`)])
    )
  )

const limitRule = (name: string, value: unknown): z.ZodType => {
  if (typeof value !== 'number') return rate()
  // No timer is longer.
  return name.endsWith('Ms') || name === 'ms' ? duration('1ms', '24d') : integer(1, 1_000_000_000)
}

const protocols = z.object(
  Object.fromEntries(Object.entries(defaultLimits).map(([section, values]) => [section, limitsOf(section, values)]))
)

export const schema = z.object({
  name: nodeName().describe("this node's name in the network; default: the host name"),
  role: oneOf(roleNames, { independent: 'secondary' }).describe(
    'root, secondary (a registry alone), integrated (node and registry) or external (node alone)'
  ),
  domain: domainName().optional().describe('domain of the network: `tnr.DOMAIN` AAAA has its registries'),
  networkId: networkIdText().optional().describe('pin of the network; an invite brings it'),
  network,
  listen,
  announce,
  services: offered,
  link: oneOf(['off', 'on']).describe(
    'find members on the links of this machine by multicast DNS, without registries, DNS and Internet; on: a tag of the network and the port are said there'
  ),
  paths,
  bootstrap,
  admission,
  replication,
  heartbeat,
  limits,
  gossip,
  dht,
  relay,
  root,
  backup,
  stores,
  alarms,
  hooks,
  dns,
  pinholes,
  http,
  logging,
  protocols
})

/** The whole configuration of one process, valid and frozen. Durations in ms. */
export type Config = Omit<z.output<typeof schema>, 'protocols'> & { protocols: ProtocolLimits }
