import type { RootLease, RootLog } from '../../../registry/log/root-log/root-log.ts'
import type { LogItem } from '../../../registry/store/log-rows.ts'

/** A log that several processes may append to, one at a time, in an engine that others keep. */
export interface SharedRootLog extends RootLog, AsyncDisposable {
  /** Gives the lease to nobody any more: the log goes on at `place`. @throws LeaseLostError */
  moveTo(place: string, lease: RootLease): Promise<void>
  /** Puts entries before the oldest one that it has: where the log begins anew it has none of them. @throws LeaseLostError */
  backfill(lease: RootLease, entries: readonly LogItem[]): Promise<void>
  /** Says that this process stands for the place of the root. Gives the others that have said so lately. */
  attend(holder: string): Promise<string[]>
  /** Reasons why the engine may lose what it has answered, or takes nothing; none: it keeps it. */
  weaknesses(): Promise<string[]>
}

/** Candidates that are told of: more do not make a network safer. */
export const maxCandidates = 64

/** Entries that an engine keeps: a candidate that is further behind fetches them from members. */
export const keptEntries = 100_000
