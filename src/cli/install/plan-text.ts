import { doable } from '../../install/apply/actions/index.ts'
import type { Action } from '../../install/model/action.ts'
import type { Plan } from '../../install/model/plan.ts'
import type { Painter } from '../output/text.ts'

/** Everything that would change, step by step. */
export const planLines = (plan: Plan, paint: Painter): string[] =>
  plan.steps.flatMap(({ title, actions, note }, index) => [
    paint('bold', `${index + 1}. ${title}`),
    ...(note === null ? [] : [paint('dim', `   ${note}`)]),
    ...actions.flatMap((action) => actionLines(action, paint))
  ])

const actionLines = (action: Action, paint: Painter): string[] => {
  const { text, lines } = doable(action).describe()
  return [`   ${text}`, ...lines.map((line) => paint('dim', `     | ${line}`.trimEnd()))]
}

export const planJson = (plan: Plan) =>
  plan.steps.map(({ title, actions, note }) => ({
    title,
    note,
    changes: actions.map((action) => ({ kind: action.kind, ...doable(action).describe() }))
  }))
