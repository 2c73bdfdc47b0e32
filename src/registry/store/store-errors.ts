import BetterSqlite3 from 'better-sqlite3'
import { DamagedStoreError, StoreError, StoreInUseError } from '../../runtime/errors.ts'
import { readText } from '../../runtime/files/read-file.ts'

const writeFailures = new Set([
  'SQLITE_IOERR_WRITE',
  'SQLITE_IOERR_FSYNC',
  'SQLITE_IOERR_DIR_FSYNC',
  'SQLITE_IOERR_TRUNCATE'
])

/** SQLite's failures (disk full, I/O, damage, lock) as errors of the store that say what to do; anything else as it is. */
export const asStoreError = (error: unknown, path: string): unknown => {
  if (!(error instanceof BetterSqlite3.SqliteError)) return error
  const { code, message } = error
  const options = { cause: error }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return inUse(path, options)
  if (code.startsWith('SQLITE_FULL')) {
    return new StoreError(`no space left for ${path}: the write was undone; make room (df -h)`, options)
  }
  if (code.startsWith('SQLITE_READONLY') || writeFailures.has(code)) {
    return new StoreError(
      `${path} cannot be written (${message}): the write was undone, reads go on; check the disk, whether the system has mounted it read-only, and the limit of file sizes (ulimit -f): then mend it and start this process again`,
      options
    )
  }
  // All SQL is fixed: a statement that does not fit the tables says that these were changed.
  const damage = ['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_ERROR']
  if (damage.some((each) => code.startsWith(each))) return damaged(path, message, options)
  if (code.startsWith('SQLITE_CONSTRAINT')) return error
  return new StoreError(
    `${path} cannot be used (${message}): check the disk, its mount, the owner of the folder, and the limit of open files (ulimit -n)`,
    options
  )
}

/** The error for a damaged store. */
export const damaged = (path: string, what: string, options?: ErrorOptions): StoreError =>
  new DamagedStoreError(
    `${path} is damaged (${what}): move it away; a root restores its newest backup, any other node fetches its replica anew`,
    options
  )

/** The error for a store that another process has open. */
export const inUse = (path: string, options?: ErrorOptions): StoreInUseError => {
  let holder = 'another process'
  try {
    holder = `process ${Number(readText(`${path}.pid`, 64))}`
  } catch {
    // The pid file only serves this message.
  }
  return new StoreInUseError(
    `${path} is used by ${holder}: stop that one first, or give this one a data folder of its own`,
    options
  )
}
