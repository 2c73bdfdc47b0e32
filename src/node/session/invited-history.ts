import { equals } from 'uint8arrays/equals'
import type { Replica } from '../../registry/log/replica.ts'
import { comparePositions } from '../../registry/log/state/position.ts'
import type { Invite } from '../../registry/objects/invite.ts'
import type { Registry } from '../../registry/registry.ts'

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

/** Code of the alarm that is raised for it. */
export const otherHistory = 'other_history'

/** Raises an alarm when the log that is followed is not the one that invited this node. */
export function tellOtherHistory({ replica, alarms }: Registry, invite: Invite | undefined): void {
  if (invite === undefined || invitedHistory(replica, invite) !== 'another') return
  const { epoch, n } = invite.grant
  alarms.raise(
    otherHistory,
    `entry ${n} of epoch ${epoch} is another one in this log than the invite says: this is not the history that invited this node, and it is not joined; ask the operator, stop this node, and start it with an invite that is right (\`trustnet join INVITE\`): this registry.db is put aside then, and kept`,
    { epoch, n }
  )
}

const joinedKey = 'joined'

/** Notes that this node was a member by the history that invited it. */
export async function markJoined({ meta }: Registry): Promise<void> {
  if (meta.get(joinedKey) === undefined) await meta.set(joinedKey, Uint8Array.of(1))
}

/** True for a member whose place was proved before: another invite has nothing to say about the log that it holds. */
export const hasJoined = ({ meta, replica }: Registry, publicKey: Uint8Array): boolean =>
  meta.get(joinedKey) !== undefined && replica.isMember(publicKey)
