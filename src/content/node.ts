import { LegacyNode } from 'ipfs-unixfs'
import { equals } from 'uint8arrays/equals'
import { withArrayBuffer } from 'uint8arrays/with-array-buffer'
import { sha256 } from '../identity/hash.ts'
import { reasonOf } from '../runtime/error-message.ts'
import { InvalidBlockError } from './errors.ts'
import { decodeLink, encodeLink, type Link } from './link.ts'

/** Greatest block that is taken from others. */
export const maxBlockBytes = 1_048_576
/**
 * Greatest node: reading one holds the event loop for as long as it has links, and a member that shares a store chooses them. The largest folder
 * that is not spread over several blocks, with the shortest names, takes 400,000 bytes.
 */
export const maxNodeBytes = 524_288

/** The part of a node that says what it is. Its links stand before it, as kubo writes them: the library calls such a node a legacy one. */
type Data = NonNullable<LegacyNode['data']>

/** Data of a kind of node, by its number in UnixFS. It is read, because the library does not give out its names of the kinds. */
const dataOfKind = (number: number): Data =>
  LegacyNode.decode(Uint8Array.of(0x0a, 2, 8, number)).data ?? { blockSizes: [] }
const file = dataOfKind(2)
const kinds = { folder: dataOfKind(1), file, bytes: file, symlink: dataOfKind(4), shard: dataOfKind(5) }
const murmurCode = 0x22n
export const shardWidth = 256
/** A link takes more than 40 bytes: a node has no room for more. */
const maxLinks = 13_107

/** A part of a file, or an entry of a folder. */
export interface Part extends Link {
  /** Empty: part of a file. */
  readonly name: string
  /** Bytes of all blocks below it, its own among them. */
  readonly treeBytes: number
}

/** Modes that a node may say: of files, and of programs and folders. Whoever may write, and whose rights a program has, nobody says. */
export const modes = { file: 0o644, program: 0o755, folder: 0o755 } as const

interface WithMode {
  /** undefined: none was kept. */
  readonly mode?: number
}

/** A node as it is read. */
export type Content = WithMode & Shape

type Shape =
  | { readonly type: 'folder'; readonly parts: readonly Part[] }
  /** Part of a large folder. Each name begins with the place of the entry in two digits of base16; one without more is a part itself. */
  | { readonly type: 'shard'; readonly parts: readonly Part[]; readonly places: Uint8Array }
  | { readonly type: 'file'; readonly parts: readonly Part[]; readonly sizes: readonly number[]; readonly size: number }
  /** A file, or a part of one, whose bytes are in the node itself: they are so where modes are kept. */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
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
  const bytes = LegacyNode.encode({
    links: parts.map((part) => ({ hash: encodeLink(part), name: part.name, tSize: BigInt(part.treeBytes) })),
    data: { ...dataOf(content), ...(content.mode !== undefined && { mode: content.mode }) }
  })
  const treeBytes = parts.reduce((sum, part) => sum + part.treeBytes, bytes.length)
  return { codec: 'node', digest: sha256(bytes), bytes, treeBytes }
}

function dataOf(content: Content): Data {
  const data = kinds[content.type]
  switch (content.type) {
    case 'folder':
      return data
    case 'file':
      return { ...data, fileSize: BigInt(content.size), blockSizes: content.sizes.map(BigInt) }
    case 'shard':
      return { ...data, data: withArrayBuffer(content.places), hashType: murmurCode, fanOut: BigInt(shardWidth) }
    case 'symlink':
      return { ...data, data: withArrayBuffer(content.target) }
    case 'bytes': {
      const { bytes } = content
      return { ...data, ...(bytes.length > 0 && { data: withArrayBuffer(bytes) }), fileSize: BigInt(bytes.length) }
    }
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
  if (bytes.length > maxNodeBytes) throw new InvalidBlockError(`a node has more than ${maxNodeBytes} bytes`)
  const content = decoded(bytes)
  if (!equals(nodeBlock(content).bytes, bytes)) throw new InvalidBlockError('a node is not encoded as it must be')
  return content
}

function decoded(bytes: Uint8Array): Content {
  try {
    const limits = { links: maxLinks, data: { blockSizes: maxLinks } }
    const { links, data = { blockSizes: [] } } = LegacyNode.decode(bytes, { limits })
    const parts = links.map(({ hash = new Uint8Array(), name = '', tSize = 0n }) => ({
      ...decodeLink(hash),
      name,
      treeBytes: safe(tSize)
    }))
    const { mode } = data
    return { ...shapeOf(parts, data), ...(mode !== undefined && { mode: checkedMode(mode, data) }) }
  } catch (error) {
    if (error instanceof InvalidBlockError) throw error
    throw new InvalidBlockError(`a node cannot be read: ${reasonOf(error)}`)
  }
}

function checkedMode(mode: number, { type }: Data): number {
  const isFit =
    type === file.type
      ? mode === modes.file || mode === modes.program
      : mode === modes.folder && (type === kinds.folder.type || type === kinds.shard.type)
  if (!isFit) throw new InvalidBlockError(`a node has a mode that none has here: ${mode.toString(8)}`)
  return mode
}

function shapeOf(parts: Part[], { type, data, fileSize = 0n, blockSizes, fanOut }: Data): Shape {
  switch (type) {
    case kinds.folder.type:
      return { type: 'folder', parts }
    case kinds.shard.type:
      if (fanOut !== BigInt(shardWidth) || data === undefined) break
      return { type: 'shard', parts, places: data }
    case kinds.file.type:
      return parts.length === 0
        ? { type: 'bytes', bytes: data ?? new Uint8Array() }
        : fileOf(parts, blockSizes.map(safe), safe(fileSize))
    case kinds.symlink.type:
      if (data === undefined) break
      return { type: 'symlink', target: data }
    default:
  }
  throw new InvalidBlockError('a node is neither file, folder nor symbolic link')
}

function fileOf(parts: Part[], sizes: number[], size: number): Shape {
  const sum = sizes.reduce((total, each) => total + each, 0)
  // An empty part, again and again, would be a file without end that has no bytes.
  const isWhole = parts.length === sizes.length && sum === size && !sizes.includes(0)
  if (!isWhole || parts.some(({ name }) => name !== ''))
    throw new InvalidBlockError('the parts of a file do not add up to it')
  return { type: 'file', parts, sizes, size }
}

function safe(size: bigint): number {
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new InvalidBlockError('a size is beyond all that can be stored')
  return Number(size)
}
