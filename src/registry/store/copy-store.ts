import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, readSync } from 'node:fs'
import { openRegular } from '../../runtime/files/read-file.ts'
import { type Database, openDatabase } from './database.ts'
import { MetaTable } from './meta-table.ts'
import { integrityCheck } from './store-checks.ts'

/** Read at a time while the digest is made. */
const chunkBytes = 1024 * 1024

/** A file as it lies on the disk. */
export interface FileDigest {
  readonly bytes: number
  /** SHA-256, base16. */
  readonly sha256: string
}

/** Facts about a copy of a store. */
export interface CopyFacts {
  readonly file: FileDigest
  readonly schema: number
  /** By table. */
  readonly rows: Readonly<Record<string, number>>
  /** Newest entry that is there. */
  readonly last: { readonly epoch: number; readonly n: number; readonly hash: Uint8Array } | undefined
  /** Envelope of the newest checkpoint. */
  readonly checkpoint: Uint8Array | undefined
}

/**
 * Checks a copy that the backup API has made, takes from it what belongs to the original alone, and makes one plain file of it that
 * can be read from where nothing can be written.
 *
 * @throws StoreError when it is damaged
 */
export function sealCopy(path: string, dropped: readonly string[]): CopyFacts {
  const db = openDatabase(path)
  try {
    integrityCheck(db, path)
    const meta = new MetaTable(db)
    for (const key of dropped) meta.delete(key)
    const facts = { schema: schemaOf(db), rows: countRows(db), ...headOf(db) }
    db.pragma('journal_mode = DELETE')
    db.close()
    return { file: digestFile(path, { sync: true }), ...facts }
  } finally {
    db.close()
  }
}

const schemaOf = (db: Database): number => Number(db.pragma('user_version', { simple: true }))

/** By table, in the order of their names. */
export function countRows(db: Database): Record<string, number> {
  const tables = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    .pluck()
    .all()
  const count = (table: string): number => db.prepare<[], number>(`SELECT count(*) FROM "${table}"`).pluck().get() ?? 0
  return Object.fromEntries(tables.map((table) => [table, count(table)]))
}

function headOf(db: Database): Pick<CopyFacts, 'last' | 'checkpoint'> {
  const last = db
    .prepare<[], { epoch: number; n: number; hash: Uint8Array }>(
      'SELECT epoch, n, hash FROM log ORDER BY n DESC LIMIT 1'
    )
    .get()
  const checkpoint = db.prepare<[], Uint8Array | null>('SELECT envelope FROM checkpoint').pluck().get() ?? undefined
  return { last, checkpoint }
}

/** Reads the file to its end; with `sync` what was read is on the disk. */
export function digestFile(path: string, { sync = false } = {}): FileDigest {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(chunkBytes)
  const file = openRegular(path)
  let bytes = 0
  try {
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      hash.update(chunk.subarray(0, read))
      bytes += read
    }
    if (sync) fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return { bytes, sha256: hash.digest('hex') }
}
