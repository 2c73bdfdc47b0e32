import { Journal } from '../../install/apply/journal.ts'
import { isThere, lookup, recordCheck, wantedRecord } from '../../install/apply/record.ts'
import { planExtras, planFor } from '../../install/apply/session.ts'
import { deploymentOf, deployments } from '../../install/deployments/index.ts'
import { OperatorError } from '../../install/errors.ts'
import { preflight } from '../../install/machine/checks.ts'
import { probe, probeTargets } from '../../install/machine/ipv6-probe.ts'
import { readFacts, readIpv6 } from '../../install/machine/read-facts.ts'
import { runningProgram } from '../../install/machine/running-program.ts'
import type { Answers } from '../../install/model/answers.ts'
import type { Check } from '../../install/model/check.ts'
import type { MachineFacts } from '../../install/model/facts.ts'
import { journalFolder } from '../../install/model/layout.ts'
import type { Plan } from '../../install/model/plan.ts'
import { rootStoreCheck } from '../../install/model/root-store.ts'
import { type Given, resolveAnswers } from '../../install/plan/resolve-answers.ts'
import { installedVersion } from '../../install/upgrade/plan.ts'
import { defaultPort } from '../../node/config/defaults.ts'
import { readInvite } from '../access/invite-source.ts'
import { checkLines, checkSummary } from '../output/check-text.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import { carryOut } from './apply.ts'
import { type Ask, terminalAsk } from './ask.ts'
import { Ipv6Gate } from './ipv6-gate.ts'
import { type InstallOptions, withAliases, withInstallOptions } from './options.ts'
import { planJson, planLines } from './plan-text.ts'
import { askAll } from './questions.ts'
import { recordBox, summaryBox, systemBox } from './summary.ts'
import { runUpgrade } from './upgrade.ts'
import { waitForRecord } from './wait-record.ts'

const examples = `
Asks what it has to know, shows what it found, and changes nothing before the
last question. Interrupted, the same command goes on. Needs root.

Examples:
  trustnet install                                      asks
  trustnet install --yes --role root --domain example.org
  trustnet install --yes --invite ./invite.txt
  trustnet install --yes --invite ./invite.txt --deployment docker
  trustnet install --yes --invite ./invite.txt --deployment kubernetes \\
    --image registry.example.org/trustnet:v0.1.0        manifests and commands
  trustnet install --plan --role root --domain example.org`

export const addInstall: AddCommand = (program, context) => {
  withInstallOptions(program.command('install'))
    .description('make this machine a node or a registry, as a service')
    .addHelpText('after', examples)
    .action((options: InstallOptions) => runInstall(context, withAliases(options)))
}

const runInstall = async (context: Context, options: InstallOptions): Promise<void> => {
  const ready = await breakable(context.signal, prepare(context, options))
  if (ready !== undefined) await carryOut(context, ready.plan, options, ready.checks)
}

/** All that is looked at and asked before the first change; undefined: nothing is to be installed. */
const prepare = async (context: Context, options: InstallOptions): Promise<Examined | undefined> => {
  const { terminal, signal } = context
  const asks =
    terminal.stdin.isTTY === true && terminal.stderr.isTTY === true && options.yes !== true && options.plan !== true
  const ask = asks ? await terminalAsk(context) : undefined
  const answers = await answersFor(context, options, ask)
  const isElsewhere = deploymentOf(answers.deployment)?.isElsewhere === true
  if (!isElsewhere && (await isUpgrade(context, answers, options))) return undefined
  const gate = new Ipv6Gate(context, answers, { isDry: options.plan === true })
  try {
    let seen = await examine(context, answers, { gate, ipv6Probe: options.ipv6Probe })
    if (options.plan === true) {
      showPlan(context, seen.plan, seen.checks, options)
      return undefined
    }
    showChecks(context, seen.checks)
    while (await looksAgain(ask, seen.checks)) {
      seen = await examine(context, answers, { gate, ipv6Probe: options.ipv6Probe })
      showChecks(context, seen.checks)
    }
    // A check that was broken off has found nothing out.
    signal.throwIfAborted()
    refuse(seen.checks)
    if (ask !== undefined) await confirm(context, ask, answers, seen.facts)
    signal.throwIfAborted()
    return seen
  } catch (error) {
    await gate.takeBack()
    throw error
  }
}

/** On a terminal what failed can be mended meanwhile: no question has to be answered twice. */
const looksAgain = async (ask: Ask | undefined, checks: readonly Check[]): Promise<boolean> =>
  ask !== undefined &&
  failedOf(checks).length > 0 &&
  (await ask.confirm('This has to be mended first. Look again?', true))

/** true: the node is there with another version, and was brought to this one. */
const isUpgrade = async (context: Context, { name }: Answers, options: InstallOptions): Promise<boolean> => {
  const now = await otherVersion(name)
  if (now === undefined) return false
  if (!now.isInstalled) {
    throw new OperatorError(
      `The nodes of this machine run ${now.version}: bring them to this version first, with its \`trustnet upgrade\`.`
    )
  }
  context.terminal.progress(`${name} is installed here, with ${now.version}: this is an upgrade.`)
  await runUpgrade(context, options)
  return true
}

const showChecks = ({ terminal }: Context, checks: readonly Check[]): void => {
  for (const check of checks) for (const line of checkLines(check, terminal.paintProgress)) terminal.progress(line)
  terminal.progress(`Checks: ${checkSummary(checks)}.`)
}

/** All nodes of a machine share one program. undefined: it has none yet, or this version. */
const otherVersion = async (name: string): Promise<{ version: string; isInstalled: boolean } | undefined> => {
  const version = process.getuid?.() === 0 ? await installedVersion() : undefined
  if (version === undefined || version === runningProgram().version) return undefined
  const journal = await Journal.open(journalFolder, name)
  return { version, isInstalled: journal?.state.finished === true }
}

interface Examined {
  readonly facts: MachineFacts
  readonly plan: Plan
  readonly checks: readonly Check[]
}

interface Examining {
  readonly gate: Ipv6Gate
  readonly ipv6Probe: string | undefined
}

/** The machine as it is now, what would be done, and whether it may be. */
const examine = async ({ signal }: Context, answers: Answers, { gate, ipv6Probe }: Examining): Promise<Examined> => {
  const deployment = deploymentOf(answers.deployment)
  const found = await readIpv6()
  const ipv6 = deployment?.isElsewhere === true ? found : await gate.pass(found)
  const cluster = deployment?.isElsewhere === true && answers.start
  const facts = { ...(await readFacts({ ports: [answers.port], signal, cluster })), ipv6 }
  if (deployment === undefined) {
    const names = deployments.map(({ name }) => name).join(' or ')
    throw new OperatorError(`--deployment ${answers.deployment} is not in this version: choose ${names}.`)
  }
  const journal = process.getuid?.() === 0 ? await Journal.open(journalFolder, answers.name) : undefined
  const isOurs =
    journal?.state.entries.some(({ action }) => action.kind === 'foreground' || action.kind === 'command') ?? false
  const record = wantedRecord(answers, facts)
  const targets = deployment.isElsewhere === true ? [] : probeTargets(ipv6Probe, answers, ipv6)
  const checks = preflight(facts, answers, deployment, { isOurs, beyond: await probe(targets, { signal }) })
  const answer = await lookup(answers.domain, signal)
  const extras = planExtras(facts, answers, record !== undefined && isThere(record, answer) ? undefined : record)
  const plan = planFor(answers, runningProgram().version, deployment, { ...extras, ipv6: gate.actions })
  const store = rootStoreCheck(answers.rootStore, runningProgram())
  return { facts, plan, checks: [...checks, ...store, recordCheck(answers, record, answer)] }
}

const answersFor = async (context: Context, options: InstallOptions, ask: Ask | undefined): Promise<Answers> => {
  const given = await givenBy(context, options)
  const saved = await earlier(given)
  if (saved !== undefined) {
    context.terminal.progress(`Going on with ${saved.name}, as it was begun.`)
    // Another image is how a container is upgraded; one whose files were written is started later.
    return { ...saved, image: given.image ?? saved.image, start: given.start ?? saved.start }
  }
  if (ask === undefined) return resolveAnswers(given)
  // The port that is closed or taken is known only when the role is.
  const port = given.port ?? defaultPort(given.role ?? 'integrated')
  return resolveAnswers(await askAll(ask, given, await readFacts({ ports: [port], signal: context.signal })))
}

/** Answers of an earlier run: of the node that is named, or of the one that did not come to its end. Nothing has to be said again. */
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
    role: options.role,
    name: options.name,
    deployment: options.deployment,
    image: options.image,
    start: options.start,
    port: options.port,
    policy: options.policy,
    rootStore: options.rootStore,
    rootStorePasswordFile: options.rootStorePasswordFile,
    logKeyFile: options.logKey,
    rootAddress: options.rootRegistry,
    announce: options.announce,
    network: options.network,
    invite: isSaid ? await readInvite(context, options.invite) : undefined,
    trustOnFirstUse: options.trustOnFirstUse,
    dnsProvider: options.dnsProvider,
    dnsSettings: Object.fromEntries(settings),
    ipv6AutoEnable: options.ipv6AutoEnable,
    openFirewall: options.openFirewall,
    monitoring: options.monitoring,
    http: options.http,
    names: options.names
  }
}

const failedOf = (checks: readonly Check[]): Check[] => checks.filter(({ level }) => level === 'fail')

const refuse = (checks: readonly Check[]): void => {
  const failed = failedOf(checks)
  if (failed.length === 0) return
  const lines = failed.map(({ title, reason, fix }) => `${title}: ${reason}.${fix === null ? '' : ` Fix: ${fix}`}`)
  throw new OperatorError(['Nothing was changed, because:', ...lines].join('\n'))
}

const showPlan = ({ terminal }: Context, plan: Plan, checks: readonly Check[], { json }: InstallOptions): void => {
  if (json === true) {
    terminal.json({ checks, steps: planJson(plan) })
    return
  }
  for (const line of planLines(plan, terminal.paint)) terminal.print(line)
  terminal.progress('This is the plan; nothing was changed.')
}

/** The boxes, the wait for the record, and the last question. */
const confirm = async (context: Context, ask: Ask, answers: Answers, facts: MachineFacts): Promise<void> => {
  const { terminal, signal } = context
  const screen = { paint: terminal.paintProgress, columns: terminal.stderr.columns }
  const say = (lines: readonly string[]): void => {
    for (const line of lines) terminal.progress(line)
  }
  say(['', ...systemBox(facts, answers.deployment, screen)])
  const record = wantedRecord(answers, facts)
  // Nobody is led to a second registry before it was seen to work: its record is shown at the end.
  if (record !== undefined && answers.role === 'root' && !isThere(record, await lookup(answers.domain, signal))) {
    say(['', ...recordBox(record, answers.dnsProvider, screen), ''])
    if (answers.dnsProvider === 'manual') {
      const there = await waitForRecord(context, record)
      terminal.progress(there ? `${record.name} is there.` : `Going on without ${record.name}.`)
    }
  }
  say(['', ...summaryBox(answers, screen), ''])
  if (!(await ask.confirm('Install it now?', true))) throw new ExitError(exitCodes.refused, 'Nothing was changed.')
}
