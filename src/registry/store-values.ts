import { randomBytes } from 'node:crypto'
import type { GroupCommit } from './store/commit.ts'
import type { Database } from './store/database.ts'
import { MetaTable } from './store/meta-table.ts'

/** Small values that belong to this node and this store: seq, cursors, pins. */
export interface Meta {
  get(key: string): Uint8Array | undefined
  /** Resolves when it is durable. */
  set(key: string, value: Uint8Array): Promise<void>
  delete(key: string): Promise<void>
}

const storeIdKey = 'store-id'
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

/** Takes the id from a copy: cursors into the original must not count in what the copy becomes. */
export const dropStoreId = (db: Database): void => new MetaTable(db).delete(storeIdKey)

export const metaOf = (table: MetaTable, commit: GroupCommit): Meta => ({
  get: (key) => table.get(nodePrefix + key),
  set: (key, value) => commit.write(() => table.put(nodePrefix + key, value)),
  delete: (key) => commit.write(() => table.delete(nodePrefix + key))
})
