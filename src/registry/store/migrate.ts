import { renameSync, rmSync } from 'node:fs'
import { StoreError } from '../../runtime/errors.ts'
import type { Schema } from './schema.ts'
import type { Database } from './sqlite.ts'

export interface MigrateInit {
  schema: Schema
  /** The version that the store has; 0 for a new one. */
  from: number
  /** Throws when the copy at `path` is damaged or of another version. */
  verifyBackup: (path: string, version: number) => void
}

/**
 * Brings the store to `schema.version`, all steps in one transaction. An existing store is copied to `PATH.vN.backup` and the copy is
 * verified before anything is changed.
 */
export const migrate = (db: Database, path: string, init: MigrateInit): void => {
  const { schema, from } = init
  if (from > 0) backUp(db, path, init)
  db.exec('BEGIN EXCLUSIVE')
  try {
    if (from === 0) db.exec(schema.create)
    else for (let version = from; version < schema.version; version++) step(db, schema, version)
    db.pragma(`application_id = ${schema.applicationId}`)
    db.pragma(`user_version = ${schema.version}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    throw error
  }
}

const step = (db: Database, schema: Schema, from: number): void => {
  const sql = schema.migrations.get(from)
  if (sql === undefined) {
    throw new StoreError(`schema ${from} is too old for this program: start a version between it and this one first`)
  }
  db.exec(sql)
}

const backUp = (db: Database, path: string, { from, verifyBackup }: MigrateInit): void => {
  const target = `${path}.v${from}.backup`
  const unfinished = `${target}.unfinished`
  rmSync(unfinished, { force: true })
  db.prepare('VACUUM INTO ?').run(unfinished)
  verifyBackup(unfinished, from)
  renameSync(unfinished, target)
}
