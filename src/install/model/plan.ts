import type { Action } from './action.ts'
import type { Install } from './deployment.ts'

/** The seven steps of an execution, in this order. */
export const stepTitles = [
  'Program and dependencies',
  'Registry configuration',
  'Service files',
  'Start registry',
  'Node configuration',
  'Start node',
  'Verification'
] as const

export interface PlanStep {
  readonly title: string
  readonly actions: readonly Action[]
  /** The reason why there is nothing to do here; null when there is. */
  readonly note: string | null
}

/** All that an install changes, before it changes anything. */
export interface Plan {
  readonly install: Install
  readonly steps: readonly PlanStep[]
}
