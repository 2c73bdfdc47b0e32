import { UnsupportedVersionError } from '../../../runtime/errors.ts'
import { entryKindOf, entryKinds } from '../entry.ts'
import type { Policy } from './policy.ts'

/** The root goes by rules that this program does not know: what follows cannot be judged here. */
export class NewerRulesError extends UnsupportedVersionError {}

/** Refuses a policy that asks for more than this program can judge. @throws NewerRulesError */
export function checkUnderstood({ criticalKinds }: Policy): void {
  const kind = criticalKinds.find((each) => each !== entryKinds.genesis && entryKindOf(each) === undefined)
  if (kind === undefined) return
  throw new NewerRulesError(`the policy asks for knowledge of entries of kind ${kind}: update this program`)
}
