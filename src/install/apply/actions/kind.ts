import type { Action } from '../../model/action.ts'
import type { Tools } from '../../model/tools.ts'

/** State from before an action, as JSON: enough to take the action back after any interruption. */
export type Undo = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

export interface Change {
  /** One line. */
  readonly text: string
  /** Content of a file, or commands that are run. */
  readonly lines: readonly string[]
}

/** Kind of action: how it is shown, done, and taken back. Doing it twice is the same as doing it once. */
export interface Kind<A extends Action> {
  describe(action: A): Change
  /** Looks, changes nothing. */
  before(action: A, tools: Tools): Promise<Undo>
  apply(action: A, tools: Tools, undo: Undo): Promise<void>
  /** Leaves what others have put there meanwhile. What was kept on purpose is told. */
  revert(action: A, undo: Undo, tools: Tools): Promise<void>
}
