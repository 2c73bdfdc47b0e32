import { entryKinds } from '../../../registry/objects/entry.ts'
import type { Registry } from '../../../registry/registry.ts'
import type { Place } from './late-answers.ts'

/** Kinds of entries that take back, or go beyond, what a person has caused before. */
const changing: ReadonlySet<number> = new Set([
  entryKinds.revoke,
  entryKinds.registrySet,
  entryKinds.publisher,
  entryKinds.publish,
  entryKinds.retire,
  entryKinds.policy,
  entryKinds.grant,
  entryKinds.grantEnd,
  entryKinds.change,
  entryKinds.end,
  entryKinds.operator
])

const mostEntries = 1_000

/** Tells whether the log has such an entry behind this place, or another epoch; more entries than are looked at count as one. */
export function isChangedSince({ replica }: Pick<Registry, 'replica'>, { epoch, n }: Place): boolean {
  if (replica.head.epoch !== epoch || replica.head.n < n) return true
  const page = replica.ledger.table.page(n, mostEntries)
  return page.length === mostEntries || page.some(({ kind }) => changing.has(kind))
}
