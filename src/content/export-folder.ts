import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../runtime/error-code.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import { ContentLimitError, UnfitNameError } from './errors.ts'
import { type ContentLimits, contentLimits } from './import-folder.ts'
import type { Link } from './link.ts'
import { checkNames, partPrefix } from './names.ts'
import { type Content, modes, type Part } from './node.ts'
import { OpenFolder } from './open-folder.ts'
import { fileChunks, folderParts } from './read-tree.ts'
import { removeOld } from './remove-old.ts'
import { settled } from './settled.ts'
import { type ReadBlock, readContent } from './walk.ts'
import { isWritten, linkTarget } from './written.ts'

interface Modes {
  readonly file: number
  readonly folder: number
  /** Mode of a file that its owner calls a program; undefined: as of the others. */
  readonly program?: number
}

export interface ExportInit {
  readonly root: Link
  readonly read: ReadBlock
  /** Folder in which the files appear. What others have put there under other names stays. */
  readonly target: string
  /** Way with symbolic links: an error, left out, or kept where they lead to something inside of the folder. */
  readonly symlinks: 'refuse' | 'skip' | 'keep'
  /** Modes of what is made, whatever the mask of the process is; 0644 and 0755 where nothing is said, and no file is a program. */
  readonly modes?: Modes
  readonly signal: AbortSignal
  readonly limits?: ContentLimits
  /** Versions that were written there before: what they have and this one has not goes, as long as it is as it was written. */
  readonly before?: readonly Link[]
}

export interface Exported {
  /** Files and links that were written; the others were there as they should be. */
  readonly written: number
  readonly files: number
}

/** Files that are written at once: most of the time goes into waiting for the disk. */
const filesAtOnce = 16

const usualModes: Modes = { file: 0o644, folder: 0o755 }

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/**
 * Writes the files of a store into a folder. Each appears whole or not at all, and what is there already is not written again, so an export
 * that was broken off goes on.
 * @throws UnfitNameError, ContentLimitError, BlockMissingError, InvalidBlockError, or the error of the system
 */
export async function exportFolder(init: ExportInit): Promise<Exported> {
  const { folder: mode } = init.modes ?? usualModes
  const isNew = !existsSync(init.target)
  if (isNew) makeFolder(init.target, mode)
  await using folder = await OpenFolder.open(init.target)
  if (isNew) await folder.chmod(mode)
  return await new FolderExport(init).run(folder)
}

class FolderExport {
  readonly #init: ExportInit
  readonly #limits: ContentLimits
  readonly #modes: Modes
  #files = 0
  #bytes = 0
  #written = 0

  constructor(init: ExportInit) {
    this.#init = init
    this.#limits = init.limits ?? contentLimits
    this.#modes = init.modes ?? usualModes
  }

  async run(folder: OpenFolder): Promise<Exported> {
    const { root: after, read, signal, before: all = [] } = this.#init
    for (const before of all) await removeOld(folder, { before, after }, { read, signal, limits: this.#limits })
    await this.#folder(folder, this.#init.root, 0)
    return { written: this.#written, files: this.#files }
  }

  async #folder(folder: OpenFolder, link: Link, depth: number): Promise<void> {
    if (depth > this.#limits.depth)
      throw new ContentLimitError(`${folder.path} lies deeper than ${this.#limits.depth} folders`)
    const most = this.#limits.files - this.#files
    const parts = await folderParts(this.#init.read, link, most)
    // Folders count, too, and all from here on: the entries of each folder above this one are in memory.
    this.#files += parts.length
    await checkNames(
      parts.map(({ name }) => name),
      folder.path
    )
    await removeUnfinished(folder)
    for (let at = 0; at < parts.length; at += filesAtOnce) {
      this.#init.signal.throwIfAborted()
      const some = parts.slice(at, at + filesAtOnce)
      const folders = await settled(some.map(async (part) => ((await this.#entry(folder, part, depth)) ? [part] : [])))
      for (const part of folders.flat()) await this.#child(folder, part, depth)
    }
    await folder.sync()
  }

  /** Writes a file or a link. Gives true when it is a folder, which is left for later. */
  async #entry(folder: OpenFolder, part: Part, depth: number): Promise<boolean> {
    const content = part.codec === 'raw' ? undefined : await readContent(this.#init.read, part.digest)
    if (content === undefined || content.type === 'file' || content.type === 'bytes')
      await this.#file(folder, part, content)
    else if (content.type === 'symlink') await this.#symlink(folder, part.name, content.target, depth)
    else return true
    return false
  }

  async #child(folder: OpenFolder, part: Part, depth: number): Promise<void> {
    await makeChild(folder, part.name, this.#modes.folder)
    await using child = await folder.child(part.name)
    await this.#folder(child, part, depth + 1)
  }

  async #file(folder: OpenFolder, part: Part, content: Content | undefined): Promise<void> {
    const { file: usual, program } = this.#modes
    const mode = content?.mode === modes.program ? (program ?? usual) : usual
    if (await isWritten(folder, { part, content }, this.#init.signal)) {
      if (program !== undefined && content?.mode !== undefined) await correctMode(folder, part.name, mode)
      return
    }
    await this.#whole(folder, part.name, async (path) => {
      await using file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
      await this.#fill(file, part)
      await file.chmod(mode)
      await file.sync()
    })
  }

  async #fill(file: FileHandle, part: Part): Promise<void> {
    for await (const chunk of fileChunks(this.#init.read, part)) {
      this.#init.signal.throwIfAborted()
      this.#bytes += chunk.length
      if (this.#bytes > this.#limits.bytes)
        throw new ContentLimitError(`the store has more than ${this.#limits.bytes} bytes`)
      await file.writeFile(chunk)
    }
  }

  async #symlink(folder: OpenFolder, name: string, target: Uint8Array, depth: number): Promise<void> {
    const { symlinks } = this.#init
    if (symlinks === 'skip') return
    const where = join(folder.path, name)
    if (symlinks === 'refuse')
      throw new UnfitNameError(`${where} is a symbolic link; set stores.symlinks to skip or keep`)
    const path = Buffer.from(target)
    if (!staysInside(path.toString(), depth))
      throw new UnfitNameError(`${where} is a symbolic link that leads out of the store; it is not made`)
    if ((await linkTarget(folder, name))?.equals(path) === true) return
    await this.#whole(folder, name, async (part) => await symlink(path, part))
  }

  /** Makes something under another name, and gives it its own when it is whole. */
  async #whole(folder: OpenFolder, name: string, make: (path: string) => Promise<void>): Promise<void> {
    const part = folder.at(partPrefix + randomBytes(8).toString('hex'))
    try {
      await make(part)
      await rename(part, folder.at(name))
    } catch (error) {
      await rm(part, { force: true })
      if (codeOf(error) === 'EISDIR')
        throw new UnfitNameError(`${join(folder.path, name)} is a folder, and the store has a file there; move it away`)
      throw error
    }
    this.#written++
  }
}

/** A file that is there is a program, or none, as its owner says; who may read it stays. */
async function correctMode(folder: OpenFolder, name: string, mode: number): Promise<void> {
  await using file = await folder.file(name)
  const there = (await file.stat()).mode
  if ((there & 0o100) !== (mode & 0o100)) await file.chmod(mode)
}

/** Steps up come first and are no more than the folders above: a step up behind the name of another link leads anywhere. */
function staysInside(target: string, depth: number): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0') || target.includes('\ufffd')) return false
  const steps = target.split('/')
  const up = steps.findIndex((step) => step !== '..')
  return (up === -1 ? steps.length : up) <= depth && !(up === -1 ? [] : steps.slice(up)).includes('..')
}

async function makeChild(folder: OpenFolder, name: string, mode: number): Promise<void> {
  try {
    await mkdir(folder.at(name), 0o700)
    await using made = await folder.child(name)
    await made.chmod(mode)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    if (!(await lstat(folder.at(name))).isDirectory())
      throw new UnfitNameError(`${join(folder.path, name)} is no folder, and the store has one there; move it away`)
  }
}

/** Parts that an export left that was killed. */
async function removeUnfinished(folder: OpenFolder): Promise<void> {
  for (const name of await readdir(folder.at('')))
    if (name.startsWith(partPrefix)) await rm(folder.at(name), { force: true })
}
