import type { Registry } from '../../../registry/registry.ts'
import { ownStore } from '../../config/field-types/root-store-field.ts'
import type { Config } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'

/** Key of the database that keeps the log, as text; missing: the store keeps it. */
const key = 'root-store'

/** Keeps in the store of a root that a database has the log: a start without it would go on beside another root. */
export async function rememberStore({ meta }: Registry, store: string): Promise<void> {
  const held = meta.get(key)
  if (held === undefined || Buffer.from(held).toString() !== store) await meta.set(key, Buffer.from(store))
}

/** @throws ConfigError for a root whose log is kept by a database that its configuration does not name; the store is closed then */
export async function requireOwnLog(registry: Registry, { root: { store } }: Config): Promise<void> {
  const held = registry.root === undefined ? undefined : registry.meta.get(key)
  if (held === undefined) return
  if (store === ownStore) {
    await registry.meta.delete(key)
    return
  }
  await registry.close()
  throw new ConfigError([
    `the log of this network is kept by ${Buffer.from(held).toString()}, where another process may be the root: name that as root.store. ` +
      `Once no candidate runs any more, root.store: ${ownStore} takes the log back into this store`
  ])
}
