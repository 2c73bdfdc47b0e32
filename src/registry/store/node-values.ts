import { randomBytes } from 'node:crypto'
import type { Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { MetaTable } from './meta-table.ts'

/** Small values that belong to this node and this store: seq, cursors, pins. */
export interface Meta {
  get(key: string): Uint8Array | undefined
  /** Resolves when it is durable. */
  set(key: string, value: Uint8Array): Promise<void>
  delete(key: string): Promise<void>
}

/** The random id of this database. */
export const storeIdKey = 'store-id'
/** Set by a restore, until the others' heads were heard: JSON of `RestoredFrom`. */
const restoredKey = 'restored-from'
const storeIdBytes = 16
/** Before the keys of the node, so that they never meet the store's own. */
const nodePrefix = 'node.'

/** The id of this database, made when it has none. */
export async function ownStoreId(table: MetaTable, commit: GroupCommit): Promise<Uint8Array> {
  const held = table.get(storeIdKey)
  if (held !== undefined) return held
  const storeId = Uint8Array.from(randomBytes(storeIdBytes))
  await commit.write(() => table.put(storeIdKey, storeId))
  return storeId
}

/** Backup that a store was restored from, kept until it knows whether others hold more. */
export interface RestoredFrom {
  /** When the backup was made, and when it was put in place; ms since 1970. */
  backupMs: number
  restoredMs: number
  /** Head of the backup. */
  epoch: number
  n: number
}

/** Makes what is in the file another store than the one it was copied from, and marks it. */
export function markRestored(db: Database, from: RestoredFrom): void {
  const table = new MetaTable(db)
  table.delete(storeIdKey)
  table.put(restoredKey, Buffer.from(JSON.stringify(from)))
}

export const restoredFrom = (table: MetaTable): RestoredFrom | undefined => {
  const bytes = table.get(restoredKey)
  if (bytes === undefined) return undefined
  const from: RestoredFrom = JSON.parse(Buffer.from(bytes).toString('utf8'))
  return from
}

/** Nobody needs to be waited for any more. */
export const forgetRestored = (table: MetaTable, commit: GroupCommit): Promise<void> =>
  commit.write(() => table.delete(restoredKey))

export const metaOf = (table: MetaTable, commit: Pick<GroupCommit, 'write'>): Meta => ({
  get: (key) => table.get(nodePrefix + key),
  set: (key, value) => commit.write(() => table.put(nodePrefix + key, value)),
  delete: (key) => commit.write(() => table.delete(nodePrefix + key))
})
