import type { Role } from '../identity/role.ts'
import type { AlarmEvents } from './alarms.ts'
import type { Hint } from './liveness/liveness.ts'
import type { Checkpoint } from './objects/checkpoint.ts'
import type { LogEntry } from './objects/entry.ts'
import type { Signed } from './objects/envelope.ts'
import type { RecordEvent } from './records/records.ts'
import type { HistoryRow } from './store/history-table.ts'

/** A join that waits for the operator. */
export interface PendingJoin {
  publicKey: Uint8Array
  /** As the joiner asks for them. */
  name: string
  role: Role
  sinceMs: number
}

export interface JoinEvents {
  /** A join waits for the operator; not told again when the same peer asks again. */
  pending: CustomEvent<PendingJoin>
  /** A join that was told to wait was refused, by the operator or by the root after it was queued. */
  rejected: CustomEvent<{ publicKey: Uint8Array; reason: string }>
  /** A revoke, or the end of a membership, that a newer epoch made void waits for the operator. */
  offered: CustomEvent<{ publicKey: Uint8Array; kind: 'revoke' | 'end' }>
  /** A request waits here for the root. */
  queued: CustomEvent<void>
}

/** Events of a registry. Everything is told after the commit that makes it durable. */
export interface RegistryEvents extends JoinEvents, AlarmEvents {
  /** Log entries that were appended, ascending. */
  entries: CustomEvent<{ entries: Signed<LogEntry>[] }>
  checkpoint: CustomEvent<{ checkpoint: Signed<Checkpoint> }>
  /** More of the log is final: members may count that did not. */
  final: CustomEvent<void>
  /** A node record was accepted. */
  record: CustomEvent<RecordEvent>
  /** This registry says something new about a member's liveness. */
  hint: CustomEvent<{ hint: Hint }>
  /** A registry that speaks for members is there, this one or another: no member looks different. */
  pulse: CustomEvent<void>
  /** The key is a member now; `admit` is its entry. */
  admitted: CustomEvent<{ publicKey: Uint8Array; admit: Uint8Array }>
  /** Something was remembered; told at once, and on the disk a moment later. */
  happened: CustomEvent<{ row: HistoryRow }>
  /** A document was published or retired, or bytes of one came or went. */
  documents: CustomEvent<void>
  /** The key is no member any more, by a revoke or an end: close its connections. */
  ended: CustomEvent<{ publicKey: Uint8Array }>
}
