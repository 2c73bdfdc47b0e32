/** What a process is in its network. The numbers are on the wire. */
export const roles = { root: 1, secondary: 2, integrated: 3, external: 4 } as const
export type Role = keyof typeof roles

const names: readonly Role[] = ['root', 'secondary', 'integrated', 'external']
const byNumber = new Map<number, Role>(names.map((role) => [roles[role], role]))

/** undefined: a role of a newer version. */
export const roleOf = (number: number): Role | undefined => byNumber.get(number)

/** Roles whose process serves registry protocols to others. */
export const servesRegistry = (role: Role): boolean => role !== 'external'

/** Roles that are in `tnr.<domain>` and in the log's registry set. */
export const isRegistryRole = (role: Role): boolean => role === 'root' || role === 'secondary'
