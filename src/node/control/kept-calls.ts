import { isChangedSince } from '../actions/late/changed-since.ts'
import { LateAnswers } from '../actions/late/late-answers.ts'
import { type RouteName, routes } from '../api/routes.ts'
import type { NodeContext } from '../node-context.ts'

/** The log does not show what they ask for or change, and so not whether an answer is still true. Doing it again does no harm. */
const outsideLog: ReadonlySet<string> = new Set<RouteName>(['waitingOrders', 'withdrawOrder', 'reject'])

/** Calls that change the network, whose answer is kept for who asks again when nobody has heard it. */
const kept: ReadonlySet<string> = new Set<string>(
  [
    'publishDocument',
    ...Object.entries(routes).flatMap(([name, { needs }]) => (needs === 'operator' ? [name] : []))
  ].filter((name) => !outsideLog.has(name))
)

export const isKept = (name: string): boolean => kept.has(name)

export const lateAnswersOf = (node: NodeContext): LateAnswers =>
  new LateAnswers({
    clock: node.clock,
    place: () => node.network?.registry.replica.head,
    isChanged: (since) => node.network === undefined || isChangedSince(node.network.registry, since)
  })
