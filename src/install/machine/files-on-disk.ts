import { dirname } from 'node:path'
import { InstallError } from '../errors.ts'
import { type Ids, linkAt, statAt, textAt } from './open-safely.ts'
import { folderAt, ownFile, placeLink, removeAt, removeEmptyAt, writeAt } from './safe-files.ts'

export type { Ids } from './open-safely.ts'

export const textOf = async (path: string): Promise<string | undefined> =>
  (await kindOf(path)) === undefined ? undefined : textAt(path)
export const targetOf = async (path: string): Promise<string | undefined> => linkAt(path)
export const kindOf = async (path: string): Promise<'file' | 'folder' | 'link' | 'other' | undefined> => {
  const found = statAt(path)
  if (found === undefined) return undefined
  if (found.isSymbolicLink()) return 'link'
  return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other'
}
export const modeOf = async (path: string): Promise<number | undefined> => {
  const found = statAt(path)
  return found === undefined ? undefined : found.mode & 0o7777
}

/** Ids of a name in the system's own table: the account was made here, so no directory service knows better. */
export const idsOf = async (user: string): Promise<Ids> => {
  const ids = user === 'root' ? { uid: 0, gid: 0 } : await accountOf(user)
  if (ids === undefined) throw new InstallError(`The user ${user} is not in /etc/passwd.`)
  return ids
}

/** undefined: there is no such user. */
export const accountOf = async (user: string): Promise<Ids | undefined> => {
  const line = (await textOf('/etc/passwd'))?.split('\n').find((one) => one.startsWith(`${user}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** Replaces a file in one step: a crash leaves the old or the new one. */
export const replaceFile = async (path: string, text: string, mode: number, ids: Ids): Promise<void> =>
  writeAt(path, text, mode, ids)

export const setOwner = async (path: string, mode: number, ids: Ids): Promise<void> => ownFile(path, mode, ids)

/** A file or a link, and what a crash left of its next content. */
export const removeFile = async (path: string): Promise<void> => removeAt(path)

/** In one step: a service that starts meanwhile finds the old or the new target. */
export const replaceLink = async (path: string, target: string): Promise<void> => placeLink(path, target)

/** The folders from here upwards that do not exist yet, outermost first. */
export const missingFolders = async (path: string): Promise<string[]> => {
  const missing: string[] = []
  for (let at = path; at !== dirname(at) && (await kindOf(at)) === undefined; at = dirname(at)) missing.unshift(at)
  return missing
}

export const makeFolder = async (path: string, mode: number, ids: Ids): Promise<void> => folderAt(path, mode, ids)

/** Only when it is empty: whatever somebody has put into it stays. true: it is gone. */
export const removeEmpty = async (path: string): Promise<boolean> => removeEmptyAt(path)
