import { executePlan } from '../../install/apply/execute.ts'
import type { Journal } from '../../install/apply/journal.ts'
import { asOnlyInstaller } from '../../install/apply/lock.ts'
import { journalFor, toolsFor } from '../../install/apply/session.ts'
import { isReached, type Verified, verifiedChecks, verify } from '../../install/apply/verify.ts'
import { deploymentOf } from '../../install/deployments/index.ts'
import { runningProgram } from '../../install/machine/running-program.ts'
import type { Check } from '../../install/model/check.ts'
import type { Plan } from '../../install/model/plan.ts'
import type { ForegroundChild, Tools } from '../../install/model/tools.ts'
import { onAbort } from '../../runtime/abort.ts'
import { checkLines } from '../output/check-text.ts'
import type { Context } from '../output/context.ts'
import { type ExitCode, ExitError, exitCodes } from '../output/exit.ts'
import { breakable, isOfSignal } from '../output/interrupt.ts'
import { Progress } from '../output/progress.ts'
import type { Arrival, Terminal } from '../output/terminal.ts'
import type { InstallOptions } from './options.ts'
import { box, cardJson, cardRows, commandLines, nextCommands } from './result-card.ts'

/** The seven steps, the card, and in the foreground the node itself. Nothing is asked any more. */
export const carryOut = async (
  context: Context,
  plan: Plan,
  options: InstallOptions,
  checks: readonly Check[]
): Promise<void> => {
  const work = asOnlyInstaller(async () => await install(context, plan, options, checks))
  const child = await breakable(context.signal, work, inJournal)
  await stay(context, child)
}

const inJournal =
  'what was done is in the journal: the same command goes on with it, and `trustnet uninstall` takes it back'

/** @returns the node itself, when it runs in the foreground */
const install = async (
  context: Context,
  plan: Plan,
  options: InstallOptions,
  checks: readonly Check[]
): Promise<ForegroundChild | undefined> => {
  const { terminal, signal } = context
  const { answers, version } = plan.install
  const progress = new Progress(terminal, { verbose: options.verbose === true })
  const journal = await journalFor(answers, version, terminal.env)
  const { passphrase } = journal.state
  const { say, tell } = progress
  const tools = toolsFor({ signal, program: runningProgram(), say, tell, env: terminal.env, passphrase })
  const verified = await tracked(progress, tools, async () => {
    let seen: Verified | null = null
    const verifyNow = async (): Promise<boolean> => {
      const found = await verifyInstalled(plan, tools, signal, say)
      seen = found
      return found.named?.isNamed !== false
    }
    const { onStep, onAction, onStepDone } = progress
    const events = { onStep, onAction, onStepDone }
    await executePlan(plan, journal, tools, answers.start ? { ...events, verify: verifyNow } : events)
    return seen
  })
  const shown = foundNetwork(journal) ? null : passphrase
  const found = published(plan, verified)
  const arrival = await show(context, plan, found, { options, checks, passphrase: shown })
  await journal.finish({ shown: arrival === 'arrived' })
  const word = unseen.get(arrival)
  if (word !== undefined) terminal.progress(`${word}: the same command shows it again on a terminal. ${kept}`)
  context.exit(codeOf(found, arrival))
  return tools.children.get(answers.name)
}

const codeOf = (verified: Verified | null, arrival: Arrival): ExitCode => {
  if (arrival === 'lost') return exitCodes.failure
  const { logStore } = verified ?? {}
  return logStore === undefined || isReached(logStore) ? exitCodes.fine : exitCodes.timeout
}

const verifyInstalled = async (plan: Plan, tools: Tools, signal: AbortSignal, say: Tools['say']): Promise<Verified> => {
  const { answers } = plan.install
  const child = tools.children.get(answers.name)
  const ended = child === undefined ? undefined : early(child, signal)
  const source = deploymentOf(answers.deployment)?.source?.(plan.install, tools.run)
  return await verify(plan.install, { signal, say, ended, source })
}

const unseen: ReadonlyMap<Arrival, string> = new Map([
  ['lost', 'All is done, but nobody has read the passphrase of the recovery kit'],
  ['unknown', 'A pipe does not tell whether the passphrase of the recovery kit was read of it']
])

const kept = 'Until then it lies in the journal, for root alone.'

/** A network that came with its data folder has a kit of its own, and this passphrase does not open it. */
const foundNetwork = ({ state }: Journal): boolean =>
  state.entries.some(({ action, undo }) => action.kind === 'network' && undo['there'] === true)

/** A record that a provider has written since needs no hand any more. */
const published = (plan: Plan, verified: Verified | null): Verified | null => {
  const isWritten = verified?.named?.isNamed === true && plan.steps.at(-1)?.actions.some(({ kind }) => kind === 'dns')
  return isWritten === true && verified !== null
    ? { ...verified, named: { isNamed: true, record: undefined } }
    : verified
}

/** A failed step leaves its line, and says how to go on. */
const tracked = async <T>(progress: Progress, { signal, children }: Tools, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    progress.failed()
    // The next run starts it again.
    for (const child of children.values()) child.stop()
    await Promise.all([...children.values()].map(({ ended }) => ended))
    if (!isOfSignal(error, signal))
      progress.tell(
        'What was done is in the journal: run the same command again to go on, or `trustnet uninstall` to undo it.'
      )
    throw error
  }
}

const early = async (child: ForegroundChild, signal: AbortSignal): Promise<never> => {
  const code = await child.ended
  // Ctrl-C on a terminal ends both.
  signal.throwIfAborted()
  throw new ExitError(exitCodes.failure, `The node ended with code ${code} before it was ready; its log is above.`)
}

interface Shown {
  readonly options: InstallOptions
  readonly checks: readonly Check[]
  /** Passphrase of a network that was made now. */
  readonly passphrase: string | null
}

/** Prints the card; `verified` is null when only files were written. @returns fate of the passphrase, where there is one */
const show = async (
  { terminal }: Context,
  plan: Plan,
  verified: Verified | null,
  { options, checks, passphrase }: Shown
): Promise<Arrival> => {
  const { answers, layout, version } = plan.install
  const after = verified === null ? [] : verifiedChecks(verified)
  const deployment = deploymentOf(answers.deployment)
  const own = deployment?.commands(plan.install) ?? []
  const commands = deployment?.isElsewhere === true ? own : nextCommands(plan.install, own)
  const kitFile = deployment?.recoveryKit?.(plan.install) ?? `${layout.data}/recovery.kit`
  const kit = passphrase === null ? null : { file: kitFile, passphrase }
  // A cluster has it from a file, where it stays.
  const isKept = kit === null || deployment?.isElsewhere === true
  if (options.json === true) {
    const node = cardJson(plan.install, verified)
    const all = { node, checks: [...checks, ...after], recoveryKit: kit, next: commands }
    const arrival = await terminal.handOver(all)
    return isKept ? 'arrived' : arrival
  }
  for (const check of after) for (const line of checkLines(check, terminal.paintProgress)) terminal.progress(line)
  terminal.print('')
  for (const line of box(
    `TrustNet ${version} ${deployment?.isElsewhere === true ? 'in a cluster' : 'on this machine'}`,
    cardRows(plan.install, verified),
    terminal.paint,
    terminal.stdout.columns
  ))
    terminal.print(line)
  const arrival = kit === null ? 'arrived' : await showKit(terminal, kit)
  terminal.print('\nNext:')
  for (const line of commandLines(commands)) terminal.print(line)
  return isKept ? 'arrived' : arrival
}

const showKit = async (terminal: Terminal, kit: { file: string; passphrase: string }): Promise<Arrival> => {
  terminal.print(`\nRecovery kit  ${kit.file}`)
  const arrival = await terminal.handOver(`Passphrase    ${terminal.paint('bold', kit.passphrase)}`)
  terminal.print('              It is shown this once: write it down, and move the kit off this machine.')
  return arrival
}

/** In the foreground the node runs under this command; its end is ours. */
const stay = async (context: Context, child: ForegroundChild | undefined): Promise<void> => {
  if (child === undefined) return
  context.terminal.progress('\nThe node runs under this command: Ctrl-C stops it.')
  using _ = onAbort(context.signal, () => child.stop())
  const code = await child.ended
  if (code !== 0) throw new ExitError(exitCodes.failure, `The node ended with code ${code}.`)
}
