import { type MadeBlock, nodeBlock, type Part } from './node.ts'

/** A block and the bytes of the file that it holds. */
interface FilePart extends Part {
  readonly size: number
}

/** Settings with which content gets its CIDs. Other settings give other CIDs for the same content. */
export interface ImportSettings {
  /** Bytes of a file in one block. */
  readonly chunkBytes: number
  /** Most parts of a file in one node. */
  readonly fileLinks: number
  /** Tells by its entries whether a folder is spread over several blocks. */
  isLarge(parts: readonly Part[]): boolean
}

const linkBytes = 36
const largeFolderBytes = 262_144

/** Those of `ipfs add --cid-version 1`. */
export const standardSettings: ImportSettings = {
  chunkBytes: 262_144,
  fileLinks: 174,
  isLarge: (parts) => parts.reduce((sum, { name }) => sum + Buffer.byteLength(name) + linkBytes, 0) > largeFolderBytes
}

export const partOf = ({ codec, digest, treeBytes }: MadeBlock, name = ''): Part => ({ codec, digest, name, treeBytes })

/** The tree of a file, made while its blocks come: as many links as one node has are kept for each of its levels. */
export class FileTree {
  readonly #fileLinks: number
  readonly #put: (block: MadeBlock) => Promise<void>
  readonly #levels: FilePart[][] = [[]]

  constructor(fileLinks: number, put: (block: MadeBlock) => Promise<void>) {
    this.#fileLinks = fileLinks
    this.#put = put
  }

  /** Takes the next block, which is stored already and has so many bytes of the file. */
  async add(leaf: MadeBlock, size: number): Promise<void> {
    await this.#push(0, { ...partOf(leaf), size })
  }

  async #push(level: number, part: FilePart): Promise<void> {
    // A full row gets a node above it when one more part comes: a file that ends there needs none.
    if (this.#levels[level]?.length === this.#fileLinks) await this.#close(level)
    this.#levels[level] = [...(this.#levels[level] ?? []), part]
  }

  async #close(level: number, mode?: number): Promise<void> {
    const parts = this.#levels[level] ?? []
    this.#levels[level] = []
    const sizes = parts.map((part) => part.size)
    const size = sizes.reduce((sum, each) => sum + each, 0)
    const block = nodeBlock({ type: 'file', parts, sizes, size, ...(mode !== undefined && { mode }) })
    await this.#put(block)
    await this.#push(level + 1, { ...partOf(block), size })
  }

  /** The file as a whole, which says its mode where it has several blocks. It has one at least. */
  async finish(mode?: number): Promise<FilePart> {
    for (let level = 0; ; level++) {
      const [first, ...others] = this.#levels[level] ?? []
      const isTop = level === this.#levels.length - 1
      if (isTop && first !== undefined && others.length === 0) return first
      await this.#close(level, isTop ? mode : undefined)
    }
  }
}
