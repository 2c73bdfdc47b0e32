import { existsSync, renameSync } from 'node:fs'
import { loadKey } from '../../identity/key-file.ts'
import type { SigningKey } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import { openRegistry, type Registry } from '../../registry/registry.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { DamagedStoreError } from '../../runtime/errors.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { fenceReason, raiseReplaced } from './root-controller.ts'

export interface NodeRegistryInit {
  config: Config
  key: SigningKey
  genesis: Uint8Array
  clock: Clock
  logger: Logger
}

/**
 * Opens the store of this node as its configuration says; the root's with its log key. One whose log key the authority has replaced is
 * opened as a secondary: the new root keeps it in its set.
 */
export async function openNodeRegistry(init: NodeRegistryInit): Promise<Registry> {
  const registry = await openOrBeginAnew(init)
  if (registry.root?.isReplaced !== true) return registry
  await registry.close()
  const secondary = await openAs(init, 'secondary')
  raiseReplaced(secondary, 'it runs as a secondary from now on')
  return secondary
}

/** What a replica holds others hold, too: a damaged one is put aside and fetched anew. A root asks nobody, its operator restores a backup. */
async function openOrBeginAnew(init: NodeRegistryInit): Promise<Registry> {
  const { config, clock, logger } = init
  try {
    return await openAs(init, config.role)
  } catch (error) {
    if (!(error instanceof DamagedStoreError) || config.role === 'root') throw error
    const { store } = dataFiles(config.paths.data)
    const aside = `${store}.damaged-${clock.now()}`
    for (const end of ['', '-wal', '-shm']) if (existsSync(store + end)) renameSync(store + end, aside + end)
    const message = `the store was damaged (${error.message}): it lies in ${aside} now, and all that it held is fetched anew`
    logger.error({ path: aside, error: error.message }, message)
    const registry = await openAs(init, config.role)
    registry.alarms.raise('store_damaged', message, { path: aside })
    return registry
  }
}

async function openAs({ config, key, genesis, clock, logger }: NodeRegistryInit, role: Role): Promise<Registry> {
  const { heartbeat, paths, replication, admission } = config
  const files = dataFiles(paths.data)
  return await openRegistry({
    path: files.store,
    role,
    nodeKey: key,
    genesis,
    clock,
    logger,
    liveness: { heartbeatMs: heartbeat.intervalMs, leaseMs: heartbeat.intervalMs * heartbeat.missedThreshold },
    limits: { queuedRequests: replication.queueLimit },
    ...(role === 'root' && { logKey: loadKey(files.logKey), policy: admission, fence: fenceReason })
  })
}
