import { equals } from 'uint8arrays/equals'
import { keyId } from '../../../identity/key-id.ts'
import {
  InvalidPayloadError,
  InviteExpiredError,
  InviteInvalidError,
  InviteUsedError,
  LimitError,
  LogMismatchError,
  NotFoundError
} from '../../../runtime/errors.ts'
import { clockSkewMs, receiptValidMs } from '../../admission/limits.ts'
import type { EntryBodies } from '../../objects/entry.ts'
import type { Grant } from '../../objects/grant.ts'
import { checkJoinAgainstGrant, readStoredJoin } from '../../objects/join.ts'
import { readStoredReceipt } from '../../objects/receipt.ts'
import type { RuleContext } from './rule-context.ts'

/** @throws InvalidPayloadError, LimitError */
export function checkGrant(body: Grant, { tables, timeMs }: RuleContext): void {
  const { openGrants, grantUses, grantMs } = tables.policy.policy
  if (body.role === 'root') throw new InvalidPayloadError('nobody is invited as root: a secondary is promoted to it')
  if (tables.grants.has(keyId(body.id))) throw new InvalidPayloadError('an invite with this id is open already')
  if (tables.grants.size >= openGrants) {
    throw new LimitError(
      `${openGrants} invites are open, which is what the policy allows: cancel some (\`trustnet invite list\`), or give them more uses`
    )
  }
  if (body.uses > grantUses) throw new InvalidPayloadError(`an invite has at most the ${grantUses} uses of the policy`)
  if ((body.name !== undefined || body.replaces !== undefined) && body.uses !== 1) {
    throw new InvalidPayloadError('an invite with a name has one use')
  }
  if (body.notAfterMs > timeMs + grantMs + clockSkewMs) {
    throw new InvalidPayloadError(`an invite is open for at most the ${grantMs / 3_600_000} h of the policy`)
  }
}

/** @throws NotFoundError */
export function checkGrantEnd({ id }: EntryBodies['grantEnd'], { tables }: RuleContext): void {
  if (!tables.grants.has(keyId(id))) throw new NotFoundError('no invite with this id is open')
}

/**
 * The open invite that an admission uses.
 * @throws InviteInvalidError, InviteUsedError, InviteExpiredError, LogMismatchError
 */
export function checkUse(body: EntryBodies['admit'], context: RuleContext): Grant {
  const { tables } = context
  const { grantId = new Uint8Array(), join: joinBytes = new Uint8Array() } = body
  const row = tables.grants.get(keyId(grantId))
  if (row === undefined) {
    throw new InviteInvalidError('no such invite is open: it is used up, was taken back, or is not of this history')
  }
  const { grant } = row
  if (row.ended.has(keyId(body.publicKey))) {
    throw new InviteUsedError(
      `this invite let ${body.name} in before, and that membership was ended: a new one is needed`
    )
  }
  checkJoinAgainstGrant(readStoredJoin(joinBytes), grant)
  if (receivedMs(body, context) > grant.notAfterMs) {
    throw new InviteExpiredError(`the invite ended at ${new Date(grant.notAfterMs).toISOString()}`)
  }
  const replaced = grant.replaces === undefined ? undefined : tables.names.get(grant.replaces)
  if (replaced !== undefined && !equals(replaced.publicKey, body.publicKey)) {
    throw new LogMismatchError(`${body.name} is to take the place of ${replaced.name}, who is not revoked`)
  }
  return grant
}

/** When a registry of the set took the join in; without a receipt, the entry's own time. @throws LogMismatchError */
function receivedMs({ receipt }: EntryBodies['admit'], { tables, timeMs }: RuleContext): number {
  if (receipt === undefined) return timeMs
  const { signer, value } = readStoredReceipt(receipt)
  if (!tables.registries.has(keyId(signer))) {
    throw new LogMismatchError('the receipt of the admission is not of a registry of the set')
  }
  if (value.timeMs > timeMs + clockSkewMs || timeMs - value.timeMs > receiptValidMs) {
    throw new LogMismatchError('the receipt of the admission is of another day')
  }
  return value.timeMs
}
