import { existsSync } from 'node:fs'
import { equals } from 'uint8arrays/equals'
import { loadKey } from '../../identity/key-file.ts'
import type { SigningKey } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import { withReplica } from '../../registry/log/epochs/new-epoch.ts'
import { openRegistry, type Registry, type RegistryInit, type RootPowers } from '../../registry/registry.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { DamagedStoreError } from '../../runtime/errors.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { putAside } from '../put-aside.ts'
import { destroyPastLogKeys, isEpochPrepared, ownLogKey } from './log-key.ts'
import { fenceReason, noLongerReplaced, raiseReplaced } from './root-controller.ts'
import { rememberStore, requireOwnLog } from './store/log-place.ts'
import type { RootSeat } from './store/root-seat.ts'

type DataFiles = ReturnType<typeof dataFiles>

export interface NodeRegistryInit {
  config: Config
  key: SigningKey
  genesis: Uint8Array
  clock: Clock
  logger: Logger
  services: Supervisor
  /** Place among those that may be the root; undefined: the log is in the store of the root. */
  seat: RootSeat | undefined
}

/**
 * Opens the store of this node as its configuration says; the root's with its log key. One whose log key the authority has replaced is
 * opened as a secondary: the new root keeps it in its set.
 */
export async function openNodeRegistry(init: NodeRegistryInit): Promise<Registry> {
  const { config } = init
  const { logKey } = dataFiles(config.paths.data)
  if (init.seat !== undefined) return await openElected(init, init.seat)
  if (config.role === 'root' && !existsSync(logKey)) return await openFormer(init)
  const registry = await openOrBeginAnew(init)
  await requireOwnLog(registry, config)
  if (registry.root?.isReplaced !== true) {
    if (registry.root !== undefined) noLongerReplaced(registry)
    return registry
  }
  await registry.close()
  return await openFormer(init)
}

/** Opens it as the root while this process holds the lease of the log, else as a secondary. */
async function openElected(init: NodeRegistryInit, seat: RootSeat): Promise<Registry> {
  const registry = await openOrBeginAnew(init, seat.isHeld ? 'root' : 'secondary')
  if (registry.root !== undefined) await rememberStore(registry, seat.store)
  return registry
}

/** One that is root by its configuration alone. @throws KeyFileError where the log knows no other root */
async function openFormer(init: NodeRegistryInit): Promise<Registry> {
  const { config, key, logger } = init
  const { logKey } = dataFiles(config.paths.data)
  const secondary = await openAs(init, 'secondary')
  const { state } = secondary.replica
  const root = state.rootRegistry()
  if (root === undefined || equals(root.publicKey, key.publicKey)) {
    await secondary.close()
    loadKey(logKey)
  }
  destroyPastLogKeys(logKey, secondary.replica, logger)
  raiseReplaced(secondary, 'it runs as a secondary from now on')
  return secondary
}

/** Opens the store. Others hold what a replica holds, too: a damaged one is put aside and fetched anew. A root asks nobody, its operator restores a backup. */
async function openOrBeginAnew(init: NodeRegistryInit, role = init.config.role): Promise<Registry> {
  const { config, clock, logger } = init
  try {
    return await openAs(init, role)
  } catch (error) {
    if (!(error instanceof DamagedStoreError) || config.role === 'root') throw error
    const { store } = dataFiles(config.paths.data)
    const aside = putAside(store, 'damaged', clock)
    const message = `the store was damaged (${error.message}): it lies in ${aside} now, and all that it held is fetched anew`
    logger.error({ path: aside, error: error.message }, message)
    const registry = await openAs(init, role)
    registry.alarms.raise('store_damaged', message, { path: aside })
    return registry
  }
}

async function openAs({ config, key, genesis, seat, ...components }: NodeRegistryInit, role: Role): Promise<Registry> {
  const { heartbeat, paths, replication, admission } = config
  const files = dataFiles(paths.data)
  const init: RegistryInit = {
    path: files.store,
    role,
    nodeKey: key,
    genesis,
    liveness: { heartbeatMs: heartbeat.intervalMs, leaseMs: heartbeat.intervalMs * heartbeat.missedThreshold },
    limits: {
      queuedRequests: replication.queueLimit,
      openMembers: admission.openMembers,
      openJoins: admission.openJoins
    },
    ...(role === 'root' && {
      root: { ...(await rootPowers(files)), log: seat && ((replica) => seat.commitOf(replica)) }
    })
  }
  return await openRegistry(init, components)
}

async function rootPowers(files: DataFiles): Promise<RootPowers> {
  const operatorKey = existsSync(files.operatorKey) ? loadKey(files.operatorKey) : undefined
  return { logKey: await logKeyOf(files), operatorKey, fence: fenceReason }
}

/** With the key of an epoch that a promotion has begun and could not finish in its place. */
async function logKeyOf({ store, logKey }: DataFiles): Promise<SigningKey> {
  if (!isEpochPrepared(logKey)) return loadKey(logKey)
  return await withReplica({ path: store }, ({ state }) => Promise.resolve(ownLogKey(logKey, state.keys)))
}
