import { equals } from 'uint8arrays/equals'
import type { Replica } from '../../registry/log/replica.ts'
import { comparePositions } from '../../registry/log/state/position.ts'
import type { Invite } from '../../registry/objects/invite.ts'

/** The history that is held: the one that made the invite, one that does not reach it (yet), or another one. */
export type InvitedHistory = 'same' | 'shorter' | 'another'

/**
 * Compares the log with the place of the entry that an invite names. What a compaction dropped, or a newer epoch made void, is not
 * compared: the authority answers for both.
 */
export function invitedHistory(
  replica: Pick<Replica, 'networkId' | 'head' | 'linkHash' | 'state'>,
  invite: Invite | undefined
): InvitedHistory {
  if (invite === undefined || !equals(invite.networkId, replica.networkId)) return 'same'
  const { epoch, n, hash } = invite.grant
  const { head, state } = replica
  if (comparePositions(head, invite.grant) < 0) return 'shorter'
  const held = state.keys.isValidAt(epoch, n) ? replica.linkHash(n) : undefined
  return held === undefined || equals(held, hash) ? 'same' : 'another'
}
