import type { LogItem } from '../../store/log-rows.ts'
import type { Head } from '../state/network-state.ts'

/** The right to append, until somebody else gets it: each time it goes to somebody its term is higher. */
export interface RootLease {
  readonly holder: string
  readonly term: number
}

const movedMark = 'moved to '

/** Holder of the last lease of a log that goes on in another engine: nobody gets it after that. */
export const movedTo = (place: string): string => `${movedMark}${place}`.slice(0, 128)

/** True for the last lease of such a log. */
export const isMoved = ({ holder }: RootLease): boolean => holder.startsWith(movedMark)

/** State of the log in its engine. */
export interface RootLogState {
  readonly head: Head
  /** Envelope of the checkpoint over the head. */
  readonly checkpoint: Uint8Array
  /** Position of the oldest entry that can be read; behind the head: none can. */
  readonly firstN: number
  /** Lease that was given last, and the time for which it still holds by the clock of the engine; 0: it is free. */
  readonly lease: RootLease & { readonly leftMs: number }
  /** Wall clock of the engine, ms since 1970; undefined: it has none of its own. */
  readonly clockMs?: number
}

/** A place in the log with the checkpoint over it. */
export interface RootLogStart {
  readonly head: Head
  readonly checkpoint: Uint8Array
}

/** Entries in log order and the checkpoint over them; without entries a newer checkpoint over the same head. */
export interface LogBatch extends RootLogStart {
  /** Head that they follow. */
  readonly after: Head
  readonly entries: readonly LogItem[]
}

/** The point where an entry becomes part of the history. Whoever appends holds the lease; the engine compares, so two never do. */
export interface RootLog {
  /** Begins the log where there is none, or with a newer epoch, or anew where it had moved away, and gives its lease. undefined: it was begun. */
  begin(holder: string, start: RootLogStart): Promise<RootLease | undefined>
  /** Takes the lease when it is free, or was this holder's. undefined: somebody else has it, or there is no log. */
  acquire(holder: string): Promise<RootLease | undefined>
  /** Extends the lease. @throws LeaseLostError */
  renew(lease: RootLease): Promise<void>
  /** Gives it back. Nothing happens when it is somebody else's by now. */
  release(lease: RootLease): Promise<void>
  /** undefined: there is no log. */
  state(): Promise<RootLogState | undefined>
  /** Entries behind n, ascending, as many as one page takes; none: the head is reached. */
  read(afterN: number): Promise<LogItem[]>
  /**
   * Appends all of the batch or nothing of it.
   * @throws LeaseLostError when the term is not the last one; HeadMovedError when the head is another one;
   * OutcomeUnknownError when the answer was lost: read back, then decide; UnavailableError when nothing was written
   */
  append(lease: RootLease, batch: LogBatch): Promise<void>
}

/** Somebody else holds the lease by now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
}

/** The log in its engine does not end where the batch begins. */
export class HeadMovedError extends Error {
  override readonly name = 'HeadMovedError'
}

/** The engine was asked to append and did not answer: it may have done so, or still do it. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError'
}
