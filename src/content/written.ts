import { lstat, readlink } from 'node:fs/promises'
import { equals } from 'uint8arrays/equals'
import { codeOf } from '../runtime/error-code.ts'
import { importFile } from './import-file.ts'
import type { Content, Part } from './node.ts'
import type { OpenFolder } from './open-folder.ts'

/** Tells whether the file is there with this content; undefined: bytes without a node. */
export async function isWritten(
  folder: OpenFolder,
  { part, content }: { part: Part; content: Content | undefined },
  signal: AbortSignal
): Promise<boolean> {
  try {
    if (!(await lstat(folder.at(part.name))).isFile()) return false
    await using file = await folder.file(part.name)
    const { part: there } = await importFile(file, { signal, expected: (await file.stat()).size, mode: content?.mode })
    return there.codec === part.codec && equals(there.digest, part.digest)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** undefined: there is no link of this name. */
export async function linkTarget(folder: OpenFolder, name: string): Promise<Buffer | undefined> {
  try {
    return await readlink(folder.at(name), { encoding: 'buffer' })
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EINVAL') return undefined
    throw error
  }
}
