import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadKey, loadOrCreateKey } from '../../identity/key-file.ts'
import { peerIdText, SigningKey } from '../../identity/keys.ts'
import { openEpoch, planEpoch, withReplica } from '../../registry/log/epochs/new-epoch.ts'
import { openRegistry, type Registry } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { keepNextLogKey, nextLogKey } from '../root/log-key.ts'
import { type BecomeRootView, becomeRootView, type Gathered } from './become-root-view.ts'
import { gatherLog, type Source } from './gather-logs.ts'
import { authorityOf, keysOf, type RecoveryKit, readRecoveryKit } from './recovery-kit.ts'
import { requireGenesis } from './require-genesis.ts'
import { backUpStopped } from './stopped-store.ts'
import { dropNote } from './unfinished-network.ts'

/** A recovery kit, and what opens it. */
export interface KitFile {
  path: string
  passphrase: string
}

/** Wishes of the operator for the new epoch. */
export interface EpochWish {
  /** The last entry that counts; default: the highest that anybody can prove. */
  fromN?: number | undefined
  /** Shut the key of the root before out for ever. */
  revokeFormer: boolean
}

export interface BecomeRootInit {
  config: Config
  /** Writes the role to the configuration, with what else a first start here needs. */
  save: (values: { networkId: string; role: 'root' }) => void
  kit: KitFile
  /** Restored first, where there is no store. */
  backup?: string | undefined
  /** false: tells what would be done, from a copy of the store: nothing here is changed, and the process may run. */
  apply: boolean
  /** The copy, where the process runs and has made it. */
  copy?: string | undefined
  /** Only a registry with a store is promoted. */
  promote: boolean
  epoch: EpochWish
}

export interface BecomeRootOptions {
  /** Breaks it off until the new epoch is begun; that comes to its end. */
  signal?: AbortSignal | undefined
}

const gatherMs = 150_000

/**
 * Makes the node of this configuration the root: gathers the highest verified head from everybody who can be reached, and lets the
 * authority delegate a new log key from there. Its process must be stopped.
 *
 * @throws ConfigError, StoreInUseError, InvalidPayloadError, NotFoundError
 */
export async function becomeRoot(init: BecomeRootInit, options: BecomeRootOptions = {}): Promise<BecomeRootView> {
  // Pauses between tries keep no process alive.
  const alive = setInterval(() => {}, gatherMs)
  try {
    return await become(init, options)
  } finally {
    clearInterval(alive)
  }
}

async function become(init: BecomeRootInit, options: BecomeRootOptions): Promise<BecomeRootView> {
  const kit = readRecoveryKit(init.kit.path, init.kit.passphrase)
  if (init.apply) return await becomeIn(dataFiles(init.config.paths.data).store, init, kit, options)
  const folder = await mkdtemp(join(tmpdir(), 'trustnet-plan-'))
  try {
    return await becomeIn(await copyFor(init, join(folder, 'registry.db')), init, kit, options)
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

async function becomeIn(
  store: string,
  init: BecomeRootInit,
  kit: RecoveryKit,
  { signal }: BecomeRootOptions
): Promise<BecomeRootView> {
  const { config, apply, epoch } = init
  const genesis = await requireGenesis(store, { ...init, signal }, kit)
  const nodeKey = ownKey(init)
  const gathered = await gather(store, { config, signal }, kit, nodeKey, genesis)
  signal?.throwIfAborted()
  const keys = await withReplica({ path: store }, ({ state }) => Promise.resolve(state.keys))
  const authority = authorityOf(kit, init.kit.path, keys.authorityKey)
  const node = { key: nodeKey, name: config.name }
  const common = { path: store, authority, node, ...epoch, clock: systemClock }
  const plan = await planEpoch(common)
  if (!apply) return becomeRootView(init, kit.networkId, gathered, plan)
  const { logKey: path } = dataFiles(config.paths.data)
  dropNote(config.paths)
  const operatorKey = loadOrCreateKey(dataFiles(config.paths.data).operatorKey)
  const done = await openEpoch({ ...common, node: { ...node, operatorKey }, logKey: nextLogKey(path, keys) })
  keepNextLogKey(path)
  init.save({ networkId: kit.networkId, role: 'root' })
  return becomeRootView(init, kit.networkId, gathered, done)
}

/** A plan makes no key. */
const ownKey = ({ config, promote, apply }: BecomeRootInit): SigningKey => {
  const path = config.paths.key
  if (promote || existsSync(path)) return loadKey(path)
  return apply ? loadOrCreateKey(path) : SigningKey.generate()
}

/** Asks members for their log. To members and the authority it is shown; which key of a kit is the authority now, others know. */
async function gather(
  store: string,
  { config, signal }: BecomeRootOptions & { config: Config },
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

/** Path to which `init` wrote the kit, if this is the machine. */
export const kitOf = ({ paths }: Config): string => dataFiles(paths.data).recoveryKit
