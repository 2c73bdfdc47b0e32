import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type Imported, type ImportInit, importFolder } from '../../../src/content/import-folder.ts'
import type { Link } from '../../../src/content/link.ts'
import { type Content, type MadeBlock, nodeBlock, rawBlock } from '../../../src/content/node.ts'
import { digestKey } from '../../../src/content/walk.ts'

/** Blocks in memory. */
export class MemoryBlocks {
  readonly all = new Map<string, Uint8Array>()

  readonly has = async (digest: Uint8Array): Promise<boolean> => this.all.has(digestKey(digest))
  readonly read = async (digest: Uint8Array): Promise<Uint8Array | undefined> => this.all.get(digestKey(digest))
  readonly put = async (digest: Uint8Array, bytes: Uint8Array): Promise<void> => {
    this.all.set(digestKey(digest), bytes)
  }

  add(block: MadeBlock): MadeBlock {
    this.all.set(digestKey(block.digest), block.bytes)
    return block
  }

  raw(text: string): MadeBlock {
    return this.add(rawBlock(Buffer.from(text)))
  }

  node(content: Content): MadeBlock {
    return this.add(nodeBlock(content))
  }

  /** A folder with these entries, whatever their names. */
  folder(entries: Record<string, MadeBlock>): Link {
    const parts = Object.entries(entries).map(([name, { codec, digest, treeBytes }]) => ({
      codec,
      digest,
      treeBytes,
      name
    }))
    return this.node({ type: 'folder', parts })
  }

  async import(folder: string, options: Partial<ImportInit> = {}): Promise<Imported> {
    const put = async (block: MadeBlock): Promise<void> => {
      this.add(block)
    }
    return await importFolder({ folder, put, symlinks: 'refuse', signal: new AbortController().signal, ...options })
  }
}

/** All files below a folder with their bytes in base64; `/` behind the names of folders. */
export const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => {
        const name = relative(folder, path)
        return statSync(path).isDirectory() ? [`${name}/`, ''] : [name, readFileSync(path, 'base64')]
      })
  )
