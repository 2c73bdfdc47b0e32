import type { AdminAnswered, AdminCall } from '../../protocols/admin/index.ts'
import { decodeQuestion } from '../../protocols/admin/index.ts'
import { readStoredOrder } from '../../registry/objects/orders/order.ts'
import type { Registry } from '../../registry/registry.ts'
import { NotRootError, UnavailableError } from '../../runtime/errors.ts'
import { operatorName } from '../views/operator-names.ts'
import { carryDocument } from './carry-document.ts'
import { askRoot, type OrderCarrier } from './way-to-root.ts'

export interface CarryOutOptions {
  /** True when a registry that is not the root brings it: it is not sent on once more. */
  forwarded?: boolean
  signal: AbortSignal
}

/**
 * Carries out what an operator has signed: here at the root, else by asking the root. Nothing is kept while the root is away, as an order
 * says what its signer knew, and soon knows no more.
 *
 * @throws NotOperatorError, SecondOperatorError, ChangedMeanwhileError and what the rules of the log forbid; UnavailableError without the root
 */
export async function carryOut(
  carrier: OrderCarrier,
  call: AdminCall,
  from: Uint8Array,
  { forwarded = false, signal }: CarryOutOptions
): Promise<AdminAnswered> {
  const { registry } = carrier
  if (registry.root !== undefined && !registry.root.isReplaced) return await carryOutHere(registry, call, from)
  if (forwarded) throw new NotRootError('this registry is not the root')
  if ('document' in call) {
    // A publisher asks root and secondaries itself: through all members one of them could ask more than its share.
    if (registry.role !== 'secondary') throw new NotRootError('this node keeps no documents for others')
    return await carryDocument(carrier, call.document, signal)
  }
  try {
    return await askRoot(carrier, call, signal)
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    const why = `the root cannot be asked (${error.message}): nothing was changed, and nothing is kept; order it again when it is back`
    throw new UnavailableError(why, error.retryAfterMs)
  }
}

async function carryOutHere(registry: Registry, call: AdminCall, from: Uint8Array): Promise<AdminAnswered> {
  const { admission, documents } = registry
  if ('acts' in call) {
    const entries = await admission.orders.submit(call.acts, from)
    return { entries: entries.map(({ bytes }) => bytes), waiting: [] }
  }
  if ('document' in call) {
    const { entry } = await documents.submit(call.document)
    return { entries: [entry], waiting: [] }
  }
  const { orders } = admission
  orders.requireAsker(call.question, call.order, from)
  const question = decodeQuestion(call.question)
  if (question.what === 'waiting') return { entries: [], waiting: orders.waiting() }
  await orders.rejectJoin(question.join, question.reason)
  const by = operatorName(registry, readStoredOrder(call.order).publicKey)
  registry.replica.ledger.logger.info({ by, reason: question.reason }, 'an operator turned a join away')
  return { entries: [], waiting: [] }
}
