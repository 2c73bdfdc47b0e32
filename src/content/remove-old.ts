import { rm, rmdir } from 'node:fs/promises'
import { equals } from 'uint8arrays/equals'
import { codeOf } from '../runtime/error-code.ts'
import { BlockMissingError, ContentLimitError, InvalidBlockError } from './errors.ts'
import type { ContentLimits } from './import-folder.ts'
import type { Link } from './link.ts'
import { unfitness } from './names.ts'
import type { Content, Part } from './node.ts'
import type { OpenFolder } from './open-folder.ts'
import { folderParts } from './read-tree.ts'
import { type ReadBlock, readContent } from './walk.ts'
import { isWritten, linkTarget } from './written.ts'

interface RemoveOldInit {
  readonly read: ReadBlock
  readonly limits: ContentLimits
  readonly signal: AbortSignal
}

/** A version that is not here any more, or was none that could be written. */
const unreadable = [BlockMissingError, InvalidBlockError, ContentLimitError]

/**
 * Removes from a folder what one version put there and another one has not: files and links that are as they were written, and folders that
 * are empty then. What somebody has changed or added stays, and all of it where the version cannot be read here any more.
 */
export async function removeOld(
  folder: OpenFolder,
  { before, after }: { before: Link; after: Link },
  init: RemoveOldInit
): Promise<void> {
  try {
    await new Removal(init).from(folder, before, after, 0)
  } catch (error) {
    if (!unreadable.some((each) => error instanceof each)) throw error
  }
}

class Removal {
  readonly #init: RemoveOldInit
  /** Entries that may be listed yet: those of all folders above are in memory. */
  #left: number

  constructor(init: RemoveOldInit) {
    this.#init = init
    this.#left = 2 * init.limits.files
  }

  async from(folder: OpenFolder, before: Link, after: Link | undefined, depth: number): Promise<void> {
    const { limits, signal } = this.#init
    const isSame = after !== undefined && equals(before.digest, after.digest)
    if (isSame || depth > limits.depth) return
    const next = new Map((await this.#parts(after)).map((part) => [part.name, part]))
    for (const part of await this.#parts(before)) {
      signal.throwIfAborted()
      if (unfitness(part.name) === undefined) await this.#part(folder, part, next.get(part.name), depth)
    }
  }

  async #parts(link: Link | undefined): Promise<Part[]> {
    const parts = link === undefined ? [] : await folderParts(this.#init.read, link, this.#left)
    this.#left -= parts.length
    return parts
  }

  async #part(folder: OpenFolder, part: Part, next: Part | undefined, depth: number): Promise<void> {
    const content = await this.#content(part)
    const nextFolder = next !== undefined && isFolder(await this.#content(next)) ? next : undefined
    if (isFolder(content)) await this.#folder(folder, part, nextFolder, depth)
    else if ((next === undefined || nextFolder !== undefined) && (await this.#isThere(folder, part, content)))
      await rm(folder.at(part.name), { force: true })
  }

  /** undefined: a file of one block. */
  async #content(part: Part): Promise<Content | undefined> {
    return part.codec === 'raw' ? undefined : await readContent(this.#init.read, part.digest)
  }

  async #isThere(folder: OpenFolder, part: Part, content: Content | undefined): Promise<boolean> {
    if (content?.type !== 'symlink') return await isWritten(folder, { part, content }, this.#init.signal)
    return (await linkTarget(folder, part.name))?.equals(content.target) === true
  }

  async #folder(folder: OpenFolder, part: Part, next: Part | undefined, depth: number): Promise<void> {
    try {
      await using child = await folder.child(part.name)
      await this.from(child, part, next, depth + 1)
      if (next === undefined) await rmdir(folder.at(part.name))
    } catch (error) {
      // Something else is there by now, or more than was written.
      const others = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENOTEMPTY']
      if (!others.includes(codeOf(error) ?? '')) throw error
    }
  }
}

const isFolder = (content: Content | undefined): boolean => content?.type === 'folder' || content?.type === 'shard'
