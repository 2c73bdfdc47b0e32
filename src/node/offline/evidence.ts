import { existsSync } from 'node:fs'
import { loadKey, loadOrCreateKey } from '../../identity/key-file.ts'
import { peerIdText, SigningKey } from '../../identity/keys.ts'
import type { LogKeys } from '../../registry/log/state/log-keys.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import { openRegistry, type Registry } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
import type { Config } from '../config/schema.ts'
import { gatherLog, type Source } from './gather-logs.ts'
import { authorityOf, keysOf, readRecoveryKit } from './recovery-kit.ts'
import { requireGenesis } from './require-genesis.ts'

/** A recovery kit, and what opens it. */
export interface KitFile {
  path: string
  passphrase: string
}

export interface EvidenceInit {
  config: Config
  kit: KitFile
  /** Restored first, where there is no store. */
  backup?: string | undefined
  /** Only a registry with a store is promoted. */
  promote: boolean
  /** false: no key is made here. */
  apply: boolean
}

export interface EvidenceOptions {
  signal?: AbortSignal | undefined
}

/** All that is known before a new epoch begins. The log itself is in the store by then. */
export interface Evidence {
  network: string
  authority: SigningKey
  nodeKey: SigningKey
  /** Keys of the log up to the highest head. */
  keys: LogKeys
  /** Members that were asked for their log. */
  sources: Source[]
  /** Requests that wait here for the root. */
  queued: number
  /** Addresses of each member that has shown some. */
  addressesOf: (member: Member) => string[]
}

const gatherMs = 150_000

/**
 * Finds the network of a kit and takes the highest verified head that anybody who can be reached proves into a store.
 *
 * @throws ConfigError, StoreInUseError, NotFoundError, the reason of the signal
 */
export async function gatherEvidence(
  store: string,
  init: EvidenceInit,
  { signal }: EvidenceOptions
): Promise<Evidence> {
  const { config } = init
  const kit = readRecoveryKit(init.kit.path, init.kit.passphrase)
  const genesis = await requireGenesis(store, { ...init, signal }, kit)
  const nodeKey = ownKey(init)
  await using registry: Registry = await openRegistry({ path: store, role: 'secondary', nodeKey, genesis })
  const { replica, records, admission } = registry
  // To members and the authority the log is shown; which key of a kit is the authority now, others know.
  const asked = replica.isMember(nodeKey.publicKey) ? [nodeKey] : keysOf(kit)
  const sources = await gatherAs(asked, config, registry, signal)
  signal?.throwIfAborted()
  const { keys } = replica.state
  const addresses = new Map<string, string[]>()
  for (const { publicKey } of replica.state.registries()) {
    addresses.set(peerIdText(publicKey), [...(records.read(publicKey)?.addrs ?? [])])
  }
  return {
    network: kit.networkId,
    authority: authorityOf(kit, init.kit.path, keys.authorityKey),
    nodeKey,
    keys,
    sources,
    queued: admission.queued,
    addressesOf: ({ publicKey }) => addresses.get(peerIdText(publicKey)) ?? []
  }
}

/** A plan makes no key. */
const ownKey = ({ config, promote, apply }: EvidenceInit): SigningKey => {
  const path = config.paths.key
  if (promote || existsSync(path)) return loadKey(path)
  return apply ? loadOrCreateKey(path) : SigningKey.generate()
}

/** Asks with each key until somebody has shown the log. */
async function gatherAs(
  keys: readonly SigningKey[],
  config: Config,
  registry: Registry,
  signal: AbortSignal | undefined
): Promise<Source[]> {
  let sources: Source[] = []
  for (const key of keys) {
    sources = await gatherLog({ config, key, registry }, within(gatherMs, signal))
    if (signal?.aborted === true || sources.some(({ error }) => error === null)) break
  }
  return sources
}
