import { accessSync, constants, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { codeOf } from '../../runtime/error-code.ts'
import { text } from '../config/fields.ts'

/** Permission to write that others have. */
const writtenByOthers = 0o022
/** Everybody may make files in such a folder, and only their owners take them away. */
const sticky = 0o1000

/**
 * The reason why a program must not be run for events; undefined: it may. Whoever may write it, or put another one in its place, would act as
 * this process: it, the links that lead to it and all their folders belong to root or to this user, and nobody else may write them. Root reads a
 * configuration for another user, too, and asks no owner then.
 */
export function hookRefusal(path: string, { anyOwner = false } = {}): string | undefined {
  if (!isAbsolute(path))
    return `'${path}' is no absolute path of a program; it is run without a shell and without arguments`
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return `${path} is no file`
    // A shell takes it for a program that does nothing, and ends well.
    if (stat.size === 0) return `${path} is empty: nothing would be run for events`
    const refusal = [...placesOf(path)]
      .map(([place, found]) => rightsRefusal(place, found, anyOwner))
      .find((why) => why !== undefined)
    if (refusal !== undefined) return refusal
    accessSync(path, constants.X_OK)
  } catch (error) {
    const code = codeOf(error)
    return code === 'EACCES' ? `${path} may not be run: chmod +x ${path}` : `${path} cannot be read (${code})`
  }
  return undefined
}

/** All that decides what a path leads to, the outermost folder first: each folder, link and file on its way, and on the way of each link. */
const placesOf = (path: string, found = new Map<string, Stats>()): Map<string, Stats> => {
  if (found.has(path)) return found
  const folder = dirname(path)
  if (folder !== path) placesOf(folder, found)
  const stat = lstatSync(path)
  found.set(path, stat)
  return stat.isSymbolicLink() ? placesOf(resolve(realpathSync(folder), readlinkSync(path)), found) : found
}

const rightsRefusal = (path: string, stat: Stats, anyOwner: boolean): string | undefined => {
  const { uid, mode } = stat
  const own = process.geteuid?.() ?? uid
  if (!anyOwner && uid !== 0 && uid !== own)
    return `${path} belongs to user ${uid}: it must be root's, or this user's (${own})`
  if (stat.isSymbolicLink()) return undefined
  if ((mode & writtenByOthers) !== 0 && !(stat.isDirectory() && (mode & sticky) !== 0))
    return `${path} may be written by others: chmod go-w ${path}`
  return undefined
}

export const hookProgram = () => text((path) => hookRefusal(path, { anyOwner: process.geteuid?.() === 0 }))
