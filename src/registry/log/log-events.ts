import type { Checkpoint } from '../objects/checkpoint.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { RowWitness } from './state/merkle-tree.ts'
import type { Head } from './state/network-state.ts'

/** Told after the commit, never before. */
export interface ReplicaEvents {
  /** Entries that were appended, ascending. */
  entries: CustomEvent<{ entries: Signed<LogEntry>[] }>
  checkpoint: CustomEvent<{ checkpoint: Signed<Checkpoint> }>
  /** The whole state was replaced, by a snapshot or because a new epoch cut off entries: look everything up anew. */
  reset: CustomEvent<{ head: Head; voided: number }>
  /** The authority has shut a key out, and the log does not say so yet. */
  enforced: CustomEvent<{ publicKey: Uint8Array }>
  /** A void revoke of that key is not enforced any more. */
  lifted: CustomEvent<{ publicKey: Uint8Array }>
  /** Two signed things that contradict each other are kept as evidence; nothing of that epoch is followed any more. */
  fork: CustomEvent<{ epoch: number; n: number; witness: RowWitness | undefined }>
  /** Somebody showed a verified checkpoint above our head. */
  newer: CustomEvent<{ checkpoint: Signed<Checkpoint> }>
}
