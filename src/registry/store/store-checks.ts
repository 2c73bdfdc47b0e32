import { closeSync, existsSync, lstatSync, readSync } from 'node:fs'
import { reasonOf } from '../../runtime/error-message.ts'
import { StoreError, StoreVersionError } from '../../runtime/errors.ts'
import { openRegular } from '../../runtime/files/read-file.ts'
import type { Schema } from './schema.ts'
import type { Database } from './sqlite.ts'
import { damaged } from './store-errors.ts'

/** Below it a race between two connections can damage a WAL database without a trace (SQLite 3.7.0 to 3.51.2). */
const oldestSqlite = [3, 51, 3] as const
/** Files that SQLite keeps beside a database. */
const companions = ['-journal', '-wal', '-shm'] as const

/** Refuses what SQLite would wait on without end: a pipe in the place of a file of its own. @throws StoreError */
export const requireFiles = (path: string): void => {
  for (const end of companions) {
    if (lstatSync(path + end, { throwIfNoEntry: false })?.isFile() === false) {
      throw new StoreError(
        `${path}${end} is no file, where SQLite keeps one: the store is not opened. Look at it (ls -l ${path}${end}) and remove it.`
      )
    }
  }
}

/** First bytes of a database file. undefined: there is no file yet, or an empty one. */
export const headerOf = (path: string): Buffer | undefined => {
  if (!existsSync(path)) return undefined
  const header = Buffer.alloc(100)
  let read = 0
  try {
    const file = openRegular(path)
    try {
      read = readSync(file, header, 0, header.length, 0)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new StoreError(`${path}: cannot be read: ${reasonOf(error)}`, { cause: error })
  }
  if (read === 0) return undefined
  if (read < header.length) throw damaged(path, `it ends after ${read} bytes`)
  return header
}

/** Refuses a file of another program, or of a version that this one does not know. @throws StoreVersionError */
export const refuseVersion = (
  path: string,
  found: { applicationId: number; version: number },
  schema: Schema
): void => {
  // A database that crashed before its tables were made has neither.
  if (found.applicationId === 0 && found.version === 0) return
  if (found.applicationId !== schema.applicationId) {
    throw new StoreVersionError(`${path} belongs to another program: give TrustNet a data folder of its own`)
  }
  if (found.version < (schema.oldest ?? 0)) {
    throw new StoreVersionError(
      `${path} holds a log of format ${found.version}, which this program does not read any more: move it away, then make the network anew with \`trustnet init\`, or let this machine join again`
    )
  }
  if (found.version > schema.version) {
    throw new StoreVersionError(
      `${path} has schema ${found.version}, this program knows ${schema.version}: start the newer version again, or restore the backup from before the upgrade`
    )
  }
}

/** Refuses a SQLite that can damage databases. @throws StoreError */
export const assertSqlite = (db: Database): void => {
  const version = db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? '0'
  const parts = version.split('.').map(Number)
  for (const [index, least] of oldestSqlite.entries()) {
    const part = parts[index] ?? 0
    if (part > least) return
    if (part < least) {
      throw new StoreError(
        `SQLite ${version} can damage databases, ${oldestSqlite.join('.')} is the oldest that is safe: reinstall`
      )
    }
  }
}

/** Pages and their order; the contents are verified by what is signed. */
export const quickCheck = (db: Database, path: string): void => {
  const found = String(db.pragma('quick_check(1)', { simple: true }))
  if (found !== 'ok') throw damaged(path, found)
}

/** All of it: also indexes, constraints and what no reader has touched for long. */
export const integrityCheck = (db: Database, path: string): void => {
  const found = String(db.pragma('integrity_check(1)', { simple: true }))
  if (found !== 'ok') throw damaged(path, found)
}
