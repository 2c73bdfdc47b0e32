import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { sha256 } from '../../identity/hash.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { networkIdText } from '../../identity/network-id.ts'
import { type EntryBodies, sealEntry } from '../../registry/objects/entry.ts'
import type { ControlApi, EnteredView, PreparedView } from '../api/control-api.ts'
import { ConfigError } from '../errors.ts'
import { authorityOf, readRecoveryKit, requireKitOf } from './recovery-kit.ts'
import { afterNextOf, nextAuthorityOf } from './rotate-authority.ts'

/** The calls by which a running root is given what the authority has signed. */
type RootApi = Pick<ControlApi, 'prepareEntry' | 'enterEntry'>

interface KitFile {
  kit: string
  passphrase: string
}

const bytesOf = (hex: string): Uint8Array => fromString(hex, 'base16')

/**
 * Gives the log of a running root a new log key: the authority, which stays in this process, signs the entry.
 * @throws ConfigError, and as the calls
 */
export async function rotateLogKey(api: RootApi, file: KitFile, signal: AbortSignal): Promise<EnteredView> {
  // Before the root waits for it.
  const kit = readRecoveryKit(file.kit, file.passphrase)
  const prepared = await api.prepareEntry({ kind: 'delegate' }, { signal })
  requireKitOf(networkIdText(bytesOf(prepared.networkId)), { kit, path: file.kit })
  const authority = authorityOf(kit, file.kit, bytesOf(prepared.authorityKey))
  if (prepared.logKey === null) throw new ConfigError(['the process has made no log key: it is of another version'])
  const body = { logKey: bytesOf(prepared.logKey) }
  return await enter(api, prepared, { kind: 'delegate', body }, prepared.epoch + 1, authority, signal)
}

/**
 * Makes the next authority the authority in the log of a running root; the kit with the one after it is written first.
 * @throws ConfigError, and as the calls
 */
export async function rotateRunningAuthority(
  api: RootApi,
  file: KitFile & { to: string },
  signal: AbortSignal
): Promise<EnteredView> {
  const kit = readRecoveryKit(file.kit, file.passphrase)
  const prepared = await api.prepareEntry({ kind: 'authority' }, { signal })
  requireKitOf(networkIdText(bytesOf(prepared.networkId)), { kit, path: file.kit })
  const authorityKey = bytesOf(prepared.authorityKey)
  const nextAuthorityDigest = bytesOf(prepared.nextAuthorityDigest)
  const next = nextAuthorityOf(kit, file.kit, { authorityKey, nextAuthorityDigest })
  const afterNext = afterNextOf(file, kit.networkId)
  const body = { authorityKey: next.publicKey, nextAuthorityDigest: sha256(afterNext.publicKey) }
  return await enter(api, prepared, { kind: 'authority', body }, prepared.epoch, next, signal)
}

type Content = { [K in 'authority' | 'delegate']: { kind: K; body: EntryBodies[K] } }['authority' | 'delegate']

async function enter(
  api: RootApi,
  { networkId, n, headHash, timeMs }: PreparedView,
  content: Content,
  epoch: number,
  signer: SigningKey,
  signal: AbortSignal
): Promise<EnteredView> {
  const place = { networkId: bytesOf(networkId), n: n + 1, prevHash: bytesOf(headHash), epoch, timeMs }
  const { bytes } = sealEntry({ ...place, ...content }, signer)
  return await api.enterEntry({ entry: text(bytes, 'base64') }, { signal })
}
