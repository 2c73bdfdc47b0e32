import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs'
import { basename, dirname } from 'node:path'
import { codeOf } from '../../runtime/error-code.ts'
import { InstallError } from '../errors.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** As in the kernel (MAXSYMLINKS). */
const maxLinks = 40
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
export const inside = ({ fd }: Folder, name: string): string => `/proc/self/fd/${fd}/${name}`

/** Tells whether only root can put another entry, or a link, in the place of one of this folder. */
const isRoots = ({ uid, mode }: Stats): boolean => uid === 0 && ((mode & othersWrite) === 0 || (mode & sticky) !== 0)

/** Opens a folder inside another one, no link. @throws InstallError */
export const openStep = (at: Folder, name: string, path: string): Folder => {
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
