import type { Draft } from '../ledger.ts'

/** The way in which what the root has signed becomes part of the history. */
export interface LogCommit {
  /** Others may append too, one at a time: whoever holds the lease. */
  readonly isShared: boolean
  /** The reason why nothing can be appended now; undefined: it can. */
  readonly refusal: Error | undefined
  /**
   * Only inside `ledger.exclusive`. `work` makes the change in a transaction; `effects` writes beside the log what belongs to it, in the
   * transaction that stays. `isAgain`: that of `work` was undone, with what it wrote beside the log.
   */
  commit<T>(work: (draft: Draft) => T, effects: (draft: Draft, result: T, isAgain: boolean) => void): Promise<T>
}
