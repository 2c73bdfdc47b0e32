import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UnfitFileError } from '../../runtime/errors.ts'
import { openRegular, readSmall } from '../../runtime/files/read-file.ts'
import { OperatorError } from '../errors.ts'
import { programFolder } from '../model/layout.ts'
import { verifyMinisign } from './minisign.ts'

/** A line for each file of a release. */
const maxSumsBytes = 64 * 1024
const releaseName = /^trustnet-(\d+\.\d+\.\d+)-linux-(x64|arm64)\.tar\.gz$/

/** Beside the program: the key that the next releases are signed with. */
export const keyName = 'release.pub'
/** Key of the installed program, which the operator trusts already. */
export const installedKey = join(programFolder, 'current/lib/node_modules/trustnet', keyName)

export interface ReleaseTrust {
  /** A public key in place of the installed program's. */
  readonly key?: string | undefined
  /** Nobody has signed it, and the operator says so. */
  readonly unsigned?: boolean | undefined
}

export interface ReleaseFile {
  readonly file: string
  readonly version: string
  readonly sha256: string
  /** Comment that was signed beside the sums; null: nothing was. */
  readonly comment: string | null
}

const small = (path: string, what: string): Buffer => {
  try {
    return readSmall(path, maxSumsBytes)
  } catch (error) {
    if (error instanceof UnfitFileError) throw error
    throw new OperatorError(`${path} cannot be read: ${what}.`, { cause: error })
  }
}

/** Checks a release against the signed list beside it. Nothing of the release itself is read. @throws OperatorError */
export const checkRelease = async (
  file: string,
  { key = installedKey, unsigned }: ReleaseTrust
): Promise<ReleaseFile> => {
  const name = basename(file)
  const [, version] = releaseName.exec(name) ?? []
  if (version === undefined)
    throw new OperatorError(`${name} is no release: it is called trustnet-VERSION-linux-ARCH.tar.gz.`)
  const list = join(dirname(file), 'SHA256SUMS')
  const sums = small(list, 'put the one that came with the release beside it')
  const comment = unsigned === true ? null : await signer(list, sums, key)
  const line = sums
    .toString('utf8')
    .split('\n')
    .find((one) => one.slice(66) === name)
  const sha256 = line?.slice(0, 64) ?? ''
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new OperatorError(`${list} says nothing about ${name}.`)
  return { file, version, sha256, comment }
}

const signer = async (list: string, sums: Buffer, key: string): Promise<string> => {
  const signature = small(`${list}.minisig`, 'it comes with the release; --unsigned goes on without')
  const publicKey = small(key, 'the installed program brings no key: name one with --key FILE, or say --unsigned')
  try {
    return verifyMinisign(publicKey.toString('utf8'), signature.toString('utf8'), sums)
  } catch (error) {
    if (error instanceof OperatorError)
      error.message = `${list}, by the key ${key}: ${error.message} Nothing was changed.`
    throw error
  }
}

/** Copies a release while its digest is taken: what was checked is what is unpacked. @throws OperatorError */
export const copyChecked = async ({ file, sha256 }: ReleaseFile, to: string, signal: AbortSignal): Promise<void> => {
  const hash = createHash('sha256')
  const through = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      done(null, chunk)
    }
  })
  await pipeline(
    createReadStream(file, { fd: openRegular(file) }),
    through,
    createWriteStream(to, { flags: 'wx', mode: 0o600 }),
    { signal }
  )
  if (hash.digest('hex') !== sha256)
    throw new OperatorError(
      `${file} is not the file that SHA256SUMS names: it was changed, or broken off. Nothing was changed here.`
    )
}

/** Compares versions x.y.z; a release has no other. */
export const isOlder = (version: string, than: string): boolean => {
  const [one, other] = [version, than].map((text) => text.split('.').map(Number))
  const at = one?.findIndex((part, index) => part !== other?.[index]) ?? -1
  return at >= 0 && (one?.[at] ?? 0) < (other?.[at] ?? 0)
}
