import type { SigningKey } from '../../identity/keys.ts'
import { NotOperatorError } from '../../runtime/errors.ts'
import type { EntryContent } from '../objects/entry.ts'
import { sealOrder } from '../objects/orders/order.ts'
import type { NetworkState } from './state/network-state.ts'
import { orderedIn } from './state/proofs.ts'

/**
 * The orders of the operator of this machine for an entry that follows the head; none in a network without operators.
 * @throws NotOperatorError on a machine without the key of an operator, but with `known`
 */
export function ownOrders(
  content: EntryContent,
  state: NetworkState,
  timeMs: number,
  key: SigningKey | undefined,
  byOperator: true | 'known' = true
): Uint8Array[] {
  if (state.operators().length === 0) return []
  if (key === undefined || state.operator(key.publicKey) === undefined) {
    if (byOperator === 'known') return []
    throw new NotOperatorError(
      'no key of an operator is on this machine: give one with --as KEYFILE (`trustnet operator list` names the operators)'
    )
  }
  const { epoch, n: seenN } = state.head
  const order = { networkId: state.genesis.hash, epoch, seenN, timeMs, ...orderedIn(content) }
  return [sealOrder(order, key).bytes]
}
