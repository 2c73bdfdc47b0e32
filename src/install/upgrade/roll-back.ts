import { doable } from '../apply/actions/index.ts'
import type { Journal, JournalEntry, JournalState } from '../apply/journal.ts'
import { actionKey } from '../model/action.ts'
import type { Tools } from '../model/tools.ts'

/** True for an action that a way back repeats: what was made once is there, and a record that was written is still right. A file or folder that stays gets its owner of before. */
const isRepeated = ({ action }: JournalEntry): boolean =>
  !['network', 'dns', 'sysctl', 'foreground'].includes(action.kind) &&
  !(action.kind === 'file' && action.secret === true)

/** Does again what the old version's journals say, then takes back what only the new one brought. Doing it twice is doing it once. */
export const rollBack = async (
  journals: readonly Journal[],
  before: readonly JournalState[],
  tools: Tools
): Promise<void> => {
  for (const state of before) {
    for (const { action, undo } of state.entries.filter(isRepeated)) {
      tools.say(doable(action).describe().text)
      await doable(action).apply(tools, undo)
    }
  }
  for (const journal of journals) {
    const state = before.find(({ node }) => node === journal.state.node)
    if (state === undefined) continue
    const known = new Set(state.entries.map(({ action }) => actionKey(action)))
    for (const { action, undo } of journal.state.entries.toReversed()) {
      if (!known.has(actionKey(action))) await doable(action).revert(undo, tools)
    }
    Object.assign(journal.state, structuredClone(state))
    await journal.save()
  }
}
