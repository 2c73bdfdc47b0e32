import type { AppendOptions, EntryDraft } from '../../log/log-writer.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'

/** The one in whose name entries are made that a person causes: the operator at the root, or one somewhere else. */
export interface Author {
  /** True for a person who is asked for a signature first: nothing else waits for that, and what the order says that they have seen judges it. */
  readonly asksPerson?: boolean
  /**
   * Resolves when the entries are in the log, all or none.
   * @throws as Root.append; SecondOperatorError when they wait for another operator
   */
  append(bodies: readonly EntryDraft[], options?: Pick<AppendOptions, 'inCommit'>): Promise<Signed<LogEntry>[]>
}
