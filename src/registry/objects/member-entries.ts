import { checkKey, checkName, checkText, maxReasonChars } from '../../identity/checked-bytes.ts'
import { type Role, roleOrExternal, roles } from '../../identity/role.ts'
import { Change as ChangeMessage, End as EndMessage } from '../pb/registry.ts'
import { bodyKind } from './encoding/body-kind.ts'
import { checkGroups } from './policy/groups.ts'

/** Name, role and groups of a member from here on: all of them, also what stays as it was. */
export interface Change {
  publicKey: Uint8Array
  name: string
  role: Role
  groups: readonly string[]
}

/** End of a membership without prejudice: the key may be admitted again. */
export interface End {
  publicKey: Uint8Array
  reason: string
  /** Envelope of the ForgetRequest, when the member asked for it itself. */
  request?: Uint8Array
}

/** Takes groups and time offline over into an admission: from an invite, or from the membership that it goes on with. */
export const givenBy = ({
  groups,
  ephemeralMs
}: {
  groups: readonly string[]
  ephemeralMs?: number | undefined
}): { groups: readonly string[]; ephemeralMs?: number } => ({
  groups,
  ...(ephemeralMs !== undefined && { ephemeralMs })
})

export const changeBody = bodyKind<'change', Change, ChangeMessage>('change', ChangeMessage, {
  to: (body) => ({ ...body, role: roles[body.role], groups: [...body.groups] }),
  from: ({ publicKey, name, role, groups }) => ({ publicKey, name, role: roleOrExternal(role), groups }),
  check(body) {
    checkKey(body.publicKey, 'key of the changed')
    checkName(body.name, 'name of the changed')
    checkGroups(body.groups, 'the change')
  }
})

export const endBody = bodyKind<'end', End, EndMessage>('end', EndMessage, {
  to: (body) => body,
  from: ({ publicKey, reason, request }) => ({ publicKey, reason, ...(request.length > 0 && { request }) }),
  check(body) {
    checkKey(body.publicKey, 'key of the membership that ends')
    checkText(body.reason, 0, maxReasonChars, 'reason for the end of the membership')
  }
})
