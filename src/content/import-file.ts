import type { FileHandle } from 'node:fs/promises'
import { FileTree, type ImportSettings, standardSettings } from './file-tree.ts'
import { type MadeBlock, nodeBlock, type Part, rawBlock } from './node.ts'

export interface FileImport {
  readonly signal: AbortSignal
  /** Bytes that it has, as far as is known: a small file needs no buffer for a large one. */
  readonly expected: number
  /** Stores a block; undefined: the CID alone is wanted. */
  readonly put?: (block: MadeBlock) => Promise<void>
  readonly settings?: ImportSettings
  /** Kept in the CID; undefined: the CID says nothing of it. */
  readonly mode?: number | undefined
  /** Told how much was read; throws when it is too much. */
  readonly onRead?: (size: number) => void
}

const forget = async (): Promise<void> => {}

/** Makes the blocks of an open file, from its begin. */
export async function importFile(
  handle: FileHandle,
  { signal, expected, put = forget, settings = standardSettings, mode, onRead }: FileImport
): Promise<{ part: Part; size: number }> {
  const { chunkBytes, fileLinks } = settings
  const tree = new FileTree(fileLinks, put)
  // One byte more than is expected shows a file that grows: it is read again.
  const next = async (from: number): Promise<Uint8Array> =>
    await readChunk(handle, from, Math.min(chunkBytes, Math.max(expected - from, 0) + 1))
  let size = 0
  for (let chunk = await next(0); ; ) {
    signal.throwIfAborted()
    const after = chunk.length < chunkBytes ? new Uint8Array() : await next(size + chunk.length)
    const isOnly = size === 0 && after.length === 0
    const leaf = leafOf(chunk, mode, isOnly)
    await put(leaf)
    await tree.add(leaf, chunk.length)
    size += chunk.length
    onRead?.(size)
    if (after.length === 0) break
    chunk = after
  }
  return { part: await tree.finish(mode), size }
}

/** A block of bytes; where modes are kept it is a node, which says the mode where it is the whole file. */
function leafOf(bytes: Uint8Array, mode: number | undefined, isOnly: boolean): MadeBlock {
  if (mode === undefined) return rawBlock(bytes)
  return nodeBlock({ type: 'bytes', bytes, ...(isOnly && { mode }) })
}

/** The bytes of a file from a place on, as many as were asked for unless it ends. */
async function readChunk(handle: FileHandle, from: number, bytes: number): Promise<Uint8Array> {
  const chunk = new Uint8Array(bytes)
  let length = 0
  while (length < bytes) {
    const { bytesRead } = await handle.read(chunk, length, bytes - length, from + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return chunk.subarray(0, length)
}
