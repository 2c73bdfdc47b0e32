import { peerIdText } from '../../identity/keys.ts'
import { readStoredEntry } from '../../registry/log/state/stored-entry.ts'
import type { LogEntry } from '../../registry/objects/entry.ts'
import { readStoredOrder } from '../../registry/objects/orders/order.ts'
import type { Registry } from '../../registry/registry.ts'

/** Name of an operator, also of one who is none any more as long as an entry says it; else the key. */
export function operatorName({ replica }: Pick<Registry, 'replica'>, publicKey: Uint8Array): string {
  const now = replica.state.operator(publicKey)
  if (now !== undefined) return now.name
  for (const { envelope } of replica.ledger.table.about(publicKey)) {
    const { value } = readStoredEntry(envelope)
    if (value.kind === 'operator') return value.body.name
  }
  return peerIdText(publicKey)
}

/** Those who caused an entry. */
export const causedBy = (registry: Pick<Registry, 'replica'>, { orders = [] }: LogEntry): string[] =>
  orders.map((order) => operatorName(registry, readStoredOrder(order).publicKey))

/** Name for the log of whoever gave a command or signal to this process: the operator of this root, elsewhere whoever has the machine. */
export const whoAsks = (registry: Pick<Registry, 'replica' | 'root'> | undefined): string => {
  const operator = registry?.root?.operator
  return registry === undefined || operator === undefined
    ? 'whoever has this machine'
    : operatorName(registry, operator)
}
