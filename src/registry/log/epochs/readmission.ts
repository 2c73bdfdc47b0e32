import type { Admit, LogEntry } from '../../objects/entry.ts'
import { givenBy } from '../../objects/member-entries.ts'
import type { EntryDraft } from '../log-writer.ts'
import type { Replica } from '../replica.ts'
import { openProofs } from '../state/proofs.ts'

/**
 * The entry by which the root says once more that a key is a member, with what that member asked for when it joined: it ends void
 * revokes of the key everywhere. undefined: it is no member, or has a request no more (a founder, a key that took another's place, or one that was renamed).
 */
export function readmission(replica: Replica, publicKey: Uint8Array): EntryDraft | undefined {
  const member = replica.state.member(publicKey)
  const before = member?.admit.value
  if (member === undefined || before?.kind !== 'admit' || before.body.join === undefined) return undefined
  const { name, role } = member
  // The policy of today may give less than that of the day on which it was admitted.
  const notAfterMs = Math.min(member.notAfterMs, replica.ledger.clock.now() + replica.state.policy.membershipMs)
  const body: Admit = { publicKey, name, role, notAfterMs, via: 'approved', join: before.body.join, ...givenBy(member) }
  return isAsked({ ...before, body }) ? { kind: 'admit', body } : undefined
}

function isAsked(entry: LogEntry): boolean {
  try {
    openProofs(entry)
    return true
  } catch {
    return false
  }
}
