import { renameSync, rmSync } from 'node:fs'
import { StoreError } from './errors.ts'
import { type Database, openDatabase } from './store/database.ts'
import { dropStoreId } from './store-values.ts'

/**
 * Copies an open store to a file, consistent while it is written to. The copy is checked before it takes the name, and is a store of
 * its own.
 *
 * @throws StoreError
 */
export async function backUp(db: Database, path: string): Promise<void> {
  const unfinished = `${path}.unfinished`
  try {
    await db.backup(unfinished)
    giveNewIdentity(unfinished)
    renameSync(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw new StoreError(`the backup to ${path} failed (${String(error)}): check the folder and its free space`, {
      cause: error
    })
  }
}

/** Opening checks the pages. */
function giveNewIdentity(path: string): void {
  const copy = openDatabase(path)
  try {
    dropStoreId(copy)
  } finally {
    copy.close()
  }
}
