import { ContentLimitError, InvalidBlockError } from './errors.ts'
import type { Link } from './link.ts'
import { type Content, type Part, shardWidth } from './node.ts'
import { type ReadBlock, readBytes, readContent } from './walk.ts'

/** 174 links a node make 2^59 bytes of eight levels. */
const maxLevels = 8

/** The entries of a folder, with their own names. @throws ContentLimitError when there are more than `most` */
export async function folderParts(read: ReadBlock, link: Link, most: number): Promise<Part[]> {
  if (link.codec === 'raw') throw new InvalidBlockError('a store is a folder, and this is a file')
  const content = await readContent(read, link.digest)
  const parts: Part[] = []
  for await (const part of entries(read, content, 0)) {
    if (parts.push(part) > most)
      throw new ContentLimitError(
        `the store has more files and folders than it may: one folder more than the ${most} that are left`
      )
  }
  return parts
}

async function* entries(read: ReadBlock, content: Content, depth: number): AsyncGenerator<Part> {
  if (content.type === 'folder') yield* content.parts
  else if (content.type === 'shard' && depth < maxLevels) yield* placed(read, content.parts, depth)
  else throw new InvalidBlockError('a part of a folder is no folder')
}

async function* placed(read: ReadBlock, parts: readonly Part[], depth: number): AsyncGenerator<Part> {
  // An empty one, again and again, would be a folder without end that has no entries.
  if (parts.length === 0 || parts.length > shardWidth)
    throw new InvalidBlockError('a part of a folder has no links, or too many')
  for (const part of parts) {
    if (!/^[0-9A-F]{2}/.test(part.name)) throw new InvalidBlockError('a link of a folder has no place')
    if (part.name.length > 2) yield { ...part, name: part.name.slice(2) }
    else {
      const below = await readContent(read, part.digest)
      if (below.type !== 'shard') throw new InvalidBlockError('a part of a folder is no folder')
      yield* entries(read, below, depth + 1)
    }
  }
}

/** The bytes of a file in order, as much at a time as a block has. */
export async function* fileChunks(read: ReadBlock, link: Link, levels = maxLevels): AsyncGenerator<Uint8Array> {
  if (link.codec === 'raw') yield await readBytes(read, link.digest)
  else yield* nodeChunks(read, link, levels)
}

async function* nodeChunks(read: ReadBlock, { digest }: Link, levels: number): AsyncGenerator<Uint8Array> {
  const content = await readContent(read, digest)
  if (content.type === 'bytes') {
    yield content.bytes
    return
  }
  if (content.type !== 'file' || levels === 0) throw new InvalidBlockError('a part of a file is no file')
  for (const [index, part] of content.parts.entries()) {
    let size = 0
    for await (const chunk of fileChunks(read, part, levels - 1)) {
      size += chunk.length
      yield chunk
    }
    if (size !== content.sizes[index]) throw new InvalidBlockError('a part of a file has not the size that is said')
  }
}
