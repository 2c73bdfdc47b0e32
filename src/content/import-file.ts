import type { FileHandle } from 'node:fs/promises'
import { FileTree, type ImportSettings, standardSettings } from './file-tree.ts'
import { type MadeBlock, type Part, rawBlock } from './node.ts'

export interface FileImport {
  readonly signal: AbortSignal
  /** Bytes that it has, as far as is known: a small file needs no buffer for a large one. */
  readonly expected: number
  /** Stores a block; undefined: the CID alone is wanted. */
  readonly put?: (block: MadeBlock) => Promise<void>
  readonly settings?: ImportSettings
  /** Told how much was read; throws when it is too much. */
  readonly onRead?: (size: number) => void
}

const forget = async (): Promise<void> => {}

/** Makes the blocks of an open file, from its begin. */
export async function importFile(
  handle: FileHandle,
  { signal, expected, put = forget, settings = standardSettings, onRead }: FileImport
): Promise<{ part: Part; size: number }> {
  const { chunkBytes, fileLinks } = settings
  const tree = new FileTree(fileLinks, put)
  let size = 0
  for (;;) {
    signal.throwIfAborted()
    // One byte more than is expected shows a file that grows: it is read again.
    const chunk = await readChunk(handle, size, Math.min(chunkBytes, Math.max(expected - size, 0) + 1))
    if (chunk.length === 0 && size > 0) break
    const leaf = rawBlock(chunk)
    await put(leaf)
    await tree.add(leaf)
    size += chunk.length
    onRead?.(size)
    if (chunk.length < chunkBytes) break
  }
  return { part: await tree.finish(), size }
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
