import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import type { WaitingActs } from '../../registry/admission/orders/waiting-orders.ts'
import { readStoredOrder } from '../../registry/objects/orders/order.ts'
import type { Registry } from '../../registry/registry.ts'
import type { OperatorsView, OperatorView, WaitingOrdersView } from '../api/registry-views.ts'
import { actDetail } from '../views/log-view.ts'
import { operatorName } from '../views/operator-names.ts'

/** Operators in the order in which they were entered. */
export const operatorsView = ({ replica }: Registry): OperatorsView => ({
  operators: replica.state
    .operators()
    .map(({ name, publicKey, n }) => ({ name, keyId: peerIdText(publicKey), entry: n }))
})

/** @throws LogMismatchError, InvalidPayloadError */
export async function addOperator(
  { admission }: Registry,
  { name, keyId, plan = false }: { name: string; keyId: string; plan?: boolean | undefined },
  author: Author
): Promise<OperatorView> {
  const publicKey = publicKeyOf(keyId)
  if (plan) return said(name, keyId, null, 'would be an operator: whoever has the key may do all that operators do')
  const entry = await admission.orders.operators.add(name, publicKey, author)
  const message = entry === undefined ? 'is an operator already' : 'is an operator now'
  return said(name, keyId, entry?.value.n ?? null, message)
}

/** By name; of one who was removed it gives that entry. @throws NotFoundError, LogMismatchError for the last one */
export async function removeOperator(
  { admission, replica }: Registry,
  { name, plan = false }: { name: string; plan?: boolean | undefined },
  author: Author
): Promise<OperatorView> {
  const { operators } = admission.orders
  const isOne = replica.state.operators().some((operator) => operator.name === name)
  const before = isOne ? undefined : operators.removal(name)
  if (before !== undefined) {
    return said(name, peerIdText(before.body.publicKey), before.n, 'is no operator: the key was removed before')
  }
  const row = operators.find(name)
  const keyId = peerIdText(row.publicKey)
  if (plan) return said(name, keyId, null, 'would be an operator no more; what was ordered stays as it is')
  const { value } = await operators.remove(row, author)
  return said(name, keyId, value.n, 'is an operator no more; what was ordered stays as it is')
}

const said = (name: string, keyId: string, entry: number | null, message: string): OperatorView => ({
  name,
  keyId,
  entry,
  message
})

/** Acts that wait at the root for a second operator. */
export const waitingOrdersView = (registry: Registry, waiting: readonly WaitingActs[]): WaitingOrdersView => ({
  waiting: waiting.map(({ id, sinceMs, acts }) => ({
    id,
    sinceMs,
    by: acts
      .slice(0, 1)
      .filter(({ order }) => order.length > 0)
      .map(({ order }) => operatorName(registry, readStoredOrder(order).publicKey)),
    acts: acts.map((act) => actDetail(registry, act))
  }))
})
