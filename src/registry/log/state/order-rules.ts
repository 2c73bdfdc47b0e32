import { keyId } from '../../../identity/key-id.ts'
import { peerIdText } from '../../../identity/keys.ts'
import {
  ChangedMeanwhileError,
  LogMismatchError,
  NotOperatorError,
  SecondOperatorError
} from '../../../runtime/errors.ts'
import { clockSkewMs, receiptValidMs, secondOrderMs } from '../../admission/limits.ts'
import { type EntryContent, entryKinds } from '../../objects/entry.ts'
import { type Order, readStoredOrder } from '../../objects/orders/order.ts'
import { isSameGroups } from '../../objects/policy/groups.ts'
import type { RuleContext } from './rule-context.ts'
import type { Tables } from './tables.ts'

/** An entry, or what is to be one, with the orders of those who caused it. */
export type OrderedContent = EntryContent & { readonly orders?: readonly Uint8Array[] }

/** Kinds that nobody but an operator causes: each needs an order as soon as there are operators. */
const alwaysOrdered: ReadonlySet<EntryContent['kind']> = new Set(['grant', 'change', 'policy', 'operator'])

/**
 * Entries right behind a delegate that need no order: whoever has the authority's key puts the new root and its operator in their places.
 */
const openingEntries = 8

/**
 * Judges who caused an entry: each order is by an operator, knows what the entry changes as it is now, and is not too old; and there are
 * as many as the kind needs. Signature, kind and digest of an order are judged with the envelopes inside an entry.
 *
 * @throws NotOperatorError, SecondOperatorError, ChangedMeanwhileError, LogMismatchError
 */
export function checkOrders(content: OrderedContent, context: RuleContext): void {
  const orders = (content.orders ?? []).map(readStoredOrder)
  for (const order of orders) checkOrder(order, content, context)
  checkTimes(orders, context.timeMs)
  const [first, second] = orders
  if (first !== undefined && second !== undefined && keyId(first.publicKey) === keyId(second.publicKey)) {
    throw new SecondOperatorError('both orders are of the same operator: another one has to sign, too')
  }
  requireEnough(orders.length, content, context)
}

function checkOrder(order: Order, content: EntryContent, { tables, keys, headN }: RuleContext): void {
  if (!tables.operators.has(keyId(order.publicKey))) throw notOperator(order.publicKey)
  const changedN = changedAt(content, tables)
  if (order.seenN > headN)
    throw new LogMismatchError(`an order that knows entry ${order.seenN}, where ${headN} is the head`)
  if (order.epoch === keys.epoch && order.seenN >= changedN) return
  const since = order.epoch === keys.epoch ? `entry ${changedN} has changed it` : `epoch ${keys.epoch} has begun`
  throw new ChangedMeanwhileError(`${since} since the operator looked: look again, and decide anew`)
}

export const notOperator = (publicKey: Uint8Array): NotOperatorError =>
  new NotOperatorError(
    `${peerIdText(publicKey)} is no operator of this network: \`trustnet operator list\` names them, one of them adds others`
  )

/** The last order makes the entry; the one before it may have waited for that. */
function checkTimes(orders: readonly Order[], timeMs: number): void {
  if (orders.length === 0) return
  const times = orders.map((order) => order.timeMs)
  const newest = Math.max(...times)
  if (Math.abs(newest - timeMs) > clockSkewMs) {
    throw new LogMismatchError(
      `the order is of ${new Date(newest).toISOString()}, the entry of ${new Date(timeMs).toISOString()}: compare the clocks, and order again`
    )
  }
  if (Math.min(...times) < timeMs - secondOrderMs) {
    throw new LogMismatchError('the first order has waited for the second for more than a day: order it again')
  }
}

function requireEnough(count: number, content: EntryContent, context: RuleContext): void {
  const needed = neededOrders(content, context)
  if (count >= needed) return
  if (count === 0) {
    throw new NotOperatorError(`an entry of kind ${content.kind} needs the order of an operator`)
  }
  throw new SecondOperatorError(
    `the policy asks for two operators for an entry of kind ${content.kind}: one has signed`
  )
}

/** Orders that an entry needs at this place. */
export function neededOrders(content: EntryContent, context: RuleContext): number {
  const { tables, keys, headN } = context
  if (content.kind === 'unknown' || tables.operators.size === 0) return 0
  const opened = keys.epochs.at(-1)
  if (opened !== undefined && opened.epoch > 0 && headN <= opened.forkN + openingEntries) return 0
  if (!isByPerson(content, context)) return 0
  if (tables.policy.policy.twoOperators.includes(entryKinds[content.kind])) return 2
  return alwaysOrdered.has(content.kind) ? 1 : 0
}

/** False for what a machine does by itself, or a member for itself. */
function isByPerson(content: EntryContent, { tables, timeMs }: RuleContext): boolean {
  switch (content.kind) {
    case 'admit': {
      const { via, publicKey, name, role, groups = [] } = content.body
      const before = tables.members.get(keyId(publicKey))
      const isSame = before?.name === name && before.role === role && isSameGroups(before.groups, groups)
      return via === 'approved' && !isSame
    }
    case 'revoke': {
      // The invite by which another takes the place was ordered.
      const { name } = content.body
      return name === undefined || ![...tables.grants.values()].some(({ grant }) => grant.replaces === name)
    }
    case 'registrySet':
      return content.body.removed
    case 'end':
      return (
        content.body.request === undefined &&
        tables.members.get(keyId(content.body.publicKey))?.ephemeralMs === undefined
      )
    case 'grantEnd': {
      const endMs = tables.grants.get(keyId(content.body.id))?.grant.notAfterMs ?? 0
      return timeMs <= endMs + receiptValidMs + clockSkewMs
    }
    case 'renew':
    case 'rotate':
    case 'delegate':
    case 'authority':
    case 'publish':
      return false
    default:
      return true
  }
}

/** Position of the newest entry about what this one changes; 0: there is none. */
function changedAt(content: EntryContent, tables: Tables): number {
  switch (content.kind) {
    case 'admit':
    case 'revoke':
    case 'change':
    case 'end': {
      const member = tables.members.get(keyId(content.body.publicKey))
      return Math.max(member?.admitN ?? 0, member?.changeN ?? 0)
    }
    case 'registrySet':
      return tables.registries.get(keyId(content.body.publicKey))?.n ?? 0
    case 'publisher':
      return tables.publishers.get(keyId(content.body.publicKey))?.n ?? 0
    case 'operator':
      return tables.operators.get(keyId(content.body.publicKey))?.n ?? 0
    case 'grantEnd':
      return tables.grants.get(keyId(content.body.id))?.n ?? 0
    case 'retire':
      return tables.documents.get(content.body.id)?.n ?? 0
    case 'policy':
      return tables.policy.n
    default:
      return 0
  }
}
