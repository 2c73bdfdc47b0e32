import { existsSync } from 'node:fs'
import { equals } from 'uint8arrays/equals'
import { loadKey } from '../../identity/key-file.ts'
import { peerIdText } from '../../identity/keys.ts'
import { withReplica } from '../../registry/log/epochs/new-epoch.ts'
import { peekGenesis } from '../../registry/registry.ts'
import { logAt } from '../actions/registry/move-root.ts'
import type { MovedRootView } from '../api/process-views.ts'
import { ownStore } from '../config/field-types/root-store-field.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import { fillHistory } from '../root/store/fill-history.ts'
import { moveLog } from '../root/store/move-log.ts'

export interface MoveStopped {
  readonly to: string
  /** false: a plan. */
  readonly apply: boolean
  readonly signal: AbortSignal
}

/**
 * Moves the log of a root whose process is stopped, and gives the lease back: its next start goes on there. The configuration is the caller's.
 * @throws ConfigError, StoreInUseError; UnavailableError with the reason why nothing has moved
 */
export async function moveStoppedRoot(
  { paths, root }: Config,
  { to, apply, signal }: MoveStopped
): Promise<MovedRootView> {
  const { store } = dataFiles(paths.data)
  if (!existsSync(store) || peekGenesis(store) === undefined)
    throw new ConfigError([`there is no network in ${store}: run this on the machine of the root`])
  const { publicKey } = loadKey(paths.key)
  const seen = await withReplica({ path: store }, async (replica) => {
    const last = replica.state.rootRegistry()
    const isRoot = last !== undefined && equals(last.publicKey, publicKey)
    return { isRoot, epoch: replica.head.epoch, head: replica.head.n, there: await logAt(to, replica) }
  })
  if (apply && seen.isRoot) {
    await moveLog(store, {
      to,
      holder: peerIdText(publicKey),
      settle: async (engine, lease, replica) => {
        // What does not get there now is brought by the process.
        await fillHistory(engine, lease, { replica, signal }).catch(() => {})
        await engine.release(lease).catch(() => {})
      }
    })
  }
  return { ...seen, from: root.store ?? ownStore, to, applied: apply }
}
