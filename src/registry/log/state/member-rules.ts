import { equals } from 'uint8arrays/equals'
import { at } from '../../../identity/bytes.ts'
import { keyId } from '../../../identity/key-id.ts'
import { peerIdText } from '../../../identity/keys.ts'
import { LogMismatchError, NameTakenError, NotMemberError, RevokedError } from '../../../runtime/errors.ts'
import { clockSkewMs } from '../../admission/limits.ts'
import type { EntryBodies } from '../../objects/entry.ts'
import type { Grant } from '../../objects/grant.ts'
import { isSameGroups } from '../../objects/policy/groups.ts'
import { checkUse } from './grant-rules.ts'
import type { MemberRow, RegistryRow } from './rows.ts'
import type { RuleContext } from './rule-context.ts'

/** The registry that was entered as root last. */
export function rootOf(registries: Iterable<RegistryRow>): RegistryRow | undefined {
  let root: RegistryRow | undefined
  for (const row of registries) if (row.role === 'root' && row.n > (root?.n ?? -1)) root = row
  return root
}

function checkNotRevoked(publicKey: Uint8Array, { tables }: RuleContext): void {
  if (tables.revoked.has(keyId(publicKey))) {
    throw new RevokedError(`${peerIdText(publicKey)} was revoked, which holds for ever`)
  }
}

/** @throws NotMemberError */
export function requireMember(publicKey: Uint8Array, { tables }: RuleContext): MemberRow {
  const row = tables.members.get(keyId(publicKey))
  if (row === undefined) throw new NotMemberError(`${peerIdText(publicKey)} is no member`)
  return row
}

function checkLength(notAfterMs: number, { tables, timeMs }: RuleContext): void {
  const { membershipMs } = tables.policy.policy
  if (notAfterMs > timeMs + membershipMs + clockSkewMs) {
    throw new LogMismatchError(`a membership of more than the ${membershipMs} ms that the policy allows`)
  }
}

export function checkAdmit(body: EntryBodies['admit'], context: RuleContext): void {
  const { tables } = context
  checkNotRevoked(body.publicKey, context)
  const holder = checkHolder(body.name, body.publicKey, context)
  if (body.via === 'founder' && (tables.members.size > 0 || tables.revoked.size > 0)) {
    throw new LogMismatchError(`${body.name} is admitted as founder of a network that has members`)
  }
  checkLength(body.notAfterMs, context)
  const grant = body.grantId === undefined ? undefined : checkUse(body, context)
  if (body.via !== 'approved') checkGranted(body, grant)
  if (holder === undefined && grant?.replaces !== body.name) checkNameFree(body, context)
}

/** Only an operator's word gives what no invite says. @throws LogMismatchError */
function checkGranted({ name, groups = [], ephemeralMs }: EntryBodies['admit'], grant: Grant | undefined): void {
  if (isSameGroups(groups, grant?.groups ?? []) && ephemeralMs === grant?.ephemeralMs) return
  throw new LogMismatchError(`the admission of ${name} gives other groups or another time offline than its invite`)
}

/**
 * The name of a revoked member waits, so that nobody takes another machine for it. In one batch with the revoke it goes over at once, by
 * an operator's word alone: anybody could wait for the revoke and join right behind it.
 */
function checkNameFree({ name, via }: EntryBodies['admit'], context: RuleContext): void {
  const goesOver = context.tables.heldNames.get(name)?.n === context.headN && via === 'approved'
  if (!goesOver) checkNotHeld(name, context)
}

function checkNotHeld(name: string, { tables, timeMs }: RuleContext): void {
  const held = tables.heldNames.get(name)
  const freeMs = (held?.timeMs ?? 0) + tables.policy.policy.nameHoldMs
  if (held === undefined || timeMs >= freeMs) return
  throw new NameTakenError(
    `the name ${name} was that of a revoked member and is free from ${new Date(freeMs).toISOString()}: take another name, or ask the operator of the root for an invite with --replace ${name}`
  )
}

/** Gives the member that has the name. @throws NameTakenError when that is another one */
function checkHolder(name: string, publicKey: Uint8Array, { tables }: RuleContext): MemberRow | undefined {
  const holder = tables.names.get(name)
  if (holder === undefined || equals(holder.publicKey, publicKey)) return holder
  throw new NameTakenError(`the name ${name} belongs to ${peerIdText(holder.publicKey)}`)
}

/** A root that an older epoch entered is one that was replaced. */
function checkNotRoot(publicKey: Uint8Array, what: string, { tables, keys }: RuleContext): void {
  const root = rootOf(tables.registries.values())
  const forkN = at(keys.epochs, keys.epochs.length - 1).forkN
  if (root !== undefined && root.n > forkN && equals(root.publicKey, publicKey)) {
    throw new LogMismatchError(`the root cannot be ${what}: promote a secondary first`)
  }
}

export function checkRevoke({ publicKey, name }: EntryBodies['revoke'], context: RuleContext): void {
  const { tables } = context
  checkNotRevoked(publicKey, context)
  checkNotRoot(publicKey, 'revoked', context)
  const member = tables.members.get(keyId(publicKey))
  if (member?.name !== name) {
    throw new LogMismatchError(
      `the revoke of ${peerIdText(publicKey)} names ${name ?? 'nobody'}, the member is ${member?.name ?? 'none'}`
    )
  }
}

export function checkRenew(body: EntryBodies['renew'], context: RuleContext): void {
  checkNotRevoked(body.publicKey, context)
  const member = requireMember(body.publicKey, context)
  checkLength(body.notAfterMs, context)
  if (body.notAfterMs < member.notAfterMs)
    throw new LogMismatchError(`a renewal makes ${member.name}'s membership shorter`)
  const asked = context.proofs?.renewedNotAfterMs
  if (asked !== undefined && asked !== member.notAfterMs) {
    throw new LogMismatchError(`the request of ${member.name}'s renewal is for another membership`)
  }
}

export function checkRotate({ oldKey, newKey }: EntryBodies['rotate'], context: RuleContext): void {
  checkNotRevoked(oldKey, context)
  checkNotRevoked(newKey, context)
  requireMember(oldKey, context)
  if (context.tables.members.has(keyId(newKey))) {
    throw new LogMismatchError(`${peerIdText(newKey)} is a member already and cannot take another's place`)
  }
}

/** The role of a registry is that of its row, which only the set changes. */
export function checkChange({ publicKey, name, role }: EntryBodies['change'], context: RuleContext): void {
  const member = requireMember(publicKey, context)
  if (checkHolder(name, publicKey, context) === undefined) checkNotHeld(name, context)
  if (role === member.role) return
  if (context.tables.registries.has(keyId(publicKey))) {
    throw new LogMismatchError(`${member.name} is in the set of registries as ${member.role}: retire it first`)
  }
  if (role === 'root') throw new LogMismatchError(`${member.name} cannot be made the root by a change: promote it`)
}

export function checkEnd({ publicKey }: EntryBodies['end'], context: RuleContext): void {
  const member = requireMember(publicKey, context)
  checkNotRoot(publicKey, 'let go', context)
  const asked = context.proofs?.endedMembership
  if (asked !== undefined && !equals(asked, member.admitHash)) {
    throw new LogMismatchError(`the request to end ${member.name}'s membership is for another one`)
  }
}
