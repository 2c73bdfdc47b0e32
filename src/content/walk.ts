import { BlockMissingError, InvalidBlockError } from './errors.ts'
import type { Link } from './link.ts'
import { type Content, type Part, readNode } from './node.ts'

/** Gives a block that was checked against its digest; undefined: it is not stored. */
export type ReadBlock = (digest: Uint8Array) => Promise<Uint8Array | undefined>

/** A digest as a key of a map. */
export const digestKey = (digest: Uint8Array): string => Buffer.from(digest).toString('hex')

/** @throws BlockMissingError */
export async function readBytes(read: ReadBlock, digest: Uint8Array): Promise<Uint8Array> {
  const bytes = await read(digest)
  if (bytes === undefined)
    throw new BlockMissingError(`block ${digestKey(digest)} is not stored; fetch the store again`)
  return bytes
}

/** Content of the node with this digest. @throws BlockMissingError, InvalidBlockError */
export const readContent = async (read: ReadBlock, digest: Uint8Array): Promise<Content> =>
  readNode(await readBytes(read, digest))

/** The links of a node; none of one that cannot be read. */
export const linksOf = (content: Content): readonly Part[] => ('parts' in content ? content.parts : [])

/** A link as a key of a set: the same bytes can be linked as a node, which leads further, and as bytes of a file. */
export const linkKey = ({ codec, digest }: Link): string => `${codec} ${digestKey(digest)}`

/** All blocks below a root that is stored in part or as a whole, as keys; what is missing, too. */
export async function* reachable(root: Link, read: ReadBlock): AsyncGenerator<string> {
  const seen = new Set<string>()
  const ahead: Link[] = [root]
  for (let link = ahead.pop(); link !== undefined; link = ahead.pop()) {
    const key = linkKey(link)
    if (seen.has(key)) continue
    seen.add(key)
    yield digestKey(link.digest)
    if (link.codec === 'raw') continue
    const bytes = await read(link.digest)
    if (bytes !== undefined) ahead.push(...linksIn(bytes))
  }
}

/** None in what was linked as a node and is no node. */
function linksIn(bytes: Uint8Array): readonly Part[] {
  try {
    return linksOf(readNode(bytes))
  } catch (error) {
    if (error instanceof InvalidBlockError) return []
    throw error
  }
}
