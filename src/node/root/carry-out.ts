import type { AdminAnswered, AdminCall } from '../../protocols/admin/index.ts'
import { decodeQuestion } from '../../protocols/admin/index.ts'
import { readStoredOrder } from '../../registry/objects/orders/order.ts'
import type { Registry } from '../../registry/registry.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { NotRootError, UnavailableError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import { operatorName } from '../views/operator-names.ts'
import { carryDocument } from './carry-document.ts'
import { askRoot, isLost, type OrderCarrier } from './way-to-root.ts'

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
  return await askUntilAnswered(carrier, call, signal)
}

const pauseMs = 1_000
const retryMs = 5_000

/** Asks the root. Acts whose answer was lost are sent again: it answers an order that it has carried out with the entry. */
async function askUntilAnswered(
  carrier: OrderCarrier,
  call: Exclude<AdminCall, { document: unknown }>,
  signal: AbortSignal
): Promise<AdminAnswered> {
  for (let isSent = false; ; await sleep(pauseMs, signal).catch(() => {})) {
    try {
      return await askRoot(carrier, call, signal)
    } catch (error) {
      const isUnanswered = isLost(error)
      if (!isUnanswered && !(error instanceof UnavailableError)) throw error
      isSent ||= isUnanswered
      if (!isSent) throw notDone(error)
      if ('question' in call) throw unknown(error, 'ask again')
      if (signal.aborted) throw unknown(error, '`trustnet registry log` says so')
    }
  }
}

const notDone = (error: unknown): UnavailableError =>
  new UnavailableError(
    `the root cannot be asked (${reasonOf(error)}): nothing was changed, and nothing is kept; order it again when it is back`,
    error instanceof UnavailableError ? error.retryAfterMs : retryMs
  )

const unknown = (error: unknown, next: string): UnavailableError =>
  new UnavailableError(
    `the root has not answered (${reasonOf(error)}), and may have done it all the same: ${next}`,
    retryMs
  )

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
  const order = readStoredOrder(call.order)
  const by = operatorName(registry, order.publicKey)
  const { logger } = registry.replica.ledger
  if (question.what === 'withdraw') {
    await orders.withdraw(question.id, order)
    logger.info({ by, id: question.id }, 'an operator took back what waited for a second one')
    return { entries: [], waiting: [] }
  }
  await orders.rejectJoin(question.join, question.reason)
  logger.info({ by, reason: question.reason }, 'an operator turned a join away')
  return { entries: [], waiting: [] }
}
