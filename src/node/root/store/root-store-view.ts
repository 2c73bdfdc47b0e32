import { isPeerIdText, publicKeyOf } from '../../../identity/keys.ts'
import type { Registry } from '../../../registry/registry.ts'
import type { RegistryStatusView } from '../../api/registry-views.ts'
import type { NodeContext } from '../../node-context.ts'
import { refOf, wholeMs } from '../../views/refs.ts'
import { lackingEntries } from './fill-history.ts'

/** The database that keeps the log, as a root or candidate sees it. */
export function rootStoreOf({ seat }: NodeContext, registry: Registry): RegistryStatusView['rootStore'] {
  if (seat === undefined) return null
  const { store, state, others = [], weaknesses, failure, fault } = seat.view
  const refs = (holders: readonly string[]) =>
    holders.filter(isPeerIdText).map((holder) => refOf(registry, publicKeyOf(holder)))
  return {
    store,
    held: seat.isHeld,
    term: state?.lease.term ?? null,
    holder: state === undefined ? null : (refs([state.lease.holder])[0] ?? null),
    leftMs: state === undefined ? null : wholeMs(state.lease.leftMs),
    epoch: state?.head.epoch ?? null,
    head: state?.head.n ?? null,
    behind: state === undefined ? null : Math.max(0, state.head.n - registry.replica.head.n),
    lacks: state === undefined ? null : lackingEntries(registry.replica, state),
    candidates: refs(others),
    weaknesses: [...weaknesses],
    failure: failure?.message ?? null,
    failingSinceMs: failure?.sinceMs ?? null,
    fault: fault ?? null
  }
}
