import { equals } from 'uint8arrays/equals'
import { keyId } from '../../../identity/key-id.ts'
import { peerIdText } from '../../../identity/keys.ts'
import {
  LogMismatchError,
  NameTakenError,
  NotFoundError,
  NotMemberError,
  RevokedError,
  UnsupportedVersionError
} from '../../../runtime/errors.ts'
import { clockSkewMs } from '../../admission/limits.ts'
import {
  type EntryBodies,
  type EntryContent,
  entryKindOf,
  entryKinds,
  type LogEntry,
  type Publish
} from '../../objects/entry.ts'
import { checkGrant, checkGrantEnd, checkUse } from './grant-rules.ts'
import type { MemberRow, RegistryRow } from './rows.ts'
import type { RuleContext } from './rule-context.ts'

/**
 * Rules that every replica can check of an entry's body, with all entries before it known. Delegate and authority entries are judged by
 * LogKeys; those of a kind that is not known here have no rule.
 *
 * @throws RevokedError, NotMemberError, NameTakenError, NotFoundError, LogMismatchError, UnsupportedVersionError
 * @throws InviteInvalidError, InviteExpiredError, LimitError
 */
export function checkRules(content: LogEntry | EntryContent, context: RuleContext): void {
  switch (content.kind) {
    case 'admit':
      checkAdmit(content.body, context)
      break
    case 'renew':
      checkRenew(content.body, context)
      break
    case 'revoke':
      checkRevoke(content.body, context)
      break
    case 'rotate':
      checkRotate(content.body, context)
      break
    case 'registrySet':
      checkRegistrySet(content.body, context)
      break
    case 'publisher':
      checkPublisher(content.body, context)
      break
    case 'publish':
      checkPublish(content.body, context)
      break
    case 'retire':
      checkRetire(content.body, context)
      break
    case 'policy':
      checkUnderstood(content.body)
      break
    case 'grant':
      checkGrant(content.body, context)
      break
    case 'grantEnd':
      checkGrantEnd(content.body, context)
      break
    default:
  }
}

function checkNotRevoked(publicKey: Uint8Array, { tables }: RuleContext): void {
  if (tables.revoked.has(keyId(publicKey))) {
    throw new RevokedError(`${peerIdText(publicKey)} was revoked, which holds for ever`)
  }
}

function requireMember(publicKey: Uint8Array, { tables }: RuleContext): MemberRow {
  const row = tables.members.get(keyId(publicKey))
  if (row === undefined) throw new NotMemberError(`${peerIdText(publicKey)} is no member`)
  return row
}

function checkEnd(notAfterMs: number, { tables, timeMs }: RuleContext): void {
  const { membershipMs } = tables.policy.policy
  if (notAfterMs > timeMs + membershipMs + clockSkewMs) {
    throw new LogMismatchError(`a membership of more than the ${membershipMs} ms that the policy allows`)
  }
}

function checkAdmit(body: EntryBodies['admit'], context: RuleContext): void {
  const { tables } = context
  checkNotRevoked(body.publicKey, context)
  const holder = tables.names.get(body.name)
  if (holder !== undefined && !equals(holder.publicKey, body.publicKey)) {
    throw new NameTakenError(`the name ${body.name} belongs to ${peerIdText(holder.publicKey)}`)
  }
  if (body.via === 'founder' && (tables.members.size > 0 || tables.revoked.size > 0)) {
    throw new LogMismatchError(`${body.name} is admitted as founder of a network that has members`)
  }
  checkEnd(body.notAfterMs, context)
  const grant = body.grantId === undefined ? undefined : checkUse(body, context)
  if (holder === undefined && grant?.replaces !== body.name) checkNameFree(body, context)
}

/**
 * The name of a revoked member waits, so that nobody takes another machine for it. In one batch with the revoke it goes over at once, by
 * an operator's word alone: anybody could wait for the revoke and join right behind it.
 */
function checkNameFree({ name, via }: EntryBodies['admit'], { tables, timeMs, headN }: RuleContext): void {
  const held = tables.heldNames.get(name)
  const freeMs = (held?.timeMs ?? 0) + tables.policy.policy.nameHoldMs
  const goesOver = held?.n === headN && via === 'approved'
  if (held === undefined || goesOver || timeMs >= freeMs) return
  throw new NameTakenError(
    `the name ${name} was that of a revoked member and is free from ${new Date(freeMs).toISOString()}: take another name, or ask the operator of the root for an invite with --replace ${name}`
  )
}

/** The registry that was entered as root last. */
export function rootOf(registries: Iterable<RegistryRow>): RegistryRow | undefined {
  let root: RegistryRow | undefined
  for (const row of registries) if (row.role === 'root' && row.n > (root?.n ?? -1)) root = row
  return root
}

/** A root that an older epoch entered is one that was replaced. */
function checkRevoke({ publicKey, name }: EntryBodies['revoke'], context: RuleContext): void {
  const { tables, keys } = context
  checkNotRevoked(publicKey, context)
  const root = rootOf(tables.registries.values())
  const forkN = keys.epochs.at(-1)?.forkN ?? 0
  if (root !== undefined && root.n > forkN && equals(root.publicKey, publicKey)) {
    throw new LogMismatchError('the root cannot be revoked: promote a secondary first')
  }
  const member = tables.members.get(keyId(publicKey))
  if (member?.name !== name) {
    throw new LogMismatchError(
      `the revoke of ${peerIdText(publicKey)} names ${name ?? 'nobody'}, the member is ${member?.name ?? 'none'}`
    )
  }
}

/** The root goes by rules that this program does not know: what follows cannot be judged here. */
export class NewerRulesError extends UnsupportedVersionError {}

/** @throws NewerRulesError */
export function checkUnderstood({ witnesses, criticalKinds }: EntryBodies['policy']): void {
  if (witnesses > 0) throw new NewerRulesError('the policy asks for witnesses: update this program')
  const kind = criticalKinds.find((each) => each !== entryKinds.genesis && entryKindOf(each) === undefined)
  if (kind === undefined) return
  throw new NewerRulesError(`the policy asks for knowledge of entries of kind ${kind}: update this program`)
}

function checkRenew(body: EntryBodies['renew'], context: RuleContext): void {
  checkNotRevoked(body.publicKey, context)
  const member = requireMember(body.publicKey, context)
  checkEnd(body.notAfterMs, context)
  if (body.notAfterMs < member.notAfterMs)
    throw new LogMismatchError(`a renewal makes ${member.name}'s membership shorter`)
  const asked = context.proofs?.renewedNotAfterMs
  if (asked !== undefined && asked !== member.notAfterMs) {
    throw new LogMismatchError(`the request of ${member.name}'s renewal is for another membership`)
  }
}

function checkRotate({ oldKey, newKey }: EntryBodies['rotate'], context: RuleContext): void {
  checkNotRevoked(oldKey, context)
  checkNotRevoked(newKey, context)
  requireMember(oldKey, context)
  if (context.tables.members.has(keyId(newKey))) {
    throw new LogMismatchError(`${peerIdText(newKey)} is a member already and cannot take another's place`)
  }
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
  let bytes = body.sizeBytes
  for (const row of tables.documents.values()) {
    if (row.retired === undefined && row.id !== body.id) bytes += row.sizeBytes
  }
  if (bytes > documentBytes) {
    throw new LogMismatchError(`${body.id} would fill the quota of ${documentBytes} bytes: retire some documents`)
  }
}

function mayPublish(publicKey: Uint8Array, { tables, keys }: RuleContext): boolean {
  const registry = tables.registries.get(keyId(publicKey))
  return (
    registry?.role === 'root' ||
    tables.publishers.has(keyId(publicKey)) ||
    keys.isKeyOf(keys.epoch, publicKey) ||
    equals(keys.authorityKey, publicKey)
  )
}

function checkRetire({ id }: EntryBodies['retire'], { tables }: RuleContext): void {
  const row = tables.documents.get(id)
  if (row === undefined) throw new NotFoundError(`there is no document ${id}`)
  if (row.retired !== undefined) throw new LogMismatchError(`${id} is retired already`)
}
