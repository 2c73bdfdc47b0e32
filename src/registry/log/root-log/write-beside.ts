import type { Logger } from '../../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../../runtime/error-message.ts'
import type { AppendOutcome } from '../append-queue.ts'
import type { Ledger } from '../ledger.ts'

/** Writes what callers have in the commit of their entries. Entries that are part of the history stay, whatever becomes of it. */
export function writeBeside(outcomes: readonly AppendOutcome[], ledger: Ledger, logger: Logger): void {
  for (const outcome of outcomes) {
    const { inCommit } = outcome.request.options
    if (inCommit === undefined || 'error' in outcome) continue
    try {
      ledger.savepoint(inCommit)
    } catch (error) {
      // SQLite has undone all of the commit: a further write would stand alone.
      if (!ledger.isInTransaction) throw error
      logger.error({ error: reasonOf(error) }, 'entries were appended, and what belongs to them was not stored')
    }
  }
}
