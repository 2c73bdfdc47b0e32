import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { codeOf } from '../../runtime/error-code.ts'
import { StoreError } from '../../runtime/errors.ts'
import { readText } from '../../runtime/files/read-file.ts'
import type { LogPosition } from '../log/state/position.ts'

/** The highest place that this witness has signed. */
export interface Mark extends LogPosition {
  readonly headHash: Uint8Array
}

const maxBytes = 4_096

const shape = z.object({
  schema: z.literal(1),
  epoch: z.int().min(0),
  n: z.int().min(0),
  headHash: z.string().regex(/^[0-9a-f]{64}$/)
})

/**
 * The mark of a witness in a file of its own. It stands beside the store and not in it: what a backup of the store restores is an older place, and
 * what was signed since must not be signed anew.
 */
export class MarkFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** undefined: there is none. @throws StoreError a file that cannot be read: it is not taken for none */
  async read(): Promise<Mark | undefined> {
    try {
      const { epoch, n, headHash } = shape.parse(JSON.parse(readText(this.#path, maxBytes)))
      return { epoch, n, headHash: Uint8Array.from(Buffer.from(headHash, 'hex')) }
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw new StoreError(
        `${this.#path} says what this witness has signed and cannot be read: nothing is signed until it can; remove it when no other copy of this machine runs, then the heads of all other registries are heard first`,
        { cause: error }
      )
    }
  }

  /** Resolves when it is on the disk. */
  async write({ epoch, n, headHash }: Mark): Promise<void> {
    const text = `${JSON.stringify({ schema: 1, epoch, n, headHash: Buffer.from(headHash).toString('hex') })}\n`
    const part = `${this.#path}.part`
    await writeDurably(part, text)
    await rename(part, this.#path)
    await syncFolder(dirname(this.#path))
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
