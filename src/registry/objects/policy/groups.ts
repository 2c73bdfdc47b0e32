import { checkName } from '../../../identity/checked-bytes.ts'
import { InvalidPayloadError } from '../../../runtime/errors.ts'

const maxGroups = 16

/** Checks groups, which ascend so that there is one way to write them. @throws InvalidPayloadError */
export function checkGroups(groups: readonly string[], of: string): void {
  if (groups.length > maxGroups) throw new InvalidPayloadError(`${of} names at most ${maxGroups} groups`)
  for (const group of groups) checkName(group, `group in ${of}`)
  if (!isSameGroups(groups, sortedGroups(groups))) {
    throw new InvalidPayloadError(`groups in ${of} must ascend, each once`)
  }
}

/** Gives the groups as an entry names them: ascending, each once. */
export const sortedGroups = (groups: readonly string[]): string[] => [...new Set(groups)].toSorted()

export const isSameGroups = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((group, index) => group === b[index])
