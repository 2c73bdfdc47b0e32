import { statSync } from 'node:fs'
import type { SigningKey } from '../../identity/keys.ts'

/** A key is read by its owner alone: root reads that of the service's user as that user. @throws KeyFileError */
export const loadOwnedKey = async (path: string): Promise<SigningKey> => {
  const { loadKey } = await import('../../identity/key-file.ts')
  const owner = statSync(path, { throwIfNoEntry: false })?.uid
  if (process.geteuid?.() !== 0 || owner === undefined) return loadKey(path)
  try {
    process.seteuid?.(owner)
    return loadKey(path)
  } finally {
    process.seteuid?.(0)
  }
}
