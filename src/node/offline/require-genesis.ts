import { networkIdText } from '../../identity/network-id.ts'
import { restoreOnce } from '../../registry/backup/restore.ts'
import { peekGenesis } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
import { NotFoundError } from '../../runtime/errors.ts'
import { asStranger } from '../bootstrap/as-stranger.ts'
import type { DialFailure } from '../bootstrap/dial-race.ts'
import { discoverNetwork } from '../bootstrap/discovery.ts'
import { dataFiles } from '../config/paths.ts'
import { protocolLimits } from '../config/protocol-limits.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'

/** Time for which a network without any store here is looked for. */
const discoverMs = 30_000

export interface GenesisSources {
  config: Config
  networkId: Uint8Array
  /** Restored first, where there is no store. */
  backup?: string | undefined
  /** Only a registry with a store is promoted. */
  promote: boolean
  signal?: AbortSignal | undefined
}

/** Genesis of the store, of the backup that is put there, or of whoever proves the network. */
export async function requireGenesis(
  store: string,
  { config, networkId, backup, promote, signal }: GenesisSources
): Promise<Uint8Array> {
  if (backup !== undefined) await restoreOnce({ backup, path: store, networkId, signal })
  const held = peekGenesis(store)
  if (held !== undefined) return held
  if (promote)
    throw new ConfigError([
      `there is no network in ${dataFiles(config.paths.data).store}: promote a secondary, or use \`trustnet registry recover\``
    ])
  return await discoverGenesis(config, networkId, signal)
}

/** Genesis of whoever proves the network. @throws NotFoundError, the reason of the signal */
export async function discoverGenesis(
  config: Config,
  networkId: Uint8Array,
  signal?: AbortSignal
): Promise<Uint8Array> {
  let failures: readonly DialFailure[] = []
  try {
    const proof = await discoverNetwork(
      {
        node: asStranger(config, networkId),
        limits: protocolLimits(config),
        onFailure: (last) => {
          failures = last
        }
      },
      within(discoverMs, signal)
    )
    return proof.genesis.bytes
  } catch (error) {
    signal?.throwIfAborted()
    const said = failures.map((each) => `${each.address}: ${each.error.message}`).join('; ') || String(error)
    throw new NotFoundError(
      `nobody proved the network ${networkIdText(networkId)} within ${discoverMs / 1000} s: name a member with --peer MULTIADDR, or give a backup with --backup FILE (${said})`,
      { cause: error }
    )
  }
}
