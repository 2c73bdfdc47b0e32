import { chmod, chown, lstat, mkdir, open, readFile, readlink, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InstallError } from '../errors.ts'
import type { Owner } from '../model/action.ts'
import { serviceUser } from '../model/layout.ts'

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

const absent = new Set(['ENOENT', 'ENOTDIR'])

const orAbsent = async <T>(reading: Promise<T>): Promise<T | undefined> => {
  try {
    return await reading
  } catch (error) {
    if (absent.has(codeOf(error) ?? '')) return undefined
    throw error
  }
}

export const textOf = (path: string): Promise<string | undefined> => orAbsent(readFile(path, 'utf8'))
export const targetOf = (path: string): Promise<string | undefined> => orAbsent(readlink(path))
export const kindOf = async (path: string): Promise<'file' | 'folder' | 'link' | 'other' | undefined> => {
  const found = await orAbsent(lstat(path))
  if (found === undefined) return undefined
  if (found.isSymbolicLink()) return 'link'
  return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other'
}
export const modeOf = async (path: string): Promise<number | undefined> => {
  const found = await orAbsent(lstat(path))
  return found === undefined ? undefined : found.mode & 0o7777
}

export interface Ids {
  readonly uid: number
  readonly gid: number
}

/** From the system's own table: the account was made here, so no directory service knows better. */
export const idsOf = async (owner: Owner): Promise<Ids> => {
  if (owner === 'root') return { uid: 0, gid: 0 }
  const line = (await textOf('/etc/passwd'))?.split('\n').find((one) => one.startsWith(`${serviceUser}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new InstallError(`The user ${serviceUser} is not in /etc/passwd.`)
  return { uid: Number(uid), gid: Number(gid) }
}

/** Where the next content of a path waits until it is whole: what a crash leaves there, the next write or the removal clears away. */
export const unfinished = (path: string): string => join(dirname(path), `.${basename(path)}.trustnet.tmp`)

/** Replaces a file in one step: a crash leaves the old or the new one. */
export const replaceFile = async (path: string, text: string, mode: number, { uid, gid }: Ids): Promise<void> => {
  const temporary = unfinished(path)
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.chmod(mode)
    await file.chown(uid, gid)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** A file or a link, and what a crash left of its next content. */
export const removeFile = async (path: string): Promise<void> => {
  await rm(unfinished(path), { force: true })
  await rm(path, { force: true })
}

/** The folders from here upwards that do not exist yet, outermost first. */
export const missingFolders = async (path: string): Promise<string[]> => {
  const missing: string[] = []
  for (let at = path; at !== dirname(at) && (await kindOf(at)) === undefined; at = dirname(at)) missing.unshift(at)
  return missing
}

export const makeFolder = async (path: string, mode: number, { uid, gid }: Ids): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o755 })
  await chmod(path, mode)
  await chown(path, uid, gid)
}

/** Only when it is empty: whatever somebody has put into it stays. true: it is gone. */
export const removeEmpty = async (path: string): Promise<boolean> => {
  try {
    await rmdir(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EBUSY') return false
    throw error
  }
}
