import { Option } from 'commander'
import { doable } from '../../install/apply/actions/index.ts'
import { Journal } from '../../install/apply/journal.ts'
import { asOnlyInstaller } from '../../install/apply/lock.ts'
import { toolsFor } from '../../install/apply/session.ts'
import { OperatorError } from '../../install/errors.ts'
import { runningProgram } from '../../install/machine/running-program.ts'
import { journalFolder, layoutOf } from '../../install/model/layout.ts'
import { installedVersion, planUpgrade, type UpgradePlan } from '../../install/upgrade/plan.ts'
import { openUpgrade } from '../../install/upgrade/state.ts'
import { type Upgraded, upgrade } from '../../install/upgrade/upgrade.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import { Progress } from '../output/progress.ts'
import { upgradeFrom } from './upgrade-from.ts'

export interface UpgradeOptions {
  plan?: boolean
  verbose?: boolean
  json?: boolean
  key?: string
  unsigned?: boolean
  checked?: boolean
}

const examples = `
RELEASE is a tarball with SHA256SUMS and its signature beside it. The installed
program checks them with the key that it brought along, unpacks the release and
lets it go on. Without RELEASE the version of this program is installed, which
nobody has checked when it was unpacked by hand. Every node of this machine is
restarted with it; when one does not come up as well as before, all go back by
themselves. The version before stays: its own \`upgrade\` is the way back.

Examples:
  trustnet upgrade ./trustnet-0.2.0-linux-x64.tar.gz --plan
  trustnet upgrade ./trustnet-0.2.0-linux-x64.tar.gz
  trustnet-0.2.0-linux-x64/bin/trustnet upgrade
  /opt/trustnet/0.1.0/bin/trustnet upgrade         back to 0.1.0`

export const addUpgrade: AddCommand = (program, context) => {
  program
    .command('upgrade [release]')
    .description('bring the nodes of this machine to a release, or to the version of this program')
    .option('--key <file>', 'check the release with this public key of minisign')
    .option('--unsigned', 'take a release that nobody has signed')
    .addOption(new Option('--checked').hideHelp())
    .option('--plan', 'print what would change, and change nothing')
    .option('--verbose', 'print each change as it is made')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((release: string | undefined, options: UpgradeOptions) => chooseUpgrade(context, release, options))
}

const chooseUpgrade = async (context: Context, release: string | undefined, options: UpgradeOptions): Promise<void> => {
  requireRoot()
  if (release !== undefined) return await upgradeFrom(context, release, options)
  if (options.key !== undefined || options.unsigned === true)
    throw new UsageError('--key and --unsigned say how a RELEASE is checked: name its file.')
  const { terminal } = context
  if (options.checked !== true && !runningProgram().isInstalled) {
    terminal.progress(
      `${terminal.paintProgress('warn', 'warning')}: this program was unpacked by hand, and nobody has checked it here: trustnet upgrade RELEASE.tar.gz does.`
    )
  }
  await runUpgrade(context, options)
}

const requireRoot = (): void => {
  if (process.getuid?.() !== 0) throw new OperatorError('An upgrade changes /opt and /etc: run it with sudo.')
}

export const runUpgrade = async (context: Context, options: UpgradeOptions): Promise<void> => {
  requireRoot()
  const work = async (): Promise<void> => await carryOut(context, options)
  await (options.plan === true ? work() : asOnlyInstaller(work))
}

const carryOut = async (context: Context, options: UpgradeOptions): Promise<void> => {
  const { terminal, signal } = context
  const program = runningProgram()
  const open = await openUpgrade()
  const from = open?.from ?? (await installedVersion())
  const journals = await Journal.all(journalFolder)
  if (from === undefined || journals.length === 0)
    throw new ExitError(exitCodes.noMatch, 'Nothing was installed here with `trustnet install`.')
  const plan = await planUpgrade(journals, from, program.version)
  if (options.plan === true) return showPlan(context, plan, options)
  if (open === undefined && from === program.version) {
    if (options.json === true) return terminal.json(answer(plan, { nodes: [], migrated: [], removed: [] }))
    return terminal.print(`This machine is at ${from} already.`)
  }
  const total = 1 + plan.nodes.length
  const progress = new Progress(terminal, { verbose: options.verbose === true, total })
  const { say, tell } = progress
  const tools = toolsFor({ signal, program, say, tell, env: terminal.env })
  const left = 'the machine is between two versions, and the same command goes on'
  show(context, plan, await breakable(signal, upgrade(plan, tools, progressOf(progress)), left), options)
}

const progressOf = (progress: Progress) => {
  let number = 0
  return {
    onAction: progress.onAction,
    step: async <T>(title: string, work: () => Promise<T>): Promise<T> => {
      const step = { number: ++number, title, note: null }
      const begun = performance.now()
      progress.onStep(step)
      try {
        const result = await work()
        progress.onStepDone(step, performance.now() - begun)
        return result
      } catch (error) {
        progress.failed()
        throw error
      }
    }
  }
}

/** Lists what of the plan changes something on a machine that has all of it in another version. */
const changes = ({ nodes }: UpgradePlan): { text: string; lines: readonly string[] }[] => {
  const all = nodes.flatMap(({ plan, restarts }) =>
    plan.steps
      .flatMap(({ actions }) => actions)
      .filter((action) => action.kind !== 'foreground' || restarts)
      .filter(({ kind }) => ['program', 'link', 'file', 'command'].includes(kind))
      .filter((action) => action.kind !== 'file' || (action.once !== true && action.secret !== true))
      .map((action) => doable(action).describe())
  )
  return all.filter(({ text }, at) => all.findIndex((other) => other.text === text) === at)
}

const showPlan = ({ terminal }: Context, plan: UpgradePlan, { json }: UpgradeOptions): void => {
  const { from, to, nodes, migrations, obsolete } = plan
  const names = nodes.map(({ name }) => name)
  if (json === true) {
    terminal.json({ from, to, nodes: names, changes: changes(plan), migrations, obsolete })
    return
  }
  terminal.print(terminal.paint('bold', `${from} → ${to}: ${names.join(', ')}`))
  for (const { text, lines } of changes(plan)) {
    terminal.print(`   ${text}`)
    for (const line of lines) terminal.print(terminal.paint('dim', `     | ${line}`.trimEnd()))
  }
  for (const { file, changes: each } of migrations) {
    terminal.print(`   configuration ${file}, when all nodes run; the old one is kept beside it`)
    for (const change of each) terminal.print(terminal.paint('dim', `     | ${change}`))
  }
  for (const version of obsolete) terminal.print(`   removed when all nodes run: ${layoutOf('').program}/${version}`)
  terminal.progress('This is the plan; nothing was changed.')
}

const answer = ({ from, to }: UpgradePlan, { nodes, migrated, removed }: Upgraded) => ({
  from,
  to,
  nodes: nodes.map(({ name, status }) => ({ name, status: status?.word ?? null })),
  migrated,
  removed
})

const show = ({ terminal }: Context, plan: UpgradePlan, done: Upgraded, { json }: UpgradeOptions): void => {
  const { from, to } = plan
  if (json === true) {
    terminal.json(answer(plan, done))
    return
  }
  terminal.print(`\n${terminal.paint('bold', `This machine is at ${to}.`)}`)
  for (const { name, status } of done.nodes) {
    const word = status === null ? `runs in the foreground: ${from} until it is started again` : status.word
    terminal.print(`  ${name}  ${word}`)
  }
  for (const { file, copy } of done.migrated) terminal.print(`${file} is rewritten; as it was: ${copy}`)
  for (const version of done.removed) terminal.print(`Removed: ${version}.`)
  if (from !== to) terminal.print(`The way back: ${layoutOf('').program}/${from}/bin/trustnet upgrade`)
}
