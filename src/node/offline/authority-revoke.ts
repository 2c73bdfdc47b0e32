import { equals } from 'uint8arrays/equals'
import { at } from '../../identity/bytes.ts'
import { peerIdText, SigningKey } from '../../identity/keys.ts'
import { networkIdText, parseNetworkId } from '../../identity/network-id.ts'
import { openRegisterSession, type RegisterSession } from '../../protocols/register/index.ts'
import { sealRevoke } from '../../registry/log/epochs/authority-revocations.ts'
import { withReplica } from '../../registry/log/epochs/new-epoch.ts'
import { openRegistry, peekGenesis, type Registry } from '../../registry/registry.ts'
import { stayAlive } from '../../runtime/background.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { isDecided } from '../../runtime/failures.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import { requireKey } from '../views/peer-names.ts'
import { gatherLog, type Source } from './gather-logs.ts'
import { authorityOf, keysOf, type RecoveryKit, readRecoveryKit } from './recovery-kit.ts'
import { discoverGenesis } from './require-genesis.ts'

export interface AuthorityRevokeInit {
  config: Config
  kit: string
  passphrase: string
  /** Name, PeerId, or the end of one. */
  peer: string
  reason: string
  /** A copy of the store of this machine, or where one is made and left. */
  copy: string
  /** Store of this machine when no process uses it: what nobody can be told now is told when it starts. */
  store?: string | undefined
}

/** Answer of `revoke --kit`. */
export interface AuthorityRevokeView {
  network: string
  peerId: string
  name: string | null
  /** The log says so already: nobody was told anything. */
  entry: number | null
  /** Members that were asked; those without an error enforce it now, and tell the others. */
  sources: Source[]
  /** Members that were told. */
  told: number
  /** It is kept in the store of this machine, too. */
  kept: boolean
  /** The key is that of the root, whose log key counts until there is a new one. */
  isRoot: boolean
}

const gatherMs = 150_000

/**
 * Shuts a key out by the word of the authority: for the time when the root is gone, or in wrong hands. Everybody who can be reached is
 * told, enforces it at once and tells others; the root, or the next one, enters it into the log.
 *
 * @throws ConfigError, NotFoundError, AmbiguousNameError, InvalidPayloadError when the kit is of another network
 */
export async function authorityRevoke(init: AuthorityRevokeInit): Promise<AuthorityRevokeView> {
  using _ = stayAlive()
  const { config, kit, passphrase, copy } = init
  const keys = readRecoveryKit(kit, passphrase)
  const networkId = parseNetworkId(keys.networkId)
  const genesis = peekGenesis(copy) ?? (await discoverGenesis(config, networkId))
  const nodeKey = SigningKey.generate()
  await using registry = await openRegistry({ path: copy, role: 'external', nodeKey, genesis })
  if (!equals(registry.networkId, networkId)) {
    throw new ConfigError([`${kit} is the recovery kit of another network, ${keys.networkId}`])
  }
  return await tell(init, keys, registry)
}

async function tell(
  { config, kit, peer, reason, store }: AuthorityRevokeInit,
  keys: RecoveryKit,
  registry: Registry
): Promise<AuthorityRevokeView> {
  const { replica } = registry
  let envelope: Uint8Array | undefined
  let told = 0
  /** Once all have told what they know: the newest log says whose name it is. */
  const sealed = (): Uint8Array | undefined => {
    const authority = authorityOf(keys, kit, replica.state.keys.authorityKey)
    const publicKey = requireKey(registry, peer)
    if (replica.state.revoked(publicKey) !== undefined) return undefined
    const position = { networkId: replica.networkId, head: replica.head, nowMs: systemClock.now() }
    envelope ??= sealRevoke(position, authority, { publicKey, reason }).bytes
    return envelope
  }
  const sources = await gatherLog(
    {
      config,
      key:
        keysOf(keys).find(({ publicKey }) => equals(publicKey, replica.state.keys.authorityKey)) ?? at(keysOf(keys), 0),
      registry,
      ask: async (connection, limits, signal) => {
        const bytes = sealed()
        if (bytes === undefined) return
        await handOver(bytes, await openRegisterSession(connection, { limits, signal }), signal)
        told++
      }
    },
    AbortSignal.timeout(gatherMs)
  )
  const bytes = sealed()
  const kept = bytes !== undefined && store !== undefined && (await keep(store, bytes))
  return { ...viewOf(registry, peer), network: networkIdText(registry.networkId), sources, told, kept }
}

/** Shows the revoke to one registry; one that knows it already needs no more. */
async function handOver(bytes: Uint8Array, session: RegisterSession, signal: AbortSignal): Promise<void> {
  try {
    await session.handOver(bytes, { signal })
  } catch (error) {
    if (!isDecided(error)) throw error
  } finally {
    await session.close()
  }
}

function viewOf(registry: Registry, peer: string): Pick<AuthorityRevokeView, 'peerId' | 'name' | 'entry' | 'isRoot'> {
  const { state } = registry.replica
  const publicKey = requireKey(registry, peer)
  return {
    peerId: peerIdText(publicKey),
    name: state.member(publicKey)?.name ?? null,
    entry: state.revoked(publicKey)?.n ?? null,
    isRoot: state.registry(publicKey)?.role === 'root'
  }
}

/** @throws StoreInUseError */
async function keep(path: string, envelope: Uint8Array): Promise<boolean> {
  const genesis = peekGenesis(path)
  if (genesis === undefined) return false
  await withReplica({ path }, (replica) => replica.authorityRevocations.enforce(envelope))
  return true
}
