import type { LogKeys } from './log-keys.ts'
import type { Proofs } from './proofs.ts'
import type { Tables } from './tables.ts'

/** State and time that an entry is judged by. */
export interface RuleContext {
  readonly tables: Tables
  readonly keys: LogKeys
  /** Position of the entry before. */
  readonly headN: number
  readonly timeMs: number
  /** undefined: the envelopes inside were verified by who calls. */
  readonly proofs: Proofs | undefined
}
