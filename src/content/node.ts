import { equals } from 'uint8arrays/equals'
import { sha256 } from '../identity/hash.ts'
import { reasonOf } from '../runtime/error-message.ts'
import { InvalidBlockError } from './errors.ts'
import { decodeLink, encodeLink, type Link } from './link.ts'
import { DagNode, UnixFs } from './pb/unixfs.ts'

/** Greatest block that is taken from others. */
export const maxBlockBytes = 1_048_576

/** Kinds of nodes, by their number in UnixFS. */
const types = { folder: 1, file: 2, symlink: 4, shard: 5 } as const
const murmurCode = 0x22
export const shardWidth = 256
/** A link takes more than 40 bytes: a block has no room for more. */
const maxLinks = 26_214

/** A part of a file, or an entry of a folder. */
export interface Part extends Link {
  /** Empty: part of a file. */
  readonly name: string
  /** Bytes of all blocks below it, its own among them. */
  readonly treeBytes: number
}

/** A node as it is read. */
export type Content =
  | { readonly type: 'folder'; readonly parts: readonly Part[] }
  /** Part of a large folder. Each name begins with the place of the entry in two digits of base16; one without more is a part itself. */
  | { readonly type: 'shard'; readonly parts: readonly Part[]; readonly places: Uint8Array }
  | { readonly type: 'file'; readonly parts: readonly Part[]; readonly sizes: readonly number[]; readonly size: number }
  | { readonly type: 'symlink'; readonly target: Uint8Array }

/** A block with its name. */
export interface MadeBlock extends Link {
  readonly bytes: Uint8Array
  readonly treeBytes: number
}

export const rawBlock = (bytes: Uint8Array): MadeBlock => ({
  codec: 'raw',
  digest: sha256(bytes),
  bytes,
  treeBytes: bytes.length
})

/** Encodes a node as other tools do. Entries of a folder are sorted by name before. */
export function nodeBlock(content: Content): MadeBlock {
  const parts = 'parts' in content ? content.parts : []
  const bytes = DagNode.encode({
    links: parts.map((part) => ({ hash: encodeLink(part), name: part.name, tsize: part.treeBytes })),
    data: UnixFs.encode(unixFsOf(content))
  })
  const treeBytes = parts.reduce((sum, part) => sum + part.treeBytes, bytes.length)
  return { codec: 'node', digest: sha256(bytes), bytes, treeBytes }
}

function unixFsOf(content: Content): Partial<UnixFs> {
  const type = types[content.type]
  switch (content.type) {
    case 'folder':
      return { type }
    case 'file':
      return { type, filesize: content.size, blocksizes: [...content.sizes] }
    case 'shard':
      return { type, data: content.places, hashType: murmurCode, fanout: shardWidth }
    case 'symlink':
      return { type, data: content.target }
    default:
      return content
  }
}

/**
 * Reads the block of a node. Takes only bytes that `nodeBlock` would write for what they say: so nothing unknown is carried along, and
 * nothing is read in two ways.
 * @throws InvalidBlockError
 */
export function readNode(bytes: Uint8Array): Content {
  if (bytes.length > maxBlockBytes) throw new InvalidBlockError(`a block has more than ${maxBlockBytes} bytes`)
  const content = decoded(bytes)
  if (!equals(nodeBlock(content).bytes, bytes)) throw new InvalidBlockError('a node is not encoded as it must be')
  return content
}

function decoded(bytes: Uint8Array): Content {
  try {
    const { links, data = new Uint8Array() } = DagNode.decode(bytes, { limits: { links: maxLinks } })
    const parts = links.map(({ hash = new Uint8Array(), name = '', tsize = 0 }) => ({
      ...decodeLink(hash),
      name,
      treeBytes: tsize
    }))
    return contentOf(parts, UnixFs.decode(data, { limits: { blocksizes: maxLinks } }))
  } catch (error) {
    if (error instanceof InvalidBlockError) throw error
    throw new InvalidBlockError(`a node cannot be read: ${reasonOf(error)}`)
  }
}

function contentOf(parts: Part[], { type, data, filesize, blocksizes, fanout }: UnixFs): Content {
  switch (type) {
    case types.folder:
      return { type: 'folder', parts }
    case types.shard:
      if (fanout !== shardWidth || data === undefined) break
      return { type: 'shard', parts, places: data }
    case types.file:
      return fileOf(parts, blocksizes, filesize ?? 0)
    case types.symlink:
      if (data === undefined) break
      return { type: 'symlink', target: data }
    default:
  }
  throw new InvalidBlockError('a node is neither file, folder nor symbolic link')
}

function fileOf(parts: Part[], sizes: number[], size: number): Content {
  const sum = sizes.reduce((total, each) => total + each, 0)
  // An empty part, again and again, would be a file without end that has no bytes.
  const isWhole = parts.length > 0 && parts.length === sizes.length && sum === size && !sizes.includes(0)
  if (!isWhole || parts.some(({ name }) => name !== ''))
    throw new InvalidBlockError('the parts of a file do not add up to it')
  return { type: 'file', parts, sizes, size }
}
