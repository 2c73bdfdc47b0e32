import type { AppendOptions, EntryDraft } from '../../log/log-writer.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'

/** The one in whose name entries are made that a person causes: the operator at the root, or one somewhere else. */
export interface Author {
  /**
   * Resolves when the entries are in the log, all or none.
   * @throws as Root.append; SecondOperatorError when they wait for another operator
   */
  append(bodies: readonly EntryDraft[], options?: Pick<AppendOptions, 'inCommit'>): Promise<Signed<LogEntry>[]>
}
