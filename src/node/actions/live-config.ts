import { isDeepStrictEqual } from 'node:util'
import { keys } from '../config/keys.ts'
import type { Config } from '../config/schema.ts'

/** `live`: a reload puts the value in force. `restart`: it counts from the next start on. */
export type Mark = 'live' | 'restart'

type Marks = {
  readonly [S in keyof Config]-?: NonNullable<Config[S]> extends readonly unknown[] | string
    ? Mark
    : S extends 'protocols'
      ? Mark
      : { readonly [K in keyof Config[S]]-?: Mark }
}

/** Every key of the configuration, and whether it may change while the process runs. */
export const marks: Marks = {
  name: 'restart',
  role: 'restart',
  domain: 'restart',
  networkId: 'restart',
  network: { pins: 'restart' },
  listen: { host: 'restart', port: 'restart' },
  announce: { addresses: 'live', allow: 'live', interfaces: 'live', prefixes: 'live' },
  services: 'live',
  link: 'restart',
  paths: { data: 'restart', key: 'restart', runtime: 'restart' },
  bootstrap: {
    port: 'live',
    dnsServers: 'live',
    dnsTimeoutMs: 'live',
    peers: 'live',
    registries: 'live',
    rootAddress: 'live',
    inviteFile: 'restart',
    trustOnFirstUse: 'restart',
    staggerMs: 'live',
    dialTimeoutMs: 'live'
  },
  // `trustnet init` takes these, and a root opens its store with them.
  admission: { policy: 'restart', membershipMs: 'restart', openMembers: 'restart', openJoins: 'restart' },
  replication: {
    enabled: 'restart',
    intervalMs: 'restart',
    syncTimeoutMs: 'restart',
    queueLimit: 'restart',
    backoffInitialMs: 'restart',
    backoffMaxMs: 'restart',
    backoffMultiplier: 'restart'
  },
  heartbeat: { intervalMs: 'restart', timeoutMs: 'restart', missedThreshold: 'restart' },
  limits: {
    connections: 'restart',
    peersWanted: 'live',
    peersMax: 'live',
    peerTimeoutMs: 'restart',
    unfinished: 'restart',
    unfinishedPerPrefix: 'restart',
    unfinishedPerMemberPrefix: 'restart',
    openPerPrefix: 'restart',
    openPerPeer: 'restart',
    exemptPrefixes: 'restart',
    upgradeTimeoutMs: 'restart',
    memberUpgradeTimeoutMs: 'restart'
  },
  gossip: { enabled: 'restart', refreshMs: 'restart' },
  dht: { enabled: 'restart', server: 'restart' },
  relay: { serve: 'restart', use: 'live' },
  root: { store: 'restart' },
  backup: { enabled: 'live', intervalMs: 'live', path: 'live', keep: 'live' },
  stores: {
    fetch: 'live',
    quotaBytes: 'live',
    keep: 'live',
    symlinks: 'live',
    modes: 'live',
    readableBy: 'live',
    revoked: 'live'
  },
  alarms: { hook: 'live' },
  hooks: { onEvent: 'live', timeoutMs: 'live' },
  dns: { listen: 'restart' },
  pinholes: { ask: 'restart' },
  http: { listen: 'restart', tokenFile: 'restart', hosts: 'restart' },
  logging: { level: 'live', format: 'restart' },
  protocols: 'restart'
}

type Tree = Record<string, unknown>

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

const at = (tree: unknown, path: readonly string[]): unknown =>
  path.reduce((value, name) => (isTree(value) ? value[name] : undefined), tree)

/** The mark of a key; a section may have one for all that it holds. */
export const markOf = (path: readonly string[]): Mark | undefined => {
  let value: unknown = marks
  for (const name of path) if (isTree(value)) value = value[name]
  return value === 'live' || value === 'restart' ? value : undefined
}

/** Keys that a reload changed, and keys that another start is needed for; as they are written in YAML. */
export interface Reloaded {
  readonly changed: readonly string[]
  readonly restart: readonly string[]
}

/**
 * Puts the live values of a configuration in place of those in another one, in which all that reads it finds them; lists and sections stay the
 * same objects.
 */
export function putLive(into: Config, from: Config): Reloaded {
  const differs = keys.filter(({ path }) => !isDeepStrictEqual(at(into, path), at(from, path)))
  const live = differs.filter(({ path }) => markOf(path) === 'live')
  for (const { path } of live) put(into, path, at(from, path))
  const named = (list: typeof differs): string[] => list.map(({ yaml }) => yaml)
  return { changed: named(live), restart: named(differs.filter((key) => !live.includes(key))) }
}

function put(tree: unknown, path: readonly string[], value: unknown): void {
  const section = at(tree, path.slice(0, -1))
  const name = path.at(-1)
  if (!isTree(section) || name === undefined) return
  const before = section[name]
  // A list at the top is held by others, too.
  if (path.length === 1 && Array.isArray(before) && Array.isArray(value)) before.splice(0, before.length, ...value)
  else section[name] = value
}
