import { equals } from 'uint8arrays/equals'
import { UnavailableError } from '../../../runtime/errors.ts'
import type { Draft } from '../ledger.ts'
import type { OpenedEntry } from '../open-entries.ts'

/** Appends what was signed for one place. @throws UnavailableError when the log went on meanwhile; LogMismatchError and as the rules of the log */
export function appendSigned(draft: Draft, { entry, proofs }: OpenedEntry): void {
  const { head } = draft.state
  const { n, prevHash } = entry.value
  if (n !== head.n + 1 || !equals(prevHash, head.hash)) {
    throw new UnavailableError('the log went on meanwhile: nothing was changed, run this again', 0)
  }
  draft.state.check(entry, proofs)
  draft.append(entry)
}
