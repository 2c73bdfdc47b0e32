import type { Answers } from '../../install/answers.ts'
import type { Check } from '../../install/check.ts'
import { preflight } from '../../install/checks.ts'
import { deploymentOf, deployments } from '../../install/deployments/index.ts'
import { OperatorError } from '../../install/errors.ts'
import { executePlan } from '../../install/execute.ts'
import type { MachineFacts } from '../../install/facts.ts'
import { Journal } from '../../install/journal.ts'
import { journalFolder } from '../../install/layout.ts'
import type { Plan } from '../../install/plan.ts'
import { stepTitles } from '../../install/plan.ts'
import { readFacts } from '../../install/read-facts.ts'
import { type Given, resolveAnswers } from '../../install/resolve-answers.ts'
import { runningProgram } from '../../install/running-program.ts'
import { journalFor, planFor, toolsFor } from '../../install/session.ts'
import type { ForegroundChild } from '../../install/tools.ts'
import { type Verified, verifiedChecks, verify } from '../../install/verify.ts'
import { readSecret } from '../../node/config/index.ts'
import type { AddCommand, Context } from '../context.ts'
import { ExitError, exitCodes } from '../exit.ts'
import { readInvite } from '../invite-source.ts'
import { box, cardRows, commandLines, nextCommands } from './card.ts'
import { checkLines, checkSummary } from './check-text.ts'
import { type InstallOptions, withAliases, withInstallOptions } from './options.ts'
import { planJson, planLines } from './plan-text.ts'
import { Progress } from './progress.ts'

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
  const answers = await answersFor(context, options)
  const source = runningProgram()
  const facts = await readFacts({ ports: [answers.port], signal })
  const deployment = deploymentOf(answers.deployment)
  if (deployment === undefined)
    throw new OperatorError(
      `--deployment ${answers.deployment} is not in this version: choose ${deployments.map(({ name }) => name).join(' or ')}.`
    )
  const known = await Journal.open(journalFolder, answers.name)
  const checks = preflight(facts, answers, deployment, { isOurs: known !== undefined })
  const plan = planFor(answers, source.version, deployment, { ipv6: [], firewall: [] })
  if (options.plan === true) return showPlan(context, plan, checks, options)
  for (const check of checks) for (const line of checkLines(check, terminal.paintProgress)) terminal.progress(line)
  terminal.progress(`Checks: ${checkSummary(checks)}.`)
  refuse(checks)
  await carryOut(context, plan, options, { facts, checks })
}

const answersFor = async (context: Context, options: InstallOptions): Promise<Answers> => {
  const given = await givenBy(context, options)
  const saved = await interrupted(given)
  return saved ?? resolveAnswers(given)
}

/** Of an earlier run that did not come to its end: nothing has to be said again. */
const interrupted = async (given: Given): Promise<Answers | undefined> => {
  if (given.domain !== undefined || given.invite !== undefined) {
    if (given.name === undefined) return undefined
  }
  const all = await Journal.all(journalFolder).catch(() => [])
  const open = all.filter(({ state }) => (given.name === undefined ? !state.finished : state.node === given.name))
  return open.length === 1 ? open[0]?.state.answers : undefined
}

const givenBy = async (context: Context, options: InstallOptions): Promise<Given> => {
  const { env } = context.terminal
  const isSaid = options.invite !== undefined || env['TRUSTNET_INVITE'] || env['TRUSTNET_INVITE_FILE']
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
    dnsSettings: options.awsProfile === undefined ? {} : { profile: options.awsProfile },
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

interface Found {
  readonly facts: MachineFacts
  readonly checks: readonly Check[]
}

const carryOut = async (context: Context, plan: Plan, options: InstallOptions, found: Found): Promise<void> => {
  const { terminal, signal } = context
  const { answers, version } = plan.install
  const progress = new Progress(terminal, { verbose: options.verbose === true })
  const journal = await journalFor(answers, version, readSecret('recoveryPassphrase', { env: terminal.env }))
  const { say, tell } = progress
  const tools = toolsFor({ signal, program: runningProgram(), say, tell, passphrase: journal.state.passphrase })
  const begun = performance.now()
  const { passphrase } = journal.state
  const verified = await tracked(progress, async () => {
    await executePlan(plan, journal, tools, {
      onStep: progress.onStep,
      onAction: progress.onAction,
      onStepDone: (step, ms) => {
        // The last one is done when it was seen to work.
        if (step.number < stepTitles.length) progress.onStepDone(step, ms)
      }
    })
    const last = performance.now()
    const child = tools.children.get(answers.name)
    const seen = await verify(plan.install, { signal, say, ended: child === undefined ? undefined : early(child) })
    progress.onStepDone({ number: stepTitles.length, title: '', note: null }, performance.now() - last)
    return seen
  })
  const isNewNetwork = passphrase !== null
  show(context, plan, verified, {
    ...found,
    options,
    passphrase: isNewNetwork ? passphrase : null,
    tookMs: performance.now() - begun
  })
  await journal.finish()
  await stay(context, tools.children.get(answers.name))
}

/** A failed step leaves its line, and says how to go on. */
const tracked = async <T>(progress: Progress, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    progress.failed()
    progress.tell(
      'What was done is in the journal: run the same command again to go on, or `trustnet uninstall` to undo it.'
    )
    throw error
  }
}

const early = async (child: ForegroundChild): Promise<never> => {
  const code = await child.ended
  throw new ExitError(exitCodes.failure, `The node ended with code ${code} before it was ready; its log is above.`)
}

interface Shown extends Found {
  readonly options: InstallOptions
  readonly passphrase: string | null
  readonly tookMs: number
}

const show = ({ terminal }: Context, plan: Plan, verified: Verified, shown: Shown): void => {
  const { install } = plan
  const checks = verifiedChecks(verified)
  const deployment = deploymentOf(install.answers.deployment)
  const commands = nextCommands(install, deployment?.commands(install) ?? [])
  const rows = cardRows(install, verified)
  const { passphrase, options } = shown
  if (options.json === true) {
    const card = Object.fromEntries(rows.map(([name, value]) => [name.toLowerCase(), value]))
    const kit = passphrase === null ? null : { file: `${install.layout.data}/recovery.kit`, passphrase }
    terminal.json({
      schemaVersion: 1,
      node: card,
      checks: [...shown.checks, ...checks],
      recoveryKit: kit,
      next: commands
    })
    return
  }
  for (const check of checks) for (const line of checkLines(check, terminal.paintProgress)) terminal.progress(line)
  terminal.print('')
  for (const line of box(`TrustNet ${install.version} on this machine`, rows, terminal.paint)) terminal.print(line)
  if (passphrase !== null) {
    terminal.print(`\nRecovery kit   ${install.layout.data}/recovery.kit`)
    terminal.print(
      `Passphrase     ${terminal.paint('bold', passphrase)}   shown once: write it down, and move the kit off this machine`
    )
  }
  terminal.print('\nNext:')
  for (const line of commandLines(commands)) terminal.print(line)
}

/** In the foreground the node runs under this command; its end is ours. */
const stay = async (context: Context, child: ForegroundChild | undefined): Promise<void> => {
  if (child === undefined) return
  context.terminal.progress('\nThe node runs under this command: Ctrl-C stops it.')
  context.signal.addEventListener('abort', () => child.stop(), { once: true })
  if (context.signal.aborted) child.stop()
  const code = await child.ended
  if (code !== 0) throw new ExitError(exitCodes.failure, `The node ended with code ${code}.`)
}
