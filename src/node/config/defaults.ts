import { hostname } from 'node:os'
import { join } from 'node:path'
import { isRegistryRole, type Role } from '../../identity/role.ts'
import { defaultLimits } from '../../protocols/engine/limits.ts'
import { defaultLimits as limitsOfRegistry } from '../../registry/admission/limits.ts'
import type { Homes } from './paths.ts'

const registryLimits = limitsOfRegistry('root')

/** Defaults that depend on nothing. Each reason stands beside its value. */
export const defaults = {
  // The commonest machine does useful work of its own and keeps a replica, so it survives its registries.
  role: 'integrated',
  network: { pins: [] },
  listen: { host: '::' },
  // Loopback reaches this machine only; whoever wants it (tests, one-machine networks) says so.
  announce: { allow: ['global', 'ula'], interfaces: [], prefixes: [] },
  services: [],
  // A machine says nothing to a link that its operator has not chosen.
  link: 'off',
  bootstrap: {
    port: 8000,
    dnsServers: [],
    // A silent resolver costs 13 to 25 s with the system's own settings.
    dnsTimeoutMs: 5000,
    peers: [],
    registries: [],
    trustOnFirstUse: false,
    // RFC 8305: two frozen candidates cost half a second.
    staggerMs: 250,
    dialTimeoutMs: 5000
  },
  admission: {
    policy: 'invite',
    // 90 d outlives a long outage; renewal begins at half of it.
    membershipMs: 90 * 86_400_000,
    openMembers: registryLimits.openMembers,
    openJoins: registryLimits.openJoins
  },
  replication: {
    enabled: true,
    intervalMs: 60_000,
    syncTimeoutMs: 10_000,
    backoffInitialMs: 1000,
    backoffMaxMs: 60_000,
    backoffMultiplier: 2
  },
  heartbeat: { intervalMs: 30_000, timeoutMs: 5000, missedThreshold: 3 },
  limits: {
    // Gossip needs 6 to 12 neighbours.
    peersWanted: 10,
    peersMax: 50,
    peerTimeoutMs: 60_000,
    unfinished: 512,
    // 4 let 20 of 20 honest dials through beside 300 silent ones.
    unfinishedPerPrefix: 4,
    unfinishedPerMemberPrefix: 64,
    openPerPrefix: 16,
    // A node has two or three with one registry at the most: its session, a race, a probe.
    openPerPeer: 8,
    exemptPrefixes: [],
    upgradeTimeoutMs: 3000,
    // 1000 members that come back at once keep one core busy with handshakes for 7 s.
    memberUpgradeTimeoutMs: 15_000
  },
  gossip: { enabled: true, refreshMs: 600_000 },
  dht: { enabled: true, server: 'auto' },
  // Two nodes behind firewalls reach each other from the first day.
  relay: { serve: 'auto', use: 'auto' },
  backup: { enabled: true, intervalMs: 3_600_000, keep: 24 },
  // Nobody's content comes to a machine that did not ask for it.
  stores: {
    fetch: 'none',
    quotaBytes: 10 * 2 ** 30,
    keep: 1,
    symlinks: 'refuse',
    // Other tools give the same CID where nothing else is said, and nothing that comes can be run.
    modes: 'ignore',
    readableBy: 'owner',
    revoked: 'keep'
  },
  root: {},
  alarms: {},
  hooks: { timeoutMs: 30_000 },
  dns: {},
  // A firewall that opens ports for whoever asks it is there to be asked; where none answers nothing happens.
  pinholes: { ask: 'auto' },
  http: { hosts: [] },
  logging: { level: 'info', format: 'auto' },
  protocols: defaultLimits
} as const

/** The host name as a DNS label; `node` when nothing of it is left. */
export const nameFromHost = (host: string = hostname()): string => {
  const [first = ''] = host.toLowerCase().split('.')
  const label = first.replaceAll(/[^a-z0-9-]+/g, '-').slice(0, 63)
  return label.replaceAll(/^-+|-+$/g, '') || 'node'
}

export const defaultPort = (role: Role): number => (isRegistryRole(role) ? 8000 : 9000)

type Raw = Record<string, unknown>

/** Defaults that follow from role, name and folders; `dataFolder` is the one that is really used. */
export const derivedDefaults = (role: Role, name: string, homes: Homes, dataFolder?: string): Raw => {
  const data = dataFolder ?? join(homes.data, name)
  return {
    listen: { port: defaultPort(role) },
    paths: { data, key: join(data, 'node.key'), runtime: homes.runtime },
    // An integrated registry serves its own node first; one that is a registry alone has the memory for more.
    replication: { queueLimit: role === 'integrated' || role === 'external' ? 1000 : 5000 },
    limits: { connections: isRegistryRole(role) ? 12_000 : 300 }
  }
}
