import { text } from '../fields.ts'
import { etcdTarget, isEtcd } from './etcd-url.ts'
import { storeTarget } from './root-store-url.ts'

/** The value of `root.store` that brings the log back into the store of the root. */
export const ownStore = 'sqlite'

/** Address of the database that keeps the log, or `sqlite`. */
export const rootStoreField = () => text(rootStoreProblem)

/** The problem with such a value; undefined: none. */
export function rootStoreProblem(value: string): string | undefined {
  if (value === ownStore) return undefined
  const target = isEtcd(value) ? etcdTarget(value) : storeTarget(value)
  return 'problem' in target ? target.problem : undefined
}
