import type { Member } from '../../registry/log/state/network-state.ts'
import { makeJoin } from '../../registry/objects/join.ts'
import { sealRenewRequest } from '../../registry/objects/renew-request.ts'
import type { Registry } from '../../registry/registry.ts'
import { RevokedError } from '../../runtime/errors.ts'
import type { NodeParts } from '../node-parts.ts'
import { invitedHistory } from './invited-history.ts'
import type { Membership } from './types.ts'

export interface MembershipInit {
  node: Pick<NodeParts, 'config' | 'key' | 'clock' | 'invites'>
  registry: Registry
  /** False while this key shall not ask to be admitted as a new member. */
  mayJoin: () => boolean
}

/** Renewed at half of its life ± 10 %, each node at a time of its own. */
const renewAt = (): number => 0.5 + (Math.random() - 0.5) * 0.2

/** Makes this node a member, and keeps it one. */
export function makeMembership({ node, registry, mayJoin }: MembershipInit): Membership {
  const { config, key, clock, invites } = node
  const { publicKey } = key
  const { networkId, replica } = registry
  const share = renewAt()
  const requestOf = ({ notAfterMs }: Member): Uint8Array =>
    sealRenewRequest({ networkId, publicKey, notAfterMs }, key).bytes
  return {
    isMember: () => replica.isMember(publicKey) && invitedHistory(replica, invites.invite) === 'same',
    refusal: () =>
      replica.state.isRevoked(publicKey)
        ? new RevokedError('the key of this node was revoked, for ever: join with a new key, in another data folder')
        : undefined,
    joinCall: () => {
      if (replica.state.isRevoked(publicKey) || !mayJoin()) return undefined
      const given = invites.invite
      const fits = given !== undefined && Buffer.compare(given.networkId, networkId) === 0
      const join = makeJoin({
        networkId,
        key,
        name: config.name,
        role: config.role,
        timeMs: clock.now(),
        ...(fits && { grant: given.grant, inviteKey: given.inviteKey })
      })
      return { join }
    },
    renewal: () => {
      const member = replica.state.member(publicKey)
      if (member === undefined || config.role === 'root') return undefined
      const { membershipMs } = replica.state.policy
      const leftMs = member.notAfterMs - (replica.checkpoint?.value.timeMs ?? clock.now())
      return leftMs > membershipMs * share ? undefined : requestOf(member)
    },
    lateRenewal: () => {
      const member = replica.state.member(publicKey)
      return member && requestOf(member)
    }
  }
}
