import { entryKinds } from '../../objects/entry.ts'
import type { LogRow } from '../../store/log-rows.ts'
import type { Draft, Ledger } from '../ledger.ts'

/** Kinds that say which keys sign, for ever. */
export const delegationKinds = [entryKinds.delegate, entryKinds.authority] as const

/** Cuts off the entries above a fork point; they stay as evidence, and revokes among them in force. Gives their number. */
export function voidAfter(ledger: Ledger, draft: Draft, forkN: number): number {
  let voided = 0
  for (const row of draft.table.behind(forkN)) {
    keepVoid(ledger, row)
    voided++
  }
  draft.table.cutAfter(forkN)
  if ((draft.checkpoint?.value.n ?? 0) > forkN) draft.putCheckpoint(undefined)
  return voided
}

/** Keeps one void entry. Inside a transaction. */
export function keepVoid(ledger: Ledger, row: LogRow): void {
  const { epoch, n, hash, kind, subject, envelope } = row
  const atMs = ledger.clock.now()
  ledger.table.addEvidence({ kind: 'void', epoch, n, hash, subject, atMs, envelope })
  // Set although the commit may still fail: then it says no more than the log that is held.
  const isEnforced = kind === entryKinds.revoke && subject !== null && !ledger.table.hasEvidence('offered', hash)
  if (isEnforced) ledger.enforced.addVoid({ publicKey: subject, epoch, atMs })
}
