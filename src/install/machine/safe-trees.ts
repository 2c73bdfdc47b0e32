import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats
} from 'node:fs'
import { InstallError } from '../errors.ts'
import { type Folder, type Ids, inFolder, inside, openStep } from './open-safely.ts'
import { removeEmptyAt, removeName, secondName } from './safe-files.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** Nothing of ours is a tenth as deep; each level holds a descriptor. */
const maxDepth = 64

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
