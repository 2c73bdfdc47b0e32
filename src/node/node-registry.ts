import { loadKey } from '../registry/key-file.ts'
import type { SigningKey } from '../registry/keys.ts'
import type { Clock, Logger } from '../registry/ports.ts'
import { openRegistry, type Registry } from '../registry/registry.ts'
import type { Config } from './config/schema.ts'
import { dataFiles } from './paths.ts'
import { fenceReason } from './root-duties.ts'

export interface NodeRegistryInit {
  config: Config
  key: SigningKey
  genesis: Uint8Array
  clock: Clock
  logger: Logger
}

/** Opens the store of this node as its configuration says; the root's with its log key. */
export async function openNodeRegistry({ config, key, genesis, clock, logger }: NodeRegistryInit): Promise<Registry> {
  const { role, heartbeat, paths, replication, admission } = config
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
