import { z } from 'zod'
import type { Meta } from '../store/node-values.ts'

const key = 'witness.words'

/** The word of a witness as the store keeps it. */
export interface StoredWord {
  readonly checkpoint: Uint8Array
  readonly cosignature: Uint8Array
  /** When it came, ms since 1970. */
  readonly heardMs: number
}

const bytes = z.base64().transform((text) => Uint8Array.from(Buffer.from(text, 'base64')))
const shape = z.array(z.object({ checkpoint: bytes, cosignature: bytes, heardMs: z.int().min(0) }))

/** Words that were kept; what cannot be read is heard again from the witnesses. */
export function storedWords(meta: Pick<Meta, 'get'>): StoredWord[] {
  const held = meta.get(key)
  if (held === undefined) return []
  try {
    return shape.parse(JSON.parse(Buffer.from(held).toString('utf8')))
  } catch {
    return []
  }
}

const base64 = (given: Uint8Array): string => Buffer.from(given).toString('base64')

export async function storeWords(meta: Pick<Meta, 'set'>, words: readonly StoredWord[]): Promise<void> {
  const rows = words.map(({ checkpoint, cosignature, heardMs }) => ({
    checkpoint: base64(checkpoint),
    cosignature: base64(cosignature),
    heardMs: Math.round(heardMs)
  }))
  await meta.set(key, Buffer.from(JSON.stringify(rows)))
}
