import { open } from 'node:fs/promises'
import { codeOf } from '../error-code.ts'

/** Makes a file, or what was made, renamed and removed in a folder, outlast a power cut. What is gone meanwhile needs nothing. */
export async function syncPath(path: string): Promise<void> {
  try {
    await using file = await open(path, 'r')
    await file.sync()
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
