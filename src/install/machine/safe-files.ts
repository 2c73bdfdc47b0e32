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
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeFileSync
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { InstallError } from '../errors.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** As in the kernel (MAXSYMLINKS). */
const maxLinks = 40
/** Nothing of ours is a tenth as deep; each level holds a descriptor. */
const maxDepth = 64
const othersWrite = 0o022
const sticky = 0o1000

export interface Ids {
  readonly uid: number
  readonly gid: number
}

/** An open folder and the path that led to it. What is done by its number happens there, whatever its path leads to meanwhile. */
export interface Folder {
  readonly fd: number
  readonly path: string
}

/** A name inside an open folder, for calls that take a path: Node has no openat(2). */
const inside = ({ fd }: Folder, name: string): string => `/proc/self/fd/${fd}/${name}`

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Tells whether only root can put another entry, or a link, in the place of one of this folder. */
const isRoots = ({ uid, mode }: Stats): boolean => uid === 0 && ((mode & othersWrite) === 0 || (mode & sticky) !== 0)

const openStep = (at: Folder, name: string, path: string): Folder => {
  try {
    return { fd: openSync(inside(at, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path }
  } catch (error) {
    if (codeOf(error) !== 'ELOOP' && codeOf(error) !== 'ENOTDIR') throw error
    throw new InstallError(
      `${path} is no folder, or a link that somebody else than root made: root does not follow it. Look at it and remove it (ls -ld ${path}), then run this again.`,
      { cause: error }
    )
  }
}

/** Target of a link; undefined: it is none, or one that root must not follow. */
const trustedTarget = (at: Folder, name: string): string | undefined => {
  const found = lstatSync(inside(at, name), { throwIfNoEntry: false })
  if (found?.isSymbolicLink() !== true || found.uid !== 0 || !isRoots(fstatSync(at.fd))) return undefined
  return readlinkSync(inside(at, name))
}

/**
 * Opens a folder step by step. A link is followed only when it is root's and lies in a folder of root; the result can then be led
 * astray by nobody else. The caller closes it. @throws InstallError for another link; ENOENT
 */
export const openFolder = (path: string): Folder => {
  let at: Folder = { fd: openSync('/', O_RDONLY | O_DIRECTORY), path: '/' }
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  let links = 0
  try {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const target = trustedTarget(at, name)
      if (target !== undefined && ++links > maxLinks) throw new InstallError(`${path} leads in a circle of links.`)
      const isAbsolute = target?.startsWith('/') === true
      const next =
        target === undefined
          ? openStep(at, name, at.path === '/' ? `/${name}` : `${at.path}/${name}`)
          : isAbsolute
            ? { fd: openSync('/', O_RDONLY | O_DIRECTORY), path: '/' }
            : undefined
      if (target !== undefined) names.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'))
      if (next === undefined) continue
      closeSync(at.fd)
      at = next
    }
    return at
  } catch (error) {
    closeSync(at.fd)
    throw error
  }
}

/** Runs with an open folder. undefined: there is none. @throws InstallError, as the work */
export const inFolder = <T>(path: string, work: (folder: Folder) => T): T | undefined => {
  let folder: Folder
  try {
    folder = openFolder(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    return work(folder)
  } finally {
    closeSync(folder.fd)
  }
}

/** Stats of the entry itself, links not followed. undefined: there is none. */
export const statAt = (path: string): Stats | undefined =>
  inFolder(dirname(path), (folder) => lstatSync(inside(folder, basename(path)), { throwIfNoEntry: false }))

export const linkAt = (path: string): string | undefined =>
  statAt(path)?.isSymbolicLink() === true
    ? inFolder(dirname(path), (folder) => readlinkSync(inside(folder, basename(path))))
    : undefined

const refuse = (path: string, why: string, cause?: unknown): never => {
  throw new InstallError(`${path} is ${why}: it is not read. Look at it (ls -l ${path}) and remove it.`, { cause })
}

/**
 * Opens a file for reading: no link, pipe or device. One with a second name that lies where others write may be anybody's, and is
 * refused. undefined: there is none. The caller closes it. @throws InstallError
 */
export const openFile = (path: string): number | undefined =>
  inFolder(dirname(path), (folder) => {
    let fd: number
    try {
      // Without O_NONBLOCK a pipe would hold the command for ever.
      fd = openSync(inside(folder, basename(path)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      if (codeOf(error) === 'ELOOP' || codeOf(error) === 'ENXIO') return refuse(path, 'a link or a socket', error)
      throw error
    }
    const found = fstatSync(fd)
    const isForeign = found.nlink > 1 && found.uid !== fstatSync(folder.fd).uid
    if (found.isFile() && !isForeign) return fd
    closeSync(fd)
    return refuse(path, found.isFile() ? 'a second name of a file of somebody else' : 'no file')
  })

/** @throws InstallError for what is no file, or larger than `most` bytes */
export const textAt = (path: string, most = 4 * 1024 * 1024): string | undefined => {
  const fd = openFile(path)
  if (fd === undefined) return undefined
  try {
    const bytes = Buffer.alloc(most + 1)
    let length = 0
    for (let read = -1; read !== 0 && length <= most; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null)
    if (length > most) throw new InstallError(`${path} is larger than ${most} bytes: it is not read.`)
    return bytes.toString('utf8', 0, length)
  } finally {
    closeSync(fd)
  }
}

/** Name under which the next content of a path waits until it is whole: what a crash leaves there, the next write or the removal clears away. */
const unfinished = (name: string): string => `.${name}.trustnet.tmp`

const removeName = (folder: Folder, name: string): void => {
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

const secondName = (path: string): string =>
  `${path} is a second name of a file that may lie anywhere (hard link): nobody is given it. Look at it and remove it, then run this again.`

/** A file or a link, and what a crash left of its next content. */
export const removeAt = (path: string): void => {
  inFolder(dirname(path), (folder) => {
    for (const name of [unfinished(basename(path)), basename(path)]) removeName(folder, name)
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
    if (['ENOTEMPTY', 'EBUSY', 'ENOTDIR', 'EEXIST'].includes(codeOf(error))) return false
    throw error
  }
}

/** Each entry of a tree, folders after what is in them. Folders are entered by their number: nobody can lead the walk elsewhere. */
const walk = (folder: Folder, visit: (at: Folder, name: string, entry: Stats) => void, depth = 1): void => {
  if (depth > maxDepth) {
    throw new InstallError(
      `${folder.path} lies more than ${maxDepth} folders deep: no node makes that. Look at it and remove it, then run this again.`
    )
  }
  for (const name of readdirSync(inside(folder, '.'))) {
    const entry = lstatSync(inside(folder, name), { throwIfNoEntry: false })
    if (entry === undefined) continue
    if (entry.isDirectory()) {
      const below = openStep(folder, name, `${folder.path}/${name}`)
      try {
        walk(below, visit, depth + 1)
      } finally {
        closeSync(below.fd)
      }
    }
    visit(folder, name, entry)
  }
}

/** Removes a folder with all that is in it, and nothing that a link in it leads to. */
export const removeTree = (path: string): void => {
  inFolder(path, (top) =>
    walk(top, (at, name, entry) => {
      if (entry.isDirectory()) rmdirSync(inside(at, name))
      else removeName(at, name)
    })
  )
  removeEmptyAt(path)
}

/**
 * Gives a folder and all that is in it to another owner. While it lasts the folder is closed to everybody but root. Links, and what is
 * no file or folder, stay whose they are. @throws InstallError for a file that has a second name, which may lie anywhere
 */
export const ownTree = (path: string, ids: Ids): void => {
  inFolder(path, (top) => {
    fchmodSync(top.fd, 0o700)
    fchownSync(top.fd, 0, 0)
    walk(top, (at, name, entry) => {
      if (!entry.isDirectory() && !entry.isFile()) return
      const fd = openSync(inside(at, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      try {
        const found = fstatSync(fd)
        if (found.isFile() && found.nlink > 1) throw new InstallError(secondName(`${at.path}/${name}`))
        if (found.isFile() || found.isDirectory()) fchownSync(fd, ids.uid, ids.gid)
      } finally {
        closeSync(fd)
      }
    })
    fchownSync(top.fd, ids.uid, ids.gid)
  })
}
