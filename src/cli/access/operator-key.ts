import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { keyBytes } from '../../identity/ed25519.ts'
import { loadKey } from '../../identity/key-file.ts'
import { peerIdText, SigningKey } from '../../identity/keys.ts'
import { openSecret, type SealedSecret, sealSecret } from '../../identity/sealed-secret.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { KeyFileError } from '../../runtime/errors.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { makeFolder } from '../../runtime/make-folder.ts'

const format = 'trustnet-operator-key'
/** One key and what it is encrypted with: some 400 bytes. */
const maxBytes = 4 * 1024

interface SealedKey extends SealedSecret {
  readonly keyId: string
}

const boundTo = (keyId: string): string => `${format} 1 ${keyId}`

/**
 * Makes a key under a passphrase, in a file of mode 0600 that is made new.
 * @throws KeyFileError when it exists or cannot be written
 */
export function createSealedKey(path: string, passphrase: string): SigningKey {
  const key = SigningKey.generate()
  const keyId = peerIdText(key.publicKey)
  const file = { format, version: 1, keyId, ...sealSecret(key.seed, passphrase, boundTo(keyId)) }
  try {
    makeFolder(dirname(path), 0o700)
    writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    const isThere = codeOf(error) === 'EEXIST'
    const why = isThere ? 'exists already: it is never overwritten' : `cannot be written (${codeOf(error)})`
    throw new KeyFileError(`key file ${path} ${why}`, { cause: error })
  }
  return key
}

/** The key of an operator; the passphrase is asked for where the file needs one. @throws KeyFileError */
export async function loadOperatorKey(path: string, passphrase: () => Promise<string>): Promise<SigningKey> {
  const sealed = sealedKeyIn(path)
  if (sealed === undefined) return loadKey(path)
  const given = await passphrase()
  try {
    const key = SigningKey.fromSeed(openSecret(sealed, given, boundTo(sealed.keyId)))
    if (peerIdText(key.publicKey) === sealed.keyId) return key
  } catch {
    // A wrong passphrase and a changed file look the same.
  }
  throw new KeyFileError(`key file ${path}: the passphrase is wrong, or the file was changed`)
}

/** undefined: the file is no such key, and what is wrong with it `loadKey` says. */
function sealedKeyIn(path: string): SealedKey | undefined {
  try {
    const file: unknown = JSON.parse(readText(path, maxBytes))
    return isSealedKey(file) ? file : undefined
  } catch {
    return undefined
  }
}

const texts = ['keyId', 'salt', 'iv', 'tag', 'keys']

const isSealedKey = (file: unknown): file is SealedKey =>
  typeof file === 'object' &&
  file !== null &&
  Reflect.get(file, 'format') === format &&
  Reflect.get(file, 'version') === 1 &&
  texts.every((name) => typeof Reflect.get(file, name) === 'string') &&
  Buffer.from(String(Reflect.get(file, 'keys')), 'base64').length === keyBytes
