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
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { GrantEnd as GrantEndMessage, Grant as GrantMessage } from '../pb/registry.ts'
import { bodyKind } from './body-kind.ts'
import { policyBounds } from './policy.ts'

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
}

/** Takes an invite back, or clears away one whose time is over. */
export interface GrantEnd {
  id: Uint8Array
  reason: string
}

const maxGroups = 16
export const maxNoteChars = 128

export const newGrantId = (): Uint8Array => Uint8Array.from(randomBytes(grantIdBytes))

export const grantBody = bodyKind<'grant', Grant, GrantMessage>('grant', GrantMessage, {
  to: (body) => ({ ...body, role: roles[body.role], groups: [...body.groups] }),
  from: ({ id, inviteKey, role, name, groups, replaces, uses, notAfterMs, note }) => ({
    id,
    inviteKey,
    role: roleOrExternal(role),
    ...(name !== '' && { name }),
    groups,
    ...(replaces !== '' && { replaces }),
    uses,
    notAfterMs,
    note
  }),
  check(body) {
    checkBytes(body.id, grantIdBytes, 'id of the grant')
    checkKey(body.inviteKey, 'invite key')
    if (body.name !== undefined) checkName(body.name, 'name in the grant')
    checkGroups(body.groups)
    if (body.replaces !== undefined) checkName(body.replaces, 'replaced name in the grant')
    checkCount(body.uses, 1, policyBounds.grantUses[1], 'uses of the grant')
    checkTime(body.notAfterMs, 'end of the grant')
    checkText(body.note, 0, maxNoteChars, 'note of the grant')
  }
})

/** Ascending, so that there is one way to write them. */
function checkGroups(groups: readonly string[]): void {
  if (groups.length > maxGroups) throw new InvalidPayloadError(`a grant names at most ${maxGroups} groups`)
  for (const [index, group] of groups.entries()) {
    checkName(group, 'group in the grant')
    if (index > 0 && group <= (groups[index - 1] ?? '')) {
      throw new InvalidPayloadError('groups in the grant must ascend, each once')
    }
  }
}

export const grantEndBody = bodyKind<'grantEnd', GrantEnd, GrantEndMessage>('grantEnd', GrantEndMessage, {
  to: (body) => body,
  from: ({ id, reason }) => ({ id, reason }),
  check(body) {
    checkBytes(body.id, grantIdBytes, 'id of the grant')
    checkText(body.reason, 0, maxReasonChars, 'reason for the end of the grant')
  }
})
