import type { ControlApi } from '../../node/api/control-api.ts'
import type { Action } from './action.ts'
import type { Answers, DeploymentName } from './answers.ts'
import type { Check } from './check.ts'
import type { MachineFacts } from './facts.ts'
import type { Layout } from './layout.ts'
import type { Tools } from './tools.ts'

/** One node as it is to be installed: what every renderer is given. */
export interface Install {
  readonly answers: Answers
  readonly layout: Layout
  /** Version of the program that is installed. */
  readonly version: string
}

/** One way to keep the process running. Its functions are pure: they say what is to be done, as actions. */
export interface Deployment {
  readonly name: DeploymentName
  /** For the menu: what it is for. */
  readonly about: string
  /** true: the node does not run on this machine, which keeps its files alone. */
  readonly isElsewhere?: boolean
  /** Checks that this machine can do it, and says what else to choose. Without answers: whether to offer it at all. */
  check(facts: MachineFacts, answers?: Answers): Check
  /** Ends a process that runs as another user than the plan says, before its files are given to that one. */
  rest?(install: Install): Action[]
  /** User, folders, images, units: step 3, before anything starts. */
  files(install: Install): Action[]
  /** Actions that start the process: step 4 for a registry, step 6 for a node. */
  start(install: Install): Action[]
  /** Ends the process, before the files go: what `uninstall` and an upgrade need beyond the undo of `start`. */
  commands(install: Install): NextCommand[]
  /** Source of the running node's state; without it: over its control socket on this machine. */
  source?(install: Install, run: Tools['run']): StatusSource
  /** Path of the recovery kit of a new network; without it: in the data folder. */
  recoveryKit?(install: Install): string
}

/** Questions to a node that was just started. */
export type StatusSource = Pick<ControlApi, 'status' | 'peers' | 'registryStatus'>

export interface NextCommand {
  readonly what: string
  readonly command: string
}
