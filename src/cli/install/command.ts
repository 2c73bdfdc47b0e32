import type { Answers } from '../../install/answers.ts'
import type { Check } from '../../install/check.ts'
import { preflight } from '../../install/checks.ts'
import { deploymentOf, deployments } from '../../install/deployments/index.ts'
import { OperatorError } from '../../install/errors.ts'
import type { MachineFacts } from '../../install/facts.ts'
import { Journal } from '../../install/journal.ts'
import { journalFolder } from '../../install/layout.ts'
import type { Plan } from '../../install/plan.ts'
import { readFacts } from '../../install/read-facts.ts'
import { isThere, lookup, recordCheck, wantedRecord } from '../../install/record.ts'
import { type Given, resolveAnswers } from '../../install/resolve-answers.ts'
import { runningProgram } from '../../install/running-program.ts'
import { planExtras, planFor } from '../../install/session.ts'
import { defaultPort } from '../../node/config/defaults.ts'
import type { AddCommand, Context } from '../context.ts'
import { ExitError, exitCodes } from '../exit.ts'
import { readInvite } from '../invite-source.ts'
import { type Ask, terminalAsk } from './ask.ts'
import { recordBox, summaryBox, systemBox } from './boxes.ts'
import { carryOut } from './carry-out.ts'
import { checkLines, checkSummary } from './check-text.ts'
import { Ipv6Gate } from './ipv6-gate.ts'
import { type InstallOptions, withAliases, withInstallOptions } from './options.ts'
import { planJson, planLines } from './plan-text.ts'
import { askAll } from './questions.ts'
import { waitForRecord } from './wait-record.ts'

const examples = `
Asks what it has to know, shows what it found, and changes nothing before the
last question. Interrupted, the same command goes on. Needs root.

Examples:
  trustnet install                                      asks
  trustnet install --yes --registry-type root --domain example.org
  trustnet install --yes --invite ./invite.txt
  trustnet install --plan --registry-type root --domain example.org`

export const addInstall: AddCommand = (program, context) => {
  withInstallOptions(program.command('install'))
    .description('make this machine a node or a registry, as a service')
    .addHelpText('after', examples)
    .action((options: InstallOptions) => runInstall(context, withAliases(options)))
}

const runInstall = async (context: Context, options: InstallOptions): Promise<void> => {
  const { terminal, signal } = context
  const asks =
    terminal.stdin.isTTY === true && terminal.stderr.isTTY === true && options.yes !== true && options.plan !== true
  const ask = asks ? await terminalAsk(context) : undefined
  const found = await readFacts({ ports: [], signal })
  const answers = await answersFor(context, options, { ask, facts: found })
  const isDry = options.plan === true
  const gate = new Ipv6Gate(context, answers, { isDry })
  const ipv6 = await gate.pass(found.ipv6)
  const facts = { ...(await readFacts({ ports: [answers.port], signal })), ipv6 }
  const { plan, checks } = await judge(context, answers, facts, gate)
  if (isDry) return showPlan(context, plan, checks, options)
  for (const check of checks) for (const line of checkLines(check, terminal.paintProgress)) terminal.progress(line)
  terminal.progress(`Checks: ${checkSummary(checks)}.`)
  try {
    refuse(checks)
    if (ask !== undefined) await confirm(context, ask, answers, facts)
  } catch (error) {
    await gate.takeBack()
    throw error
  }
  await carryOut(context, plan, options, checks)
}

const judge = async (
  { signal }: Context,
  answers: Answers,
  facts: MachineFacts,
  gate: Ipv6Gate
): Promise<{ plan: Plan; checks: Check[] }> => {
  const deployment = deploymentOf(answers.deployment)
  if (deployment === undefined) {
    const names = deployments.map(({ name }) => name).join(' or ')
    throw new OperatorError(`--deployment ${answers.deployment} is not in this version: choose ${names}.`)
  }
  const journal = process.getuid?.() === 0 ? await Journal.open(journalFolder, answers.name) : undefined
  const isOurs =
    journal?.state.entries.some(({ action }) => action.kind === 'foreground' || action.kind === 'command') ?? false
  const record = wantedRecord(answers, facts)
  const checks = preflight(facts, answers, deployment, { isOurs })
  const answer = await lookup(answers.domain, signal)
  const extras = planExtras(facts, answers, record !== undefined && isThere(record, answer) ? undefined : record)
  const plan = planFor(answers, runningProgram().version, deployment, { ...extras, ipv6: gate.actions })
  return { plan, checks: [...checks, recordCheck(answers, record, answer)] }
}

interface Asking {
  readonly ask: Ask | undefined
  readonly facts: MachineFacts
}

const answersFor = async (context: Context, options: InstallOptions, { ask, facts }: Asking): Promise<Answers> => {
  const given = await givenBy(context, options)
  const saved = await earlier(given)
  if (saved !== undefined) {
    context.terminal.progress(`Going on with ${saved.name}, as it was begun.`)
    return saved
  }
  if (ask === undefined) return resolveAnswers(given)
  // The port that is closed or taken is known only when the role is.
  const port = Number(given.port ?? defaultPort(given.role ?? 'integrated'))
  const now = await readFacts({ ports: [port], signal: context.signal })
  return resolveAnswers(await askAll(ask, given, { ...facts, ports: now.ports }))
}

/** Of an earlier run: of the node that is named, or of the one that did not come to its end. Nothing has to be said again. */
const earlier = async (given: Given): Promise<Answers | undefined> => {
  if (process.getuid?.() !== 0) return undefined
  const all = await Journal.all(journalFolder)
  if (given.name !== undefined) return all.find(({ state }) => state.node === given.name)?.state.answers
  if (given.domain !== undefined || given.invite !== undefined) return undefined
  const open = all.filter(({ state }) => !state.finished)
  return open.length === 1 ? open[0]?.state.answers : undefined
}

const givenBy = async (context: Context, options: InstallOptions): Promise<Given> => {
  const { env } = context.terminal
  const isSaid = options.invite !== undefined || env['TRUSTNET_INVITE'] || env['TRUSTNET_INVITE_FILE']
  const { awsProfile: profile, dnsServer: server } = options
  const settings = Object.entries({ profile, server }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const]
  )
  return {
    domain: options.domain,
    role: options.registryType === 'independent' ? 'secondary' : options.registryType,
    name: options.nodeName,
    deployment: options.deployment,
    port: options.port,
    policy: options.policy,
    rootAddress: options.rootRegistry,
    announce: options.announce,
    network: options.network,
    invite: isSaid ? await readInvite(context, options.invite) : undefined,
    trustOnFirstUse: options.trustOnFirstUse,
    dnsProvider: options.dnsProvider,
    dnsSettings: Object.fromEntries(settings),
    ipv6AutoEnable: options.ipv6AutoEnable,
    openFirewall: options.openFirewall
  }
}

const refuse = (checks: readonly Check[]): void => {
  const failed = checks.filter(({ level }) => level === 'fail')
  if (failed.length === 0) return
  const lines = failed.map(({ title, reason, fix }) => `${title}: ${reason}.${fix === null ? '' : ` Fix: ${fix}`}`)
  throw new OperatorError(['Nothing was changed, because:', ...lines].join('\n'))
}

const showPlan = ({ terminal }: Context, plan: Plan, checks: readonly Check[], { json }: InstallOptions): void => {
  if (json === true) {
    terminal.json({ schemaVersion: 1, checks, steps: planJson(plan) })
    return
  }
  for (const line of planLines(plan, terminal.paint)) terminal.print(line)
  terminal.progress('This is the plan; nothing was changed.')
}

/** The boxes, the wait for the record, and the last question. */
const confirm = async (context: Context, ask: Ask, answers: Answers, facts: MachineFacts): Promise<void> => {
  const { terminal, signal } = context
  const { paintProgress: paint } = terminal
  const say = (lines: readonly string[]): void => {
    for (const line of lines) terminal.progress(line)
  }
  say(['', ...systemBox(facts, answers.deployment, paint)])
  const record = wantedRecord(answers, facts)
  if (record !== undefined && !isThere(record, await lookup(answers.domain, signal))) {
    say(['', ...recordBox(record, answers.dnsProvider, paint), ''])
    if (answers.dnsProvider === 'manual') {
      const there = await waitForRecord(context, record)
      terminal.progress(there ? `${record.name} is there.` : `Going on without ${record.name}.`)
    }
  }
  say(['', ...summaryBox(answers, paint), ''])
  if (!(await ask.confirm('Install it now?', true))) throw new ExitError(exitCodes.refused, 'Nothing was changed.')
}
