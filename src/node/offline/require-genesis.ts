import { equals } from 'uint8arrays/equals'
import { parseNetworkId } from '../../identity/network-id.ts'
import { readManifest } from '../../registry/backup/manifest.ts'
import { peekHead, restoreStore } from '../../registry/backup/restore.ts'
import { comparePositions } from '../../registry/log/state/position.ts'
import { openGenesis } from '../../registry/objects/genesis.ts'
import { adoptGenesis, peekGenesis } from '../../registry/registry.ts'
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
  /** Restored first, where there is no store. */
  backup?: string | undefined
  /** Only a registry with a store is promoted. */
  promote: boolean
  signal?: AbortSignal | undefined
}

/** Genesis of the store, of the backup that is put there, or of whoever proves the network of the kit. */
export async function requireGenesis(
  store: string,
  { config, backup, promote, signal }: GenesisSources,
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
  let failures: readonly DialFailure[] = []
  try {
    const proof = await discoverNetwork(
      {
        node: asStranger(config, parseNetworkId(networkId)),
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
      `nobody proved the network ${networkId} within ${discoverMs / 1000} s: name a member with --peer MULTIADDR, or give a backup with --backup FILE (${said})`,
      { cause: error }
    )
  }
}
