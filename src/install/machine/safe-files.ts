import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { codeOf } from '../../runtime/error-code.ts'
import { InstallError } from '../errors.ts'
import { type Folder, type Ids, inFolder, inside, openFile, openFolder } from './open-safely.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** Name under which the next content of a path waits until it is whole: what a crash leaves there, the next write or the removal clears away. */
const unfinished = (name: string): string => `.${name}.trustnet.tmp`

/** Removes a name from a folder; one that is not there is no failure. */
export const removeName = (folder: Folder, name: string): void => {
  try {
    unlinkSync(inside(folder, name))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Replaces a file in one step: a crash leaves the old or the new one. A link in its place is replaced, never followed. */
export const writeAt = (path: string, text: string, mode: number, { uid, gid }: Ids): void => {
  const folder = openFolder(dirname(path))
  try {
    const name = unfinished(basename(path))
    removeName(folder, name)
    const fd = openSync(inside(folder, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    try {
      writeFileSync(fd, text)
      fchownSync(fd, uid, gid)
      fchmodSync(fd, mode)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(inside(folder, name), inside(folder, basename(path)))
  } finally {
    closeSync(folder.fd)
  }
}

/** Puts a link in the place of whatever file or link is there, in one step. */
export const placeLink = (path: string, target: string): void => {
  const folder = openFolder(dirname(path))
  try {
    const name = unfinished(basename(path))
    removeName(folder, name)
    symlinkSync(target, inside(folder, name))
    renameSync(inside(folder, name), inside(folder, basename(path)))
  } finally {
    closeSync(folder.fd)
  }
}

/** Owner and mode of a file that stays as it is. @throws InstallError when it is no file, or has a second name */
export const ownFile = (path: string, mode: number, { uid, gid }: Ids): void => {
  const fd = openFile(path)
  if (fd === undefined) return
  try {
    if (fstatSync(fd).nlink > 1) throw new InstallError(secondName(path))
    fchownSync(fd, uid, gid)
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

/** The error's text for a file with a second name. */
export const secondName = (path: string): string =>
  `${path} is a second name of a file that may lie anywhere (hard link): nobody is given it. Look at it and remove it, then run this again.`

/**
 * A file or a link, and what a crash left of its next content, whoever wrote it: this installer, or a command that saved a configuration.
 * A folder in their place stays, so that whoever put it there stops no uninstall.
 */
export const removeAt = (path: string): void => {
  const name = basename(path)
  inFolder(dirname(path), (folder) => {
    const entries = readdirSync(inside(folder, '.'), { withFileTypes: true })
    const folders = new Set(entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name))
    const left = entries
      .map((entry) => entry.name)
      .filter((one) => one.startsWith(`.${name}.`) && /^(?:trustnet|[\d.]+)\.tmp$/.test(one.slice(name.length + 2)))
    for (const one of [...left, name]) if (!folders.has(one)) removeName(folder, one)
  })
}

/** Makes what is missing, as root's; the last gets mode and owner, also when it was there. @throws InstallError for a link */
export const folderAt = (path: string, mode: number, ids: Ids): void => {
  if (inFolder(dirname(path), () => true) === undefined) folderAt(dirname(path), 0o755, { uid: 0, gid: 0 })
  const parent = openFolder(dirname(path))
  try {
    const name = basename(path)
    if (lstatSync(inside(parent, name), { throwIfNoEntry: false }) === undefined) mkdirSync(inside(parent, name), 0o700)
  } finally {
    closeSync(parent.fd)
  }
  const folder = openFolder(path)
  try {
    fchownSync(folder.fd, ids.uid, ids.gid)
    fchmodSync(folder.fd, mode)
  } finally {
    closeSync(folder.fd)
  }
}

/** Only when it is empty: whatever somebody has put into it stays. true: it is gone. */
export const removeEmptyAt = (path: string): boolean => {
  try {
    inFolder(dirname(path), (folder) => rmdirSync(inside(folder, basename(path))))
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    if (['ENOTEMPTY', 'EBUSY', 'ENOTDIR', 'EEXIST'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}
