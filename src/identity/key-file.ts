import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { KeyFileError } from '../runtime/errors.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import { keyBytes } from './ed25519.ts'
import { SigningKey } from './keys.ts'

/** libp2p PrivateKey protobuf of an Ed25519 key. */
const fileBytes = 68
const fileMode = 0o600
const folderMode = 0o700

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'

/**
 * @throws KeyFileError saying which file, why it is refused and what to do: missing, unreadable, readable by others, of
 * another owner, or no Ed25519 key
 */
export function loadKey(path: string): SigningKey {
  let file: number
  try {
    // A pipe in its place would hold this process for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT'
    const why = isMissing ? 'does not exist: check the path, or restore it' : `cannot be opened (${codeOf(error)})`
    throw new KeyFileError(`key file ${path} ${why}`, { cause: error })
  }
  try {
    checkAccess(path, file)
    return decode(path, readUpTo(file, fileBytes + 1))
  } finally {
    closeSync(file)
  }
}

function checkAccess(path: string, file: number): void {
  const { mode, uid, isFile } = statOf(file)
  if (!isFile) throw new KeyFileError(`key file ${path} is no file: give the path of a file`)
  const owner = process.geteuid?.() ?? uid
  if (uid !== owner) {
    throw new KeyFileError(`key file ${path} belongs to user ${uid}, not ${owner}: run as that user, or chown the file`)
  }
  const access = mode & 0o777
  if ((access & ~fileMode) !== 0) {
    throw new KeyFileError(
      `key file ${path} has mode 0${access.toString(8)}, others may have read it: make a new key, or chmod 600 ${path} if nobody has`
    )
  }
}

function statOf(file: number): { mode: number; uid: number; isFile: boolean } {
  const stat = fstatSync(file)
  return { mode: stat.mode, uid: stat.uid, isFile: stat.isFile() }
}

function readUpTo(file: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  return bytes.subarray(0, readSync(file, bytes, 0, length, 0))
}

function decode(path: string, bytes: Uint8Array): SigningKey {
  try {
    const key = privateKeyFromProtobuf(bytes)
    if (key.type === 'Ed25519' && bytes.length === fileBytes) {
      const signingKey = SigningKey.fromSeed(key.raw.subarray(0, keyBytes))
      if (Buffer.compare(signingKey.publicKey, key.publicKey.raw) === 0) return signingKey
    }
  } catch (error) {
    throw wrongContent(path, error)
  }
  throw wrongContent(path, undefined)
}

const wrongContent = (path: string, cause: unknown): KeyFileError =>
  new KeyFileError(
    `key file ${path} holds no Ed25519 key of libp2p, which has ${fileBytes} bytes: restore it from a backup`,
    {
      cause
    }
  )

/**
 * Makes a key and writes it, mode 0600. The file appears whole or not at all, and never in the place of another.
 * @throws KeyFileError when the file exists or cannot be written
 */
export function createKey(path: string): SigningKey {
  const key = SigningKey.generate()
  makeFolderOf(path)
  try {
    writeExclusively(path, privateKeyToProtobuf(key.toLibp2p()))
  } catch (error) {
    const isThere = codeOf(error) === 'EEXIST'
    const why = isThere
      ? 'exists already: it is never overwritten'
      : `cannot be written (${codeOf(error)}): check the folder's permissions and free space`
    throw new KeyFileError(`key file ${path} ${why}`, { cause: error })
  }
  return key
}

function makeFolderOf(path: string): void {
  try {
    makeFolder(dirname(path), folderMode)
  } catch (error) {
    const why = `its folder cannot be made (${codeOf(error)}): make it, or choose another path`
    throw new KeyFileError(`key file ${path} cannot be written: ${why}`, {
      cause: error
    })
  }
}

/** A link fails when its target exists, so of two processes one wins and the other reads a whole file. */
function writeExclusively(path: string, bytes: Uint8Array): void {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = openSync(unfinished, 'wx', fileMode)
  try {
    try {
      fchmodSync(file, fileMode)
      writeSync(file, bytes)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    linkSync(unfinished, path)
  } finally {
    unlinkSync(unfinished)
  }
  syncFolder(path)
}

function syncFolder(path: string): void {
  const folder = openSync(join(dirname(path), '.'), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** The key of the file, made at the first start. @throws KeyFileError */
export function loadOrCreateKey(path: string): SigningKey {
  try {
    return loadKey(path)
  } catch (error) {
    if (!(error instanceof KeyFileError) || codeOf(error.cause) !== 'ENOENT') throw error
  }
  try {
    return createKey(path)
  } catch (error) {
    if (!(error instanceof KeyFileError) || codeOf(error.cause) !== 'EEXIST') throw error
  }
  return loadKey(path)
}
