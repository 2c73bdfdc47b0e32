import { equals } from 'uint8arrays/equals'
import { keyId } from '../../../identity/key-id.ts'
import { peerIdText } from '../../../identity/keys.ts'
import { LogMismatchError, NotFoundError, RevokedError } from '../../../runtime/errors.ts'
import type { EntryBodies, EntryContent, EntryKind, LogEntry, Publish } from '../../objects/entry.ts'
import { checkTests } from '../../objects/policy/call-rules.ts'
import { checkUnderstood } from '../../objects/policy/understood.ts'
import { checkGrant, checkGrantEnd } from './grant-rules.ts'
import {
  checkAdmit,
  checkChange,
  checkEnd,
  checkRenew,
  checkRevoke,
  checkRotate,
  requireMember
} from './member-rules.ts'
import { checkOperator, checkTwoOperators } from './operator-rules.ts'
import { shareOf } from './rows.ts'
import type { RuleContext } from './rule-context.ts'

type Rules = { readonly [K in EntryKind]?: (body: EntryBodies[K], context: RuleContext) => void }

/** Delegate and authority entries are judged by LogKeys. */
const rules: Rules = {
  admit: checkAdmit,
  renew: checkRenew,
  revoke: checkRevoke,
  rotate: checkRotate,
  registrySet: checkRegistrySet,
  publisher: checkPublisher,
  publish: checkPublish,
  retire: checkRetire,
  policy: checkPolicy,
  grant: checkGrant,
  grantEnd: checkGrantEnd,
  change: checkChange,
  end: checkEnd,
  operator: checkOperator
}

const checkKnown = <K extends EntryKind>(kind: K, body: EntryBodies[K], context: RuleContext): void =>
  rules[kind]?.(body, context)

/**
 * Rules that every replica can check of an entry's body, with all entries before it known. Those of a kind that is not known here have
 * no rule.
 *
 * @throws RevokedError, NotMemberError, NameTakenError, NotFoundError, LogMismatchError, UnsupportedVersionError
 * @throws InviteInvalidError, InviteExpiredError, LimitError
 */
export function checkRules(content: LogEntry | EntryContent, context: RuleContext): void {
  if (content.kind !== 'unknown') checkKnown(content.kind, content.body, context)
}

function checkPolicy(body: EntryBodies['policy'], context: RuleContext): void {
  // A policy that is for newer versions has rules that are not known here.
  checkUnderstood(body)
  checkTwoOperators(body, context)
  checkTests(body)
}

function checkRegistrySet(body: EntryBodies['registrySet'], context: RuleContext): void {
  if (!body.removed) requireMember(body.publicKey, context)
  else if (!context.tables.registries.has(keyId(body.publicKey))) {
    throw new NotFoundError(`${peerIdText(body.publicKey)} is not in the set of registries`)
  }
}

function checkPublisher({ publicKey, removed }: EntryBodies['publisher'], { tables }: RuleContext): void {
  const isThere = tables.publishers.has(keyId(publicKey))
  if (removed && !isThere) throw new NotFoundError(`${peerIdText(publicKey)} is no publisher`)
  if (!removed && isThere) throw new LogMismatchError(`${peerIdText(publicKey)} is a publisher already`)
  if (!removed && tables.revoked.has(keyId(publicKey))) throw new RevokedError(`${peerIdText(publicKey)} was revoked`)
}

function checkPublish(body: Publish, context: RuleContext): void {
  const { tables } = context
  const { documentBytes } = tables.policy.policy
  const known = tables.documents.get(body.id)
  const due = (known?.version ?? 0) + 1
  if (body.documentVersion !== due) {
    throw new LogMismatchError(`version ${body.documentVersion} of ${body.id}, where ${due} is due`)
  }
  if (!mayPublish(body.publisherKey, context)) {
    throw new LogMismatchError(`${peerIdText(body.publisherKey)} may not publish`)
  }
  const othersBytes = tables.currentDocuments.bytes - shareOf(known).bytes
  if (othersBytes + body.sizeBytes > documentBytes) {
    throw new LogMismatchError(`${body.id} would fill the quota of ${documentBytes} bytes: retire some documents`)
  }
}

/** Tells whether the key may publish documents. */
export function mayPublish(publicKey: Uint8Array, { tables, keys }: Pick<RuleContext, 'tables' | 'keys'>): boolean {
  const registry = tables.registries.get(keyId(publicKey))
  const { publishing } = tables.policy.policy
  // It may have been made a publisher before.
  if (tables.revoked.has(keyId(publicKey))) return false
  return (
    registry?.role === 'root' ||
    (registry !== undefined && publishing === 'registries') ||
    (tables.publishers.has(keyId(publicKey)) && publishing !== 'root') ||
    keys.isKeyOf(keys.epoch, publicKey) ||
    equals(keys.authorityKey, publicKey)
  )
}

function checkRetire({ id }: EntryBodies['retire'], { tables }: RuleContext): void {
  const row = tables.documents.get(id)
  if (row === undefined) throw new NotFoundError(`there is no document ${id}`)
  if (row.retired !== undefined) throw new LogMismatchError(`${id} is retired already`)
}
