import type { Action } from '../model/action.ts'
import type { Plan } from '../model/plan.ts'
import type { Tools } from '../model/tools.ts'
import { doable } from './actions/index.ts'
import type { Journal, JournalEntry } from './journal.ts'

export interface StepEvent {
  /** From 1. */
  readonly number: number
  readonly title: string
  readonly note: string | null
}

/** Events for whoever shows the progress. */
export interface ExecuteEvents {
  onStep?(step: StepEvent): void
  onAction?(action: Action, state: 'begun' | 'done'): void
  onStepDone?(step: StepEvent, ms: number): void
  /** Looks whether it works; false: what the last step changes has to wait for another run. */
  verify?(): Promise<boolean>
}

/** Does the steps of a plan in order. What an earlier, interrupted run has done already is not done again. */
export const executePlan = async (
  plan: Plan,
  journal: Journal,
  tools: Tools,
  events: ExecuteEvents = {}
): Promise<void> => {
  for (const [index, { title, note, actions }] of plan.steps.entries()) {
    const step = { number: index + 1, title, note }
    const begun = performance.now()
    events.onStep?.(step)
    const isLast = index === plan.steps.length - 1
    const goesOn = !isLast || (await events.verify?.()) !== false
    for (const action of goesOn ? actions : []) await executeAction(action, journal, tools, events)
    events.onStepDone?.(step, performance.now() - begun)
  }
}

/** Once, however often it is begun: the journal knows what was there before the first time. */
export const executeAction = async (
  action: Action,
  journal: Journal,
  tools: Tools,
  events: Pick<ExecuteEvents, 'onAction'>
): Promise<void> => {
  tools.signal.throwIfAborted()
  const known = journal.entry(action)
  if (known !== undefined && isOnce(known, action)) return
  const kind = doable(action)
  const entry = await journal.begin(action, () => kind.before(tools))
  events.onAction?.(action, 'begun')
  await kind.apply(tools, entry.undo)
  await journal.done(entry)
  events.onAction?.(action, 'done')
}

/** A secret that the node has used up since, or a network, must not be made twice; all else is looked at again. */
const isOnce = ({ done, action: before }: JournalEntry, action: Action): boolean =>
  done &&
  (action.kind === 'network' ||
    // One that stays as it is found is made again where it is gone.
    (action.kind === 'file' && action.secret === true && action.once !== true && before.kind === 'file'))
