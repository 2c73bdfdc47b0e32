import { keyId } from '../../../identity/key-id.ts'
import { peerIdText } from '../../../identity/keys.ts'
import { LimitError, LogMismatchError, NotFoundError, RevokedError } from '../../../runtime/errors.ts'
import type { EntryBodies } from '../../objects/entry.ts'
import type { RuleContext } from './rule-context.ts'

/** People who run one network; each is a row of the state at everybody. */
const maxOperators = 64

/** @throws NotFoundError, LogMismatchError, LimitError, RevokedError */
export function checkOperator(body: EntryBodies['operator'], { tables }: RuleContext): void {
  const { publicKey, name } = body
  const { operators, policy } = tables
  const known = operators.get(keyId(publicKey))
  if (body.removed) {
    if (known?.name !== name) throw new NotFoundError(`no operator ${name} has the key ${peerIdText(publicKey)}`)
    const least = policy.policy.twoOperators.length > 0 ? 2 : 1
    if (operators.size > least) return
    const why =
      least === 2 ? 'the policy asks for two operators' : 'a network without operators has no names for what is done'
    throw new LogMismatchError(
      `${name} cannot be removed: ${why}; enter another one first (trustnet operator add NAME --key FILE.pub)`
    )
  }
  if (known !== undefined) throw new LogMismatchError(`this key is that of the operator ${known.name} already`)
  for (const row of operators.values()) {
    if (row.name === name) throw new LogMismatchError(`another key is that of the operator ${name}: remove it first`)
  }
  if (tables.revoked.has(keyId(publicKey))) throw new RevokedError(`${peerIdText(publicKey)} was revoked`)
  if (operators.size >= maxOperators) throw new LimitError(`${maxOperators} operators are there: remove some first`)
}

/** @throws LogMismatchError for a policy that nobody could change any more */
export function checkTwoOperators({ twoOperators }: EntryBodies['policy'], { tables }: RuleContext): void {
  if (twoOperators.length === 0 || tables.operators.size > 1) return
  throw new LogMismatchError('acts that need two operators need two that are there: enter a second operator first')
}
