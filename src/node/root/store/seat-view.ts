import type { RootLogState } from '../../../registry/log/root-log/root-log.ts'

/** State of the database that keeps the log, as this process saw it last. */
export interface SeatView {
  /** Database, as the configuration names it. */
  readonly store: string
  /** With the time that its lease has left by now; undefined: it was not seen since the start. */
  readonly state: RootLogState | undefined
  /** Time for which the lease of this process still holds, as far as it knows; undefined: it has none. */
  readonly leaseLeftMs: number | undefined
  /** The reason why the database is not reached; undefined: it answered last. */
  readonly failure: { readonly message: string; readonly sinceMs: number } | undefined
  /** The reason why this process cannot take the place of the root; undefined: it can. */
  readonly fault: string | undefined
  /** PeerIds of others that stand for the place of the root; undefined: they were not looked for yet. */
  readonly others: readonly string[] | undefined
  /** Settings by which the server may lose what it has answered. */
  readonly weaknesses: readonly string[]
}
