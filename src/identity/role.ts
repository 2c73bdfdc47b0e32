import { InvalidPayloadError } from '../runtime/errors.ts'

/** The part that a process plays in its network. The numbers are on the wire. */
export const roles = { root: 1, secondary: 2, integrated: 3, external: 4 } as const
export type Role = keyof typeof roles

const names: readonly Role[] = ['root', 'secondary', 'integrated', 'external']
const byNumber = new Map<number, Role>(names.map((role) => [roles[role], role]))

/** undefined: a role of a newer version. */
export const roleOf = (number: number): Role | undefined => byNumber.get(number)

/** A role of a newer version counts as the one that serves nobody. @throws InvalidPayloadError for 0, which is none */
export function roleOrExternal(number: number): Role {
  if (number === 0) throw new InvalidPayloadError('there is no role')
  return roleOf(number) ?? 'external'
}

/** Roles whose process serves registry protocols to others. */
export const servesRegistry = (role: Role): boolean => role !== 'external'

/** Roles that are in `tnr.<domain>` and in the log's registry set. */
export const isRegistryRole = (role: Role): boolean => role === 'root' || role === 'secondary'
