import type { RecordEdit } from '../../dns/providers/provider.ts'
import { readSecret } from '../../node/config/index.ts'
import { newPassphrase } from '../../node/offline/recovery-kit.ts'
import { firewallActions } from '../machine/firewall.ts'
import { runCommand } from '../machine/run-command.ts'
import type { Answers } from '../model/answers.ts'
import type { Deployment, Install } from '../model/deployment.ts'
import type { MachineFacts } from '../model/facts.ts'
import { journalFolder, layoutOf } from '../model/layout.ts'
import type { Plan } from '../model/plan.ts'
import type { ProgramSource } from '../model/program.ts'
import type { Tools } from '../model/tools.ts'
import { buildPlan, type PlanExtras } from '../plan/build-plan.ts'
import { Journal } from './journal.ts'

type Env = Readonly<Record<string, string | undefined>>

export const planFor = (answers: Answers, version: string, deployment: Deployment, extras: PlanExtras): Plan => {
  const install: Install = { answers, layout: layoutOf(answers.name), version }
  return buildPlan(install, deployment, extras)
}

/** Extras of the plan that follow from the machine. `record` is one that is not there yet. */
export const planExtras = (
  facts: MachineFacts,
  answers: Answers,
  record: RecordEdit | undefined
): Omit<PlanExtras, 'ipv6'> => {
  const { dnsProvider: provider, dnsSettings: settings } = answers
  const [value] = record?.add ?? []
  const isByHand = provider === 'manual' || record === undefined || value === undefined
  return {
    firewall: firewallActions(facts, answers),
    dns: isByHand
      ? []
      : [
          {
            kind: 'dns',
            provider,
            settings,
            record: { name: record.name, type: 'AAAA', ttlSeconds: record.ttlSeconds, value }
          }
        ]
  }
}

/** The journal of this node: of an earlier run, or a new one. */
export const journalFor = async (answers: Answers, version: string, env: Env): Promise<Journal> => {
  const known = await Journal.open(journalFolder, answers.name)
  if (known !== undefined) {
    Object.assign(known.state, { version, answers, finished: false })
    return known
  }
  const passphrase =
    answers.trust.kind === 'new' ? (readSecret('recoveryPassphrase', { env }) ?? newPassphrase()) : null
  return new Journal(journalFolder, {
    schemaVersion: 1,
    node: answers.name,
    version,
    begunMs: Date.now(),
    finished: false,
    answers,
    // On the disk before the network is made: an interrupted run must not lose it.
    passphrase,
    entries: []
  })
}

export interface ToolsInit {
  readonly signal: AbortSignal
  readonly program: ProgramSource
  readonly say: (text: string) => void
  readonly tell: (text: string) => void
  readonly env: Env
  readonly purge?: boolean
  readonly passphrase?: string | null
}

export const toolsFor = (init: ToolsInit): Tools => ({
  signal: init.signal,
  program: init.program,
  say: init.say,
  tell: init.tell,
  env: init.env,
  purge: init.purge ?? false,
  passphrase: init.passphrase ?? '',
  children: new Map(),
  run: async (command, options) => await runCommand(command, { ...options, signal: init.signal })
})
