import type { Action } from './actions.ts'
import type { Answers, DeploymentName } from './answers.ts'
import type { Check } from './check.ts'
import type { MachineFacts } from './facts.ts'
import type { Layout } from './layout.ts'

/** One node as it is to be installed: what every renderer is given. */
export interface Install {
  readonly answers: Answers
  readonly layout: Layout
  /** Of the program that is installed. */
  readonly version: string
}

/** One way to keep the process running. Its functions are pure: they say what is to be done, as actions. */
export interface Deployment {
  readonly name: DeploymentName
  /** For the menu: what it is for. */
  readonly about: string
  /** Whether this machine can do it, and what else to choose. */
  check(facts: MachineFacts): Check
  /** User, folders, images, units: step 3, before anything starts. */
  files(install: Install): Action[]
  /** What starts the process: step 4 for a registry, step 6 for a node. */
  start(install: Install): Action[]
  /** Ends the process, before the files go: what `uninstall` and an upgrade need beyond the undo of `start`. */
  commands(install: Install): NextCommand[]
}

export interface NextCommand {
  readonly what: string
  readonly command: string
}
