import { existsSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { reasonOf } from '../../runtime/error-message.ts'
import { StoreError, StoreInUseError, StoreVersionError } from '../../runtime/errors.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { migrate } from './migrate.ts'
import { schema as currentSchema, type Schema } from './schema.ts'
import type { Database } from './sqlite.ts'
import { assertSqlite, headerOf, quickCheck, refuseVersion, requireFiles } from './store-checks.ts'
import { asStoreError, damaged } from './store-errors.ts'

export type { Database, Statement } from './sqlite.ts'

/** Time for which an open waits for another that is just closing. It blocks the event loop, at start only. */
const busyTimeoutMs = 500
/**
 * Pages of 4 KiB in the WAL before they are copied into the file. Pages that are written again and again are copied once, and the copying
 * holds the event loop: at 1,000 pages, SQLite's own choice, it took half of the time of a registry that takes updates.
 */
const walPages = 16_000
/** The WAL file is cut back to it after a checkpoint. */
const walLimitBytes = 64 * 1024 * 1024

/**
 * Closing any descriptor of a file drops all POSIX locks that the process holds on it, and the header is read through a descriptor of its
 * own: a path that is open here must be refused before that.
 */
const openPaths = new Set<string>()

class StoreDatabase extends BetterSqlite3 {
  readonly #path: string
  #pidPath?: string

  constructor(path: string) {
    super(path, { timeout: busyTimeoutMs })
    this.#path = path
    openPaths.add(path)
  }

  /** Says beside the file who has it; only the holder of the lock may call it. */
  writePid(): void {
    this.#pidPath = `${this.#path}.pid`
    try {
      // A new file: a pipe that lies there would be waited for.
      rmSync(this.#pidPath, { force: true })
      writeFileSync(this.#pidPath, `${process.pid}\n`, { flag: 'wx' })
    } catch {
      // Only a message needs it, and on a full disk reads go on.
    }
  }

  override close(): this {
    if (!this.open) return this
    if (this.#pidPath !== undefined) rmSync(this.#pidPath, { force: true })
    super.close()
    openPaths.delete(this.#path)
    return this
  }
}

export interface OpenDatabaseOptions {
  /** Tests turn it; the default is the schema of this version. */
  schema?: Schema
}

/**
 * Opens the store, alone: makes it when there is none, brings an older one to the schema of this program (after a verified backup beside
 * it) and checks it. Close it with `close()`.
 *
 * @throws StoreInUseError when another process has it open
 * @throws StoreVersionError when it is of a newer version or of another program; nothing is touched
 * @throws StoreError when it is damaged or the disk fails
 */
export const openDatabase = (path: string, options: OpenDatabaseOptions = {}): Database => {
  const schema = options.schema ?? currentSchema
  let real = path
  let db: StoreDatabase | undefined
  try {
    real = realPath(path)
    refuseUnknown(real, schema)
    db = new StoreDatabase(real)
    lock(db)
    prepare(db, real, schema)
    db.writePid()
    return db
  } catch (error) {
    db?.close()
    throw asStoreError(error, real)
  }
}

/**
 * Runs `read` on a store that exists, without migrating or checking it, and closes it again. undefined: there is no store, or an empty file,
 * which stays as it is.
 *
 * @throws as openDatabase
 */
export const peekDatabase = <T>(path: string, read: (db: Database) => T): T | undefined => {
  if (!existsSync(path)) return undefined
  let real = path
  let db: StoreDatabase | undefined
  try {
    real = realPath(path)
    refuseUnknown(real, currentSchema)
    if (headerOf(real) === undefined) return undefined
    db = new StoreDatabase(real)
    lock(db)
    const { fresh } = identify(db, real, currentSchema)
    return fresh ? undefined : read(db)
  } catch (error) {
    throw asStoreError(error, real)
  } finally {
    db?.close()
  }
}

/** A reader makes the files that SQLite keeps beside a database, and cannot remove them: a writer that writes nothing does. */
class ReadOnlyDatabase extends BetterSqlite3 {
  readonly #path: string
  readonly #wasAlone: boolean

  constructor(path: string) {
    const wasAlone = !existsSync(`${path}-wal`)
    super(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs })
    this.#path = path
    this.#wasAlone = wasAlone
  }

  override close(): this {
    super.close()
    if (this.#wasAlone && existsSync(`${this.#path}-wal`)) this.#tidy()
    return this
  }

  #tidy(): void {
    try {
      const writer = new BetterSqlite3(this.#path, { fileMustExist: true, timeout: busyTimeoutMs })
      // Only what reads the file takes it up, and is then the last one to leave it.
      writer.pragma('schema_version')
      writer.close()
    } catch {
      // Another process has it by now, or the disk is read-only: the files are empty, and in nobody's way.
    }
  }
}

/**
 * Opens a store for reading alone: nothing is migrated, no page is written. Close it with `close()`.
 *
 * @throws as openDatabase, and StoreError when there is no file
 */
export const openReadOnly = (path: string): Database => {
  let db: BetterSqlite3.Database | undefined
  try {
    requireThere(path)
    refuseUnknown(realPath(path), currentSchema)
    db = new ReadOnlyDatabase(path)
    if (identify(db, path, currentSchema).fresh) throw damaged(path, 'it is empty')
    return db
  } catch (error) {
    db?.close()
    throw asStoreError(error, path)
  }
}

/** A link to nothing is named as one. @throws StoreError */
const requireThere = (path: string): void => {
  try {
    statSync(path)
  } catch (error) {
    throw new StoreError(reasonOf(error), { cause: error })
  }
}

const realPath = (path: string): string => {
  try {
    makeFolder(dirname(path), 0o700)
    return existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path))
  } catch (error) {
    throw new StoreError(`${path} cannot be made (${String(error)}): check that its folder can be written`, {
      cause: error
    })
  }
}

/**
 * Tells whether this program can read the store, also while another process has it open. Opens and changes nothing.
 * @throws StoreVersionError, StoreError
 */
export const checkStoreVersion = (path: string): void => {
  if (existsSync(path)) refuseUnknown(path, currentSchema)
}

/** Judges by the file's header, so that a store of a newer version, or no store at all, is not even opened for writing. */
const refuseUnknown = (path: string, schema: Schema): void => {
  if (openPaths.has(path)) {
    throw new StoreInUseError(`${path} is open in this process (${process.pid}) already: close it first`)
  }
  requireFiles(path)
  const header = headerOf(path)
  if (header === undefined) return
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw damaged(path, 'it is no SQLite file')
  }
  refuseVersion(path, { applicationId: header.readInt32BE(68), version: header.readInt32BE(60) }, schema)
}

const lock = (db: Database): void => {
  assertSqlite(db)
  db.pragma('locking_mode = EXCLUSIVE')
  // The first transaction takes the lock, which EXCLUSIVE then keeps.
  db.exec('BEGIN EXCLUSIVE; COMMIT')
}

const identify = (db: Database, path: string, schema: Schema): { fresh: boolean; version: number } => {
  const applicationId = Number(db.pragma('application_id', { simple: true }))
  const version = Number(db.pragma('user_version', { simple: true }))
  // The header may be older than what the WAL holds.
  refuseVersion(path, { applicationId, version }, schema)
  const fresh = applicationId === 0 && version === 0
  if (fresh && db.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined) {
    throw new StoreVersionError(`${path} belongs to another program: give TrustNet a data folder of its own`)
  }
  return { fresh, version }
}

const prepare = (db: Database, path: string, schema: Schema): void => {
  const { fresh, version } = identify(db, path, schema)
  if (!fresh) quickCheck(db, path)
  db.pragma('journal_mode = WAL')
  // A signature must not leave before what it signs is on the disk: NORMAL may lose the last commits with the power.
  db.pragma('synchronous = FULL')
  db.pragma(`wal_autocheckpoint = ${walPages}`)
  db.pragma(`journal_size_limit = ${walLimitBytes}`)
  db.pragma('foreign_keys = ON')
  db.pragma('trusted_schema = OFF')
  if (fresh || version < schema.version) {
    migrate(db, path, { schema, from: fresh ? 0 : version, verifyBackup })
    // So that the header alone tells a program of another version whose file this is.
    db.pragma('wal_checkpoint(TRUNCATE)')
  }
}

const verifyBackup = (path: string, version: number): void => {
  const backup = new BetterSqlite3(path, { fileMustExist: true })
  try {
    quickCheck(backup, path)
    const found = Number(backup.pragma('user_version', { simple: true }))
    if (found !== version) throw damaged(path, `schema ${found} instead of ${version}`)
  } finally {
    backup.close()
  }
}
