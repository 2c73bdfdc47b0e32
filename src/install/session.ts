import { newPassphrase } from '../node/recovery-kit.ts'
import type { Answers } from './answers.ts'
import { buildPlan, type PlanExtras } from './build-plan.ts'
import type { Deployment, Install } from './deployment.ts'
import { Journal } from './journal.ts'
import { journalFolder, layoutOf } from './layout.ts'
import type { Plan } from './plan.ts'
import type { ProgramSource } from './program.ts'
import { runCommand } from './run-command.ts'
import type { ForegroundChild, Tools } from './tools.ts'

export const planFor = (answers: Answers, version: string, deployment: Deployment, extras: PlanExtras): Plan => {
  const install: Install = { answers, layout: layoutOf(answers.name), version }
  return buildPlan(install, deployment, extras)
}

/** The journal of this node: of an earlier run, or a new one. */
export const journalFor = async (
  answers: Answers,
  version: string,
  passphrase: string | undefined
): Promise<Journal> => {
  const known = await Journal.open(journalFolder, answers.name)
  if (known !== undefined) {
    Object.assign(known.state, { version, finished: false })
    return known
  }
  return new Journal(journalFolder, {
    schemaVersion: 1,
    node: answers.name,
    version,
    begunMs: Date.now(),
    finished: false,
    answers,
    // On the disk before the network is made: an interrupted run must not lose it.
    passphrase: answers.trust.kind === 'new' ? (passphrase ?? newPassphrase()) : null,
    entries: []
  })
}

export interface ToolsInit {
  readonly signal: AbortSignal
  readonly program: ProgramSource
  readonly say: (text: string) => void
  readonly tell: (text: string) => void
  readonly purge?: boolean
  readonly passphrase?: string | null
}

export const toolsFor = (init: ToolsInit): Tools & { readonly children: Map<string, ForegroundChild> } => ({
  signal: init.signal,
  program: init.program,
  say: init.say,
  tell: init.tell,
  purge: init.purge ?? false,
  passphrase: init.passphrase ?? '',
  children: new Map(),
  run: async (command, options) => await runCommand(command, { ...options, signal: init.signal })
})
