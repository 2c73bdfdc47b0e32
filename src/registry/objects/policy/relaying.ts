import { isRegistryRole, type Role } from '../../../identity/role.ts'
import type { Policy } from './policy.ts'

/** Tells whether the policy lets a member of this role relay connections of others. */
export function mayRelay({ relaying }: Pick<Policy, 'relaying'>, role: Role): boolean {
  if (relaying === 'nobody') return false
  return relaying === 'members' || isRegistryRole(role)
}
