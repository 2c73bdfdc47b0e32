import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { equals } from 'uint8arrays/equals'
import { chooseAddresses } from '../../address/announced-addresses.ts'
import { interfaceAddresses } from '../../address/interfaces.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import { recordTtlSeconds, wantedRecords, zoneLine } from '../../dns/records.ts'
import { keyBytes } from '../../identity/ed25519.ts'
import { loadKey, loadOrCreateKey } from '../../identity/key-file.ts'
import { peerIdText, SigningKey } from '../../identity/keys.ts'
import { parseNetworkId } from '../../identity/network-id.ts'
import { readManifest } from '../../registry/backup/manifest.ts'
import { peekHead, restoreStore } from '../../registry/backup/restore.ts'
import {
  type EntryLine,
  type NewEpoch,
  openEpoch,
  planEpoch,
  withReplica
} from '../../registry/log/epochs/new-epoch.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import { comparePositions } from '../../registry/log/state/position.ts'
import { openGenesis } from '../../registry/objects/genesis.ts'
import { adoptGenesis, openRegistry, peekGenesis, type Registry } from '../../registry/registry.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { NotFoundError } from '../../runtime/errors.ts'
import { Candidates } from '../bootstrap/candidates.ts'
import type { DialFailure } from '../bootstrap/dial-race.ts'
import { discoverNetwork } from '../bootstrap/discovery.ts'
import { componentLogger } from '../component-logger.ts'
import { saveConfigValue } from '../config/index.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import { protocolLimits } from '../keepers.ts'
import { keepNextLogKey, nextLogKey } from '../root/log-key.ts'
import { gatherLog, type Source } from './gather-logs.ts'
import { authorityOf, keysOf, type RecoveryKit, readRecoveryKit } from './recovery-kit.ts'
import { backUpStopped } from './stopped-store.ts'

export interface BecomeRootInit {
  config: Config
  /** File in which the role is saved, with what else a first start here needs. */
  saveTo: string
  save: Readonly<Record<string, unknown>>
  /** Writes those values, where this process itself must not write to the configuration. */
  write?: ((values: Readonly<Record<string, unknown>>) => void) | undefined
  kit: string
  passphrase: string
  /** Restored first, where there is no store. */
  backup?: string | undefined
  /** Shut the key of the root before out for ever. */
  revokeFormer: boolean
  /** false: tells what would be done, from a copy of the store: nothing here is changed, and the process may run. */
  apply: boolean
  /** The copy, where the process runs and has made it. */
  copy?: string | undefined
  /** Only a registry with a store is promoted. */
  promote: boolean
  /** The last entry that counts; default: the highest that anybody can prove. */
  fromN?: number | undefined
  /** Breaks it off until the new epoch is begun; that comes to its end. */
  signal?: AbortSignal | undefined
}

/** An entry of the log, and whom it is about. */
export interface EntryRow {
  n: number
  epoch: number
  kind: string
  peerId: string | null
  name: string | null
  /** As its signer says. */
  timeMs: number
}

export interface MemberRef {
  peerId: string
  name: string
}

/** Answer of `registry promote` and `registry recover`. */
export interface BecomeRootView {
  schemaVersion: 1
  applied: boolean
  network: string
  /** Members that were asked for their log. */
  sources: Source[]
  /** The last entry that counts of the epochs before. */
  fork: { epoch: number; n: number }
  /** The last entries that count, ascending. */
  newest: EntryRow[]
  /** Entries that become void because --from is below them, ascending; none of their revokes is in force any more. */
  voided: EntryRow[]
  epoch: number
  head: { epoch: number; n: number }
  former: MemberRef[]
  revoked: MemberRef[]
  admitted: string | null
  reissued: number
  /** Requests that waited here for the root and are decided by it after its start. */
  queued: number
  dns: { add: string[]; remove: string[] }
}

/** Time for which a network without any store here is looked for. */
const discoverMs = 30_000
const gatherMs = 150_000

/**
 * Makes the node of this configuration the root: gathers the highest verified head from everybody who can be reached, and lets the
 * authority delegate a new log key from there. Its process must be stopped.
 *
 * @throws ConfigError, StoreInUseError, InvalidPayloadError, NotFoundError
 */
export async function becomeRoot(init: BecomeRootInit): Promise<BecomeRootView> {
  // Pauses between tries keep no process alive.
  const alive = setInterval(() => {}, gatherMs)
  try {
    return await become(init)
  } finally {
    clearInterval(alive)
  }
}

async function become(init: BecomeRootInit): Promise<BecomeRootView> {
  const kit = readRecoveryKit(init.kit, init.passphrase)
  if (init.apply) return await becomeIn(dataFiles(init.config.paths.data).store, init, kit)
  const folder = await mkdtemp(join(tmpdir(), 'trustnet-plan-'))
  try {
    return await becomeIn(await copyFor(init, join(folder, 'registry.db')), init, kit)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Path for a copy of the store, where there is none yet too. */
async function copyFor({ config, copy, backup }: BecomeRootInit, path: string): Promise<string> {
  if (copy !== undefined) return copy
  const { store } = dataFiles(config.paths.data)
  if (backup === undefined && existsSync(store)) await backUpStopped(config, path)
  return path
}

async function becomeIn(store: string, init: BecomeRootInit, kit: RecoveryKit): Promise<BecomeRootView> {
  const { config, revokeFormer, apply, fromN } = init
  const genesis = await requireGenesis(store, init, kit)
  const nodeKey = ownKey(init)
  const gathered = await gather(store, init, kit, nodeKey, genesis)
  init.signal?.throwIfAborted()
  const keys = await withReplica({ path: store }, ({ state }) => Promise.resolve(state.keys))
  const authority = authorityOf(kit, init.kit, keys.authorityKey)
  const common = { path: store, authority, nodeKey, name: config.name, revokeFormer, fromN, clock: systemClock }
  const plan = await planEpoch(common)
  if (!apply) return view(init, kit.networkId, gathered, plan)
  const { logKey: path } = dataFiles(config.paths.data)
  const done = await openEpoch({ ...common, logKey: nextLogKey(path, keys) })
  keepNextLogKey(path)
  saveRole(init, kit.networkId)
  return view(init, kit.networkId, gathered, done)
}

const within = (ms: number, signal: AbortSignal | undefined): AbortSignal =>
  AbortSignal.any([AbortSignal.timeout(ms), ...(signal === undefined ? [] : [signal])])

/** A plan makes no key. */
const ownKey = ({ config, promote, apply }: BecomeRootInit): SigningKey => {
  const path = config.paths.key
  if (promote || existsSync(path)) return loadKey(path)
  return apply ? loadOrCreateKey(path) : SigningKey.generate()
}

function saveRole({ saveTo, save, write }: BecomeRootInit, networkId: string): void {
  const values = { ...save, networkId, role: 'root' }
  if (write === undefined) for (const [key, value] of Object.entries(values)) saveConfigValue(saveTo, key, value)
  else write(values)
}

/** Genesis of the store, of the backup that is put there, or of whoever proves the network of the kit. */
async function requireGenesis(
  store: string,
  { config, backup, promote, signal }: BecomeRootInit,
  { networkId }: { networkId: string }
): Promise<Uint8Array> {
  if (backup !== undefined) await restoreOnce(store, backup, networkId, signal)
  const held = peekGenesis(store)
  if (held !== undefined) return held
  if (promote)
    throw new ConfigError([
      `there is no network in ${dataFiles(config.paths.data).store}: promote a secondary, or use \`trustnet registry recover\``
    ])
  const found = await discoverGenesis(config, networkId, signal)
  await adoptGenesis(store, found)
  return found
}

/** Puts the backup in the store's place, unless a broken-off try has done so or gathered more than it holds. */
async function restoreOnce(
  store: string,
  backup: string,
  networkId: string,
  signal: AbortSignal | undefined
): Promise<void> {
  const held = peekGenesis(store)
  const isOurs = held !== undefined && equals(openGenesis(held).hash, parseNetworkId(networkId))
  if (isOurs && isBeyond(store, backup)) return
  await restoreStore({ backup, path: store, networkId: parseNetworkId(networkId), signal })
}

function isBeyond(store: string, backup: string): boolean {
  const { head } = readManifest(backup)
  const held = peekHead(store)
  return held !== undefined && comparePositions(held, head) >= 0
}

/** Genesis of whoever proves the network. @throws NotFoundError, the reason of the signal */
export async function discoverGenesis(config: Config, networkId: string, signal?: AbortSignal): Promise<Uint8Array> {
  const clock = systemClock
  const logger = silentLogger
  let failures: readonly DialFailure[] = []
  try {
    const proof = await discoverNetwork(
      {
        config,
        key: SigningKey.generate(),
        role: 'external',
        software: '',
        pin: () => parseNetworkId(networkId),
        invitedIn: () => undefined,
        candidates: new Candidates({ config, clock, invite: () => undefined, cached: () => undefined }),
        limits: protocolLimits(config),
        clock,
        logger,
        libp2pLogger: componentLogger({ ...logger, isLevelEnabled: () => false }),
        onFailure: (last) => {
          failures = last
        },
        wake: () => new AbortController().signal
      },
      within(discoverMs, signal)
    )
    return proof.genesis.bytes
  } catch (error) {
    signal?.throwIfAborted()
    const said = failures.map((each) => `${each.address}: ${each.error.message}`).join('; ') || String(error)
    throw new NotFoundError(
      `nobody proved the network ${networkId} within ${discoverMs / 1000} s: name a member with --peer MULTIADDR, or give a backup with --backup FILE (${said})`,
      { cause: error }
    )
  }
}

interface Gathered {
  sources: Source[]
  queued: number
  /** Addresses of each member that has shown some. */
  addressesOf: (member: Member) => string[]
}

async function gather(
  store: string,
  { config, signal }: BecomeRootInit,
  kit: RecoveryKit,
  nodeKey: SigningKey,
  genesis: Uint8Array
): Promise<Gathered> {
  await using registry: Registry = await openRegistry({ path: store, role: 'secondary', nodeKey, genesis })
  const isMember = registry.replica.isMember(nodeKey.publicKey)
  const sources = await gatherAs(isMember ? [nodeKey] : keysOf(kit), config, registry, signal)
  const addresses = new Map<string, string[]>()
  for (const { publicKey } of registry.replica.state.registries()) {
    addresses.set(peerIdText(publicKey), [...(registry.records.read(publicKey)?.addrs ?? [])])
  }
  return {
    sources,
    queued: registry.admission.queued,
    addressesOf: ({ publicKey }) => addresses.get(peerIdText(publicKey)) ?? []
  }
}

/** To members and the authority the log is shown; which key of a kit is the authority now, others know. */
async function gatherAs(
  keys: readonly SigningKey[],
  config: Config,
  registry: Registry,
  signal: AbortSignal | undefined
): Promise<Source[]> {
  let sources: Source[] = []
  for (const key of keys) {
    sources = await gatherLog({ config, key, registry }, within(gatherMs, signal))
    if (signal?.aborted === true) break
    if (sources.some(({ error }) => error === null)) break
  }
  return sources
}

async function view(
  init: BecomeRootInit,
  network: string,
  gathered: Gathered,
  done: NewEpoch
): Promise<BecomeRootView> {
  const { sources, queued, addressesOf } = gathered
  return {
    schemaVersion: 1,
    applied: init.apply,
    network,
    sources,
    fork: { epoch: done.fork.epoch, n: done.fork.n },
    newest: done.newest.map(rowOf),
    voided: done.voided.map(rowOf),
    epoch: done.epoch,
    head: { epoch: done.head.epoch, n: done.head.n },
    former: done.former.map(refOf),
    revoked: done.revoked.map(refOf),
    admitted: done.admitted ?? null,
    reissued: done.reissued,
    queued,
    dns: {
      add: await ownRecords(init.config),
      remove: recordsOf(init.config, done.former.flatMap(addressesOf))
    }
  }
}

const refOf = ({ publicKey, name }: Member): MemberRef => ({ peerId: peerIdText(publicKey), name })

const rowOf = ({ n, epoch, kind, subject, name, timeMs }: EntryLine): EntryRow => ({
  n,
  epoch,
  kind,
  peerId: subject === undefined || subject.length !== keyBytes ? null : peerIdText(subject),
  name: name ?? null,
  timeMs
})

async function ownRecords(config: Config): Promise<string[]> {
  const { announce, listen } = config
  const options = { allow: announce.allow, port: listen.port, host: listen.host }
  return recordsOf(config, announce.addresses ?? chooseAddresses(await interfaceAddresses(), options))
}

function recordsOf({ domain }: Config, multiaddrs: readonly string[]): string[] {
  if (domain === undefined) return []
  const addresses = new Set(multiaddrs.flatMap((address) => parseAddr(address)?.ip ?? []))
  return wantedRecords({ domain, addresses: [...addresses], ttlSeconds: recordTtlSeconds }).map(zoneLine)
}

/** Path to which `init` wrote the kit, if this is the machine. */
export const kitOf = ({ paths }: Config): string => dataFiles(paths.data).recoveryKit
