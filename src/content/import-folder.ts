import type { BigIntStats } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../runtime/error-code.ts'
import { ContentLimitError, FolderChangedError, UnfitNameError } from './errors.ts'
import { type ImportSettings, partOf, standardSettings } from './file-tree.ts'
import { folderTree } from './folder-tree.ts'
import { importFile } from './import-file.ts'
import type { Link } from './link.ts'
import { checkNames } from './names.ts'
import { type MadeBlock, modes, nodeBlock, type Part } from './node.ts'
import { OpenFolder } from './open-folder.ts'
import { settled } from './settled.ts'

/** Limits of one store. */
export interface ContentLimits {
  /** Files and folders. */
  readonly files: number
  readonly bytes: number
  /** Folders inside of each other. */
  readonly depth: number
}

/** A store with more is a task of its own: each of its names is in memory while its folder is read. */
export const contentLimits: ContentLimits = { files: 1_000_000, bytes: 2 ** 40, depth: 64 }

export interface ImportInit {
  readonly folder: string
  /** Stores a block; the same one may come several times. */
  readonly put: (block: MadeBlock) => Promise<void>
  /** Way with symbolic links: an error, left out, or kept as links. */
  readonly symlinks: 'refuse' | 'skip' | 'keep'
  /** Tells whether the CIDs say which files are programs; they do not where nothing is said. */
  readonly modes?: 'ignore' | 'keep'
  readonly signal: AbortSignal
  readonly limits?: ContentLimits
  readonly settings?: ImportSettings
}

export interface Imported {
  readonly root: Link
  readonly files: number
  /** Bytes of all files. */
  readonly size: number
}

/** Files that are read at once: most of the time goes into waiting for the disk. */
const filesAtOnce = 16
/** Times that a folder or file is read again because it changed meanwhile, in one import. */
const maxRereads = 16

/** Makes the blocks of a folder. @throws UnfitNameError, FolderChangedError, ContentLimitError, or the error of the system */
export async function importFolder(init: ImportInit): Promise<Imported> {
  await using folder = await OpenFolder.open(init.folder)
  return await new FolderImport(init).run(folder)
}

class FolderImport {
  readonly #init: ImportInit
  readonly #limits: ContentLimits
  readonly #settings: ImportSettings
  /** Names that were read, of files and folders. */
  #names = 0
  #files = 0
  #size = 0
  #rereads = 0

  constructor(init: ImportInit) {
    this.#init = init
    this.#limits = init.limits ?? contentLimits
    this.#settings = init.settings ?? standardSettings
  }

  async run(folder: OpenFolder): Promise<Imported> {
    const { codec, digest } = await this.#folder(folder, 0)
    return { root: { codec, digest }, files: this.#files, size: this.#size }
  }

  /** Reads a folder until it was the same before and after. */
  async #folder(folder: OpenFolder, depth: number): Promise<MadeBlock> {
    if (depth > this.#limits.depth)
      throw new ContentLimitError(`${folder.path} lies deeper than ${this.#limits.depth} folders`)
    for (;;) {
      const before = { names: this.#names, files: this.#files, size: this.#size, changedNs: await folder.changedNs() }
      const parts = await this.#entries(folder, depth)
      if (parts !== undefined && (await folder.changedNs()) === before.changedNs)
        return await folderTree(parts, this.#settings.isLarge(parts), this.#init.put, this.#modeOf('folder'))
      this.#names = before.names
      this.#files = before.files
      this.#size = before.size
      this.#changed(folder.path)
    }
  }

  #modeOf(kind: keyof typeof modes): number | undefined {
    return this.#init.modes === 'keep' ? modes[kind] : undefined
  }

  #changed(path: string): void {
    if (++this.#rereads > maxRereads)
      throw new FolderChangedError(`${path} changes while it is read; try again when nothing writes to it`)
  }

  /** undefined: one of them vanished. */
  async #entries(folder: OpenFolder, depth: number): Promise<Part[] | undefined> {
    const names = (await readdir(folder.at(''), { encoding: 'buffer' })).map((name) => textOf(name, folder.path))
    this.#names += names.length
    if (this.#names > this.#limits.files)
      throw new ContentLimitError(
        `${folder.path}: a store has at most ${this.#limits.files} files and folders; share less of it`
      )
    await checkNames(names, folder.path)
    try {
      const parts: Part[] = []
      for (let at = 0; at < names.length; at += filesAtOnce) {
        this.#init.signal.throwIfAborted()
        const found = await settled(names.slice(at, at + filesAtOnce).map((name) => this.#entry(folder, name)))
        const folders = found.flatMap((each) => (typeof each === 'string' ? [each] : []))
        parts.push(...found.flatMap((each) => (typeof each === 'string' ? [] : each)))
        for (const name of folders) parts.push(await this.#child(folder, name, depth))
      }
      return parts
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP' || codeOf(error) === 'ENOTDIR') return undefined
      throw error
    }
  }

  /** Reads a file or a link: none of it where it is left out. Gives the name of a folder, which is left for later. */
  async #entry(folder: OpenFolder, name: string): Promise<Part[] | string> {
    const found = await lstat(folder.at(name))
    if (found.isDirectory()) return name
    if (!found.isSymbolicLink() && !found.isFile())
      throw new UnfitNameError(`${join(folder.path, name)} is neither file nor folder; move it away`)
    const part = found.isFile() ? await this.#file(folder, name) : await this.#symlink(folder, name)
    return part === undefined ? [] : [{ ...part, name }]
  }

  async #child(folder: OpenFolder, name: string, depth: number): Promise<Part> {
    await using child = await folder.child(name)
    return partOf(await this.#folder(child, depth + 1), name)
  }

  async #symlink(folder: OpenFolder, name: string): Promise<Part | undefined> {
    const { symlinks, put } = this.#init
    if (symlinks === 'refuse')
      throw new UnfitNameError(
        `${join(folder.path, name)} is a symbolic link; remove it, or set stores.symlinks to skip or keep`
      )
    if (symlinks === 'skip') return undefined
    const block = nodeBlock({ type: 'symlink', target: await readlink(folder.at(name), { encoding: 'buffer' }) })
    this.#count(0, folder.path)
    await put(block)
    return partOf(block)
  }

  async #file(folder: OpenFolder, name: string): Promise<Part> {
    const { signal, put } = this.#init
    const onRead = (size: number): void => this.#check(size, folder.path)
    for (;;) {
      await using handle = await folder.file(name)
      const before = await handle.stat({ bigint: true })
      if (!before.isFile()) throw new FolderChangedError(`${join(folder.path, name)} is no file any more`)
      const expected = Number(before.size)
      onRead(expected)
      const mode = this.#modeOf(isProgram(before) ? 'program' : 'file')
      const { part, size } = await importFile(handle, { signal, expected, put, settings: this.#settings, mode, onRead })
      if (isSame(before, await handle.stat({ bigint: true })) && BigInt(size) === before.size) {
        this.#count(size, folder.path)
        return part
      }
      this.#changed(join(folder.path, name))
    }
  }

  #check(more: number, where: string): void {
    if (this.#size + more > this.#limits.bytes)
      throw new ContentLimitError(`${where}: a store has at most ${this.#limits.bytes} bytes; share less of it`)
  }

  #count(size: number, where: string): void {
    this.#check(size, where)
    this.#size += size
    this.#files++
  }
}

const isSame = (a: BigIntStats, b: BigIntStats): boolean =>
  a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs

const isProgram = ({ mode }: BigIntStats): boolean => (mode & 0o100n) !== 0n

/** @throws UnfitNameError for bytes that are no UTF-8 */
function textOf(name: Buffer, folder: string): string {
  const text = name.toString('utf8')
  if (Buffer.from(text).equals(name)) return text
  throw new UnfitNameError(`${JSON.stringify(text)} in ${folder} cannot be shared: its name is no UTF-8; rename it`)
}
