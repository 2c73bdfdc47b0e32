import { existsSync } from 'node:fs'
import { z } from 'zod'
import { reasonOf } from '../../runtime/error-message.ts'
import { StoreError } from '../../runtime/errors.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { digestFile } from '../store/copy-store.ts'

const count = z.number().int().min(0)
const base16 = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))

const rules = z.object({
  format: z.literal('trustnet-backup'),
  version: z.literal(1),
  createdMs: count,
  database: z.object({ file: z.string(), bytes: count, sha256: base16(32) }),
  schema: count,
  integrity: z.literal('ok'),
  network: z.object({ id: z.string(), domain: z.string(), name: z.string() }),
  head: z.object({ epoch: count, n: count, hash: base16(32) }),
  checkpointMs: count.nullable(),
  rows: z.record(z.string(), count),
  lacks: z.array(z.string())
})

/** The file beside a backup that says what it is. */
export type BackupManifest = z.output<typeof rules>

export const manifestPath = (backup: string): string => `${backup}.json`

/** No manifest of this program is longer. */
const maxBytes = 64 * 1024

/**
 * The manifest beside a backup, which the file must fit to the last byte.
 * @throws StoreError when there is none, it is no manifest, or the file is another one
 */
export function readManifest(backup: string): BackupManifest {
  const path = manifestPath(backup)
  const manifest = parse(path, backup)
  const { bytes, sha256 } = digestOf(backup)
  if (bytes !== manifest.database.bytes || sha256 !== manifest.database.sha256) {
    throw new StoreError(
      `${backup} is not the file that ${path} describes (${bytes} bytes, SHA-256 ${sha256.slice(0, 16)}…; written were ` +
        `${manifest.database.bytes} bytes, ${manifest.database.sha256.slice(0, 16)}…): it was changed or damaged, take another backup`
    )
  }
  return manifest
}

function digestOf(backup: string): { bytes: number; sha256: string } {
  try {
    return digestFile(backup)
  } catch (error) {
    throw new StoreError(`${backup} cannot be read (${reasonOf(error)}): check the path`, { cause: error })
  }
}

function parse(path: string, backup: string): BackupManifest {
  let text: string
  if (!existsSync(path)) {
    const what = existsSync(backup)
      ? `is no backup, or an unfinished one: ${path}, its manifest, is missing`
      : 'is not there'
    throw new StoreError(
      `${backup} ${what}. A backup is made with \`trustnet registry backup\`, and its two files are moved together`
    )
  }
  try {
    text = readText(path, maxBytes)
  } catch (error) {
    throw new StoreError(`${path}, the manifest of the backup, cannot be read (${reasonOf(error)})`, { cause: error })
  }
  try {
    return rules.parse(JSON.parse(text))
  } catch (error) {
    throw new StoreError(`${path} is no manifest of a backup, or of a newer version: take another backup`, {
      cause: error
    })
  }
}
