import { type Action, actionKey } from '../model/action.ts'
import type { Tools } from '../model/tools.ts'
import { doable } from './actions/index.ts'
import type { Journal, JournalEntry } from './journal.ts'

export interface RevertEvents {
  onAction?(action: Action, state: 'begun' | 'done' | 'shared'): void
}

/**
 * Takes back what a journal says, last first. What another node of this machine needs too stays, and that node's journal takes over
 * what was there before. Interrupted, it goes on where it was.
 */
export const revertAll = async (
  journal: Journal,
  others: readonly Journal[],
  tools: Tools,
  events: RevertEvents = {}
): Promise<void> => {
  for (const entry of journal.state.entries.toReversed()) {
    tools.signal.throwIfAborted()
    if (await handedOver(entry, journal, others)) events.onAction?.(entry.action, 'shared')
    else {
      events.onAction?.(entry.action, 'begun')
      await doable(entry.action).revert(entry.undo, tools)
      events.onAction?.(entry.action, 'done')
    }
    await journal.forget(entry)
  }
  await journal.remove()
}

/** true: it is somebody else's now. */
const handedOver = async (entry: JournalEntry, journal: Journal, others: readonly Journal[]): Promise<boolean> => {
  const key = actionKey(entry.action)
  const heir = others.find((other) => other.state.entries.some(({ action }) => actionKey(action) === key))
  const theirs = heir?.entry(entry.action)
  if (heir === undefined || theirs === undefined) return false
  // The older of two found the machine as it was before both.
  if (heir.state.begunMs > journal.state.begunMs) {
    theirs.undo = entry.undo
    await heir.save()
  }
  return true
}
