import { existsSync } from 'node:fs'
import { loadKey, loadOrCreateKey } from '../../identity/key-file.ts'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText, SigningKey } from '../../identity/keys.ts'
import { parseNetworkId } from '../../identity/network-id.ts'
import type { LogKeys } from '../../registry/log/state/log-keys.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import { openRegistry, type Registry } from '../../registry/registry.ts'
import { durationText, maxStepMs } from '../../runtime/steady-clock.ts'
import type { Config } from '../config/schema.ts'
import { gatherWithAny, requireShown, type Source } from './gather-logs.ts'
import { authorityOf, keysOf, readRecoveryKit } from './recovery-kit.ts'
import { requireGenesis } from './require-genesis.ts'

/** A recovery kit, and what opens it. */
export interface KitFile {
  path: string
  passphrase: string
}

/** Wishes of the operator for the new epoch. */
export interface EpochWish {
  /** The last entry that counts; default: the highest that anybody can prove, and somebody has to show the log, or it is here. */
  fromN?: number | undefined
  /** Shut the key of the root before out for ever. */
  revokeFormer: boolean
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
  epoch: EpochWish
}

export interface EvidenceOptions {
  signal?: AbortSignal | undefined
  /** Told what the operator has to know before anything is signed. */
  warn?: (message: string) => void
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

/**
 * Finds the network of a kit and takes the highest verified head that anybody who can be reached proves into a store.
 *
 * @throws ConfigError, StoreInUseError, NotFoundError, the reason of the signal
 */
export async function gatherEvidence(
  store: string,
  init: EvidenceInit,
  { signal, warn }: EvidenceOptions
): Promise<Evidence> {
  const { config } = init
  const kit = readRecoveryKit(init.kit.path, init.kit.passphrase)
  const genesis = await requireGenesis(store, { ...init, networkId: parseNetworkId(kit.networkId), signal })
  const nodeKey = ownKey(init)
  await using registry: Registry = await openRegistry({ path: store, role: 'secondary', nodeKey, genesis })
  const { replica, records, admission } = registry
  // To members and the authority the log is shown; which key of a kit is the authority now, others know.
  const asked = replica.isMember(nodeKey.publicKey) ? [nodeKey] : keysOf(kit)
  const offs = new Map<string, number>()
  const onTime = (publicKey: Uint8Array, timeMs: number): unknown => offs.set(keyId(publicKey), Date.now() - timeMs)
  const sources = await gatherWithAny(asked, { config, registry, onTime }, signal)
  signal?.throwIfAborted()
  if (init.epoch.fromN === undefined) requireShown(replica.head.n, sources)
  const doubt = clockDoubt([...offs.values()])
  if (doubt !== undefined) warn?.(doubt)
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

/** Doubt of the clock of this machine, by how far it is ahead of those of members; undefined: most of them agree, or nobody was heard. */
export const clockDoubt = (offs: readonly number[]): string | undefined => {
  const differing = offs.filter((ms) => Math.abs(ms) > maxStepMs)
  const [offMs = 0] = differing
  if (2 * differing.length <= offs.length) return undefined
  const those = `${differing.length} of ${offs.length} members that were asked`
  return `the clock of this machine is ${durationText(offMs)} ${offMs > 0 ? 'ahead of' : 'behind'} those of ${those}, and what a new root signs bears its time: set it right first (timedatectl set-ntp true)`
}
