import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../../identity/keys.ts'
import type { Registry } from '../../../registry/registry.ts'
import { NotRootError } from '../../../runtime/errors.ts'
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
  const problem = store === ownStore ? elsewhere(registry) : named(Buffer.from(held).toString())
  if (problem === undefined) {
    await registry.meta.delete(key)
    return
  }
  await registry.close()
  throw new ConfigError([problem])
}

const named = (held: string): string =>
  `the log of this network is kept by ${held}, where another process may be the root: name that as root.store. ` +
  `Once no candidate runs any more, root.store: ${ownStore} takes the log back into this store`

/** The reason why the log is not taken back into this store: another one has been the root since. */
function elsewhere({ root, replica: { state } }: Registry): string | undefined {
  const last = state.rootRegistry()
  if (root === undefined || last === undefined || equals(last.publicKey, root.publicKey)) return undefined
  const name = state.member(last.publicKey)?.name ?? peerIdText(last.publicKey)
  return (
    `root.store: ${ownStore} takes the log back at the root of today, which is ${name}: do it there, with role: root, or name the ` +
    'database here until this process has taken its place'
  )
}

/** With its process stopped, an entry would go into the store alone, while another process is the root. @throws NotRootError */
export function requireNoDatabase({ root: { store } }: Config): void {
  if (store === undefined || store === ownStore) return
  throw new NotRootError(
    `${store} keeps the log, where another process is the root by now: run this on the machine of the root, while its process runs ` +
      '(`trustnet registry status` names it)'
  )
}
