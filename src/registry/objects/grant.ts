import { randomBytes } from 'node:crypto'
import {
  checkBytes,
  checkCount,
  checkKey,
  checkName,
  checkText,
  checkTime,
  grantIdBytes,
  maxReasonChars
} from '../../identity/checked-bytes.ts'
import { type Role, roleOrExternal, roles } from '../../identity/role.ts'
import { GrantEnd as GrantEndMessage, Grant as GrantMessage } from '../pb/registry.ts'
import { bodyKind } from './encoding/body-kind.ts'
import { checkGroups } from './policy/groups.ts'
import { policyBounds } from './policy/policy.ts'

/** Permission that an invite gives: the body of a grant entry. It admits while it is in the log. */
export interface Grant {
  /** 16 random bytes. */
  id: Uint8Array
  /** Public half of the one-time key whose seed is in the invite. */
  inviteKey: Uint8Array
  role: Role
  /** Without it the joiner chooses. */
  name?: string
  /** Groups that the joiner will be in. */
  groups: readonly string[]
  /** Name of the member whose place is taken. */
  replaces?: string
  uses: number
  notAfterMs: number
  /** For people. */
  note: string
  /** A membership by it ends when the member has been offline for so long. Without it, it does not. */
  ephemeralMs?: number
}

/** Takes an invite back, or clears away one whose time is over. */
export interface GrantEnd {
  id: Uint8Array
  reason: string
}

export const maxNoteChars = 128

/** A shorter time would end whoever is not heard of for a moment. The longest is 100 years. */
const ephemeralBounds = [1000, 100 * 365 * 24 * 3_600_000] as const

/** @throws InvalidPayloadError */
export function checkEphemeral(ephemeralMs: number | undefined, of: string): void {
  if (ephemeralMs !== undefined) checkCount(ephemeralMs, ...ephemeralBounds, `time offline in the ${of}`)
}

export const newGrantId = (): Uint8Array => Uint8Array.from(randomBytes(grantIdBytes))

export const grantBody = bodyKind<'grant', Grant, GrantMessage>('grant', GrantMessage, {
  to: (body) => ({ ...body, role: roles[body.role], groups: [...body.groups] }),
  from: ({ id, inviteKey, role, name, groups, replaces, uses, notAfterMs, note, ephemeralMs }) => ({
    id,
    inviteKey,
    role: roleOrExternal(role),
    ...(name !== '' && { name }),
    groups,
    ...(replaces !== '' && { replaces }),
    uses,
    notAfterMs,
    note,
    ...(ephemeralMs > 0 && { ephemeralMs })
  }),
  check(body) {
    checkBytes(body.id, grantIdBytes, 'id of the grant')
    checkKey(body.inviteKey, 'invite key')
    if (body.name !== undefined) checkName(body.name, 'name in the grant')
    checkGroups(body.groups, 'the grant')
    checkEphemeral(body.ephemeralMs, 'grant')
    if (body.replaces !== undefined) checkName(body.replaces, 'replaced name in the grant')
    checkCount(body.uses, 1, policyBounds.grantUses[1], 'uses of the grant')
    checkTime(body.notAfterMs, 'end of the grant')
    checkText(body.note, 0, maxNoteChars, 'note of the grant')
  }
})

export const grantEndBody = bodyKind<'grantEnd', GrantEnd, GrantEndMessage>('grantEnd', GrantEndMessage, {
  to: (body) => body,
  from: ({ id, reason }) => ({ id, reason }),
  check(body) {
    checkBytes(body.id, grantIdBytes, 'id of the grant')
    checkText(body.reason, 0, maxReasonChars, 'reason for the end of the grant')
  }
})
