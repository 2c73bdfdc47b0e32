import { equals } from 'uint8arrays/equals'
import type { Checkpoint } from '../../objects/checkpoint.ts'
import { entryKinds, type LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { LogRow } from '../../store/log-rows.ts'
import type { LogTable } from '../../store/log-table.ts'
import { keepVoid } from '../epochs/voided-entries.ts'
import { contradiction } from '../forks/fork-evidence.ts'
import type { Ledger } from '../ledger.ts'
import { revokedBy } from '../log-rows.ts'
import type { RowWitness } from '../state/merkle-tree.ts'
import type { NetworkState } from '../state/network-state.ts'
import { readStoredEntry } from '../state/stored-entry.ts'

/** Kinds whose entries are live for ever. */
const foreverKinds = new Set<number>([entryKinds.revoke, entryKinds.rotate, entryKinds.delegate, entryKinds.authority])

/**
 * Compares a snapshot, whole and staged, with the log that is held. Of the same epoch it must be a longer one; a newer epoch may have cut
 * entries off, which then stay as evidence. Gives how many. @throws Contradiction
 */
export function keepOurs(ledger: Ledger, state: NetworkState, checkpoint: Signed<Checkpoint>): number {
  const { head, table } = ledger
  const isSameEpoch = head.epoch === checkpoint.value.epoch
  const validTo = state.keys.forkPointAfter(head.epoch) ?? head.n
  let voided = 0
  for (const row of table.behind(0)) {
    const against = row.n > validTo ? checkpoint : evidenceAgainst(table, row, checkpoint)
    if (against === undefined) continue
    const witness = against === checkpoint ? witnessOf(state, row) : undefined
    if (isSameEpoch) throw contradiction(ledger, row.n, against, witness)
    keepVoid(ledger, row)
    voided++
  }
  return voided
}

/** Evidence in the snapshot against an entry of ours: another one, or nothing where an entry stays for ever. */
function evidenceAgainst(
  table: LogTable,
  row: LogRow,
  checkpoint: Signed<Checkpoint>
): Signed<Checkpoint> | Signed<LogEntry> | undefined {
  const theirs = table.stagedAt(row.n)
  if (theirs !== undefined) return equals(theirs.hash, row.hash) ? undefined : readStoredEntry(theirs.envelope)
  // The entry behind one that is gone there still says its hash.
  const next = table.stagedAt(row.n + 1)
  const behind = next === undefined ? undefined : readStoredEntry(next.envelope)
  if (behind?.value.epoch === row.epoch && !equals(behind.value.prevHash, row.hash)) return behind
  return foreverKinds.has(row.kind) ? checkpoint : undefined
}

/** Row of the state for a key that an entry of ours has shut out for ever. */
function witnessOf(state: NetworkState, row: LogRow): RowWitness | undefined {
  const revoked = revokedBy(readStoredEntry(row.envelope).value)
  return revoked === undefined ? undefined : state.witness('revoked', revoked)
}
