import { existsSync } from 'node:fs'
import { equals } from 'uint8arrays/equals'
import { sha256 } from '../../identity/hash.ts'
import { loadKey } from '../../identity/key-file.ts'
import { SigningKey } from '../../identity/keys.ts'
import { networkIdText } from '../../identity/network-id.ts'
import { withReplica } from '../../registry/log/epochs/new-epoch.ts'
import { Root, sealAuthority } from '../../registry/log/log-writer.ts'
import type { Replica } from '../../registry/log/replica.ts'
import type { LogKeys } from '../../registry/log/state/log-keys.ts'
import { peekGenesis } from '../../registry/registry.ts'
import { silentLogger } from '../../runtime/clock-and-logger.ts'
import { NotRootError } from '../../runtime/errors.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import { ownLogKey } from '../root/log-key.ts'
import { requireNoDatabase } from '../root/store/log-place.ts'
import { keysOf, type RecoveryKit, readRecoveryKit, requireKitOf, writeRecoveryKit } from './recovery-kit.ts'

export interface RotateAuthorityInit {
  config: Config
  /** Kit that holds the next authority. */
  kit: string
  passphrase: string
  /** Path to which the kit with the authority after it is written. */
  to: string
  /** false: tells what would be done. */
  apply: boolean
}

/** Answer of `authority rotate`. */
export interface RotateAuthorityView {
  applied: boolean
  network: string
  /** The entry by which the next authority is the authority; null: a plan. */
  entry: number | null
  /** Holds the next authority from then on. */
  nextKit: string
}

/**
 * Makes the next authority, which the log has committed to, the authority, and commits to a new next one, whose kit is written first. The
 * kit with the key before is worthless then. On the machine of the root, whose process must be stopped.
 *
 * @throws ConfigError, NotRootError, StoreInUseError
 */
export async function rotateAuthority(init: RotateAuthorityInit): Promise<RotateAuthorityView> {
  const { config, apply, to } = init
  requireNoDatabase(config)
  const { store } = dataFiles(config.paths.data)
  if (!existsSync(store) || peekGenesis(store) === undefined)
    throw new ConfigError([`there is no network in ${store}: run this on the machine of the root`])
  const kit = readRecoveryKit(init.kit, init.passphrase)
  return await withReplica({ path: store }, async (replica) => {
    const network = networkIdText(replica.networkId)
    requireKitOf(network, { kit, path: init.kit })
    const logKey = ownLogKey(dataFiles(config.paths.data).logKey, replica.state.keys)
    if (!replica.state.keys.isKeyOf(replica.head.epoch, logKey.publicKey)) {
      throw new NotRootError('this machine is not the root: run this on the machine of the root')
    }
    const next = nextAuthorityOf(kit, init.kit, replica.state.keys)
    requireAnotherKit(init)
    if (!apply) return { applied: false, network, entry: null, nextKit: to }
    const entry = await reveal(replica, { next, afterNext: afterNextOf(init, network), logKey, config })
    return { applied: true, network, entry, nextKit: to }
  })
}

/** @throws ConfigError */
export function nextAuthorityOf(
  kit: RecoveryKit,
  path: string,
  { authorityKey, nextAuthorityDigest }: Pick<LogKeys, 'authorityKey' | 'nextAuthorityDigest'>
): SigningKey {
  const next = keysOf(kit).find(({ publicKey }) => equals(sha256(publicKey), nextAuthorityDigest))
  if (next !== undefined) return next
  const isAuthority = keysOf(kit).some(({ publicKey }) => equals(publicKey, authorityKey))
  throw new ConfigError([
    isAuthority
      ? `${path} holds the authority of today: give the kit with the next one. If this was done before, nothing is left to do`
      : `${path} does not hold the next authority, to which the log has committed`
  ])
}

/** The kit before stays until the entry is in the log. @throws ConfigError */
export function requireAnotherKit({ kit, to }: Pick<RotateAuthorityInit, 'kit' | 'to'>): void {
  if (to === kit)
    throw new ConfigError([`${to} is the kit that is used now: move it away, or give another file with --to`])
}

/** Key of the kit that a broken-off try has left, or a new one. @throws ConfigError for the kit of another time */
export function afterNextOf(
  { kit, to, passphrase }: Pick<RotateAuthorityInit, 'kit' | 'to' | 'passphrase'>,
  network: string
): SigningKey {
  requireAnotherKit({ kit, to })
  if (!existsSync(to)) {
    const nextAuthority = SigningKey.generate()
    writeRecoveryKit(to, { nextAuthority }, passphrase, network)
    return nextAuthority
  }
  const { nextAuthority, networkId } = readRecoveryKit(to, passphrase)
  if (nextAuthority !== undefined && networkId === network) return nextAuthority
  throw new ConfigError([`${to} is there already and holds something else: give another file with --to`])
}

interface Reveal {
  next: SigningKey
  afterNext: SigningKey
  logKey: SigningKey
  config: Config
}

async function reveal(replica: Replica, { next, afterNext, logKey, config }: Reveal): Promise<number> {
  if (equals(next.publicKey, afterNext.publicKey)) {
    throw new ConfigError(['the kit to be written holds the very key that is used now: give another file with --to'])
  }
  const root = new Root({ replica, logKey, nodeKey: loadKey(config.paths.key), logger: silentLogger })
  const { refusal } = root
  if (refusal !== undefined) throw refusal
  const { bytes, value } = sealAuthority(replica, next, sha256(afterNext.publicKey))
  await replica.apply([bytes])
  await root.checkpoint()
  await root.close()
  return value.n
}
