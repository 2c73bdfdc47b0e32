import { doable } from '../../install/apply/actions/index.ts'
import { asOwner } from '../../install/apply/as-owner/run.ts'
import { Journal } from '../../install/apply/journal.ts'
import { asOnlyInstaller } from '../../install/apply/lock.ts'
import { revertAll } from '../../install/apply/revert.ts'
import { toolsFor } from '../../install/apply/session.ts'
import { OperatorError } from '../../install/errors.ts'
import { statAt } from '../../install/machine/open-safely.ts'
import { runningProgram } from '../../install/machine/running-program.ts'
import { journalFolder, layoutOf } from '../../install/model/layout.ts'
import { closeUpgrade } from '../../install/upgrade/state.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import { terminalAsk } from './ask.ts'

interface UninstallOptions {
  node?: string
  purge?: boolean
  yes?: boolean
  plan?: boolean
  json?: boolean
}

const examples = `
Takes back exactly what \`trustnet install\` did, last first. Keys and database
stay, so that the same node can come back, unless --purge is given. Whoever
goes for good says so first: trustnet leave --forget

Examples:
  trustnet uninstall
  trustnet uninstall --node hal --purge
  trustnet uninstall --plan`

export const addUninstall: AddCommand = (program, context) => {
  program
    .command('uninstall')
    .description('take back what install did')
    .option('-n, --node <name>', 'which, when several were installed here')
    .option('--purge', 'remove keys and database too: this PeerId is gone for ever')
    .option('--yes', 'do not ask before keys are removed')
    .option('--plan', 'print what would be taken back, and change nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((options: UninstallOptions) => uninstall(context, options))
}

const uninstall = async (context: Context, options: UninstallOptions): Promise<void> => {
  if (process.getuid?.() !== 0) throw new OperatorError('An uninstall changes /opt, /etc and /var: run it with sudo.')
  const work = async (): Promise<void> => await takeBack(context, options)
  await breakable(context.signal, options.plan === true ? work() : asOnlyInstaller(work), left)
}

const left = 'what is not taken back yet is in the journal, and the same command goes on with it'

const takeBack = async (context: Context, options: UninstallOptions): Promise<void> => {
  const { terminal, signal } = context
  const all = await Journal.all(journalFolder)
  const journal = chosen(all, options.node)
  const { node } = journal.state
  if (options.plan === true) return showPlan(context, journal, options)
  const peerId = await peerIdOf(node)
  if (options.purge === true && options.yes !== true) await confirmPurge(context, node, peerId)
  const kept: string[] = []
  const tell = (text: string): void => {
    kept.push(text)
    if (options.json !== true) terminal.progress(text)
  }
  const tools = toolsFor({
    signal,
    program: runningProgram(),
    say: () => {},
    tell,
    purge: options.purge === true,
    env: terminal.env
  })
  const others = all.filter((one) => one !== journal)
  // An upgrade that was interrupted knows this node as it was: what is left goes on with a new one.
  await closeUpgrade()
  await revertAll(journal, others, tools, {
    onAction: (action, state) => {
      if (state === 'begun') return
      const text = doable(action).describe().text
      terminal.progress(state === 'shared' ? `kept for another node: ${text}` : `undone: ${text}`)
    }
  })
  if (options.json === true) terminal.json({ node, peerId, kept })
  else
    terminal.print(
      `${node} is uninstalled.${peerId === null ? '' : ` Its PeerId ${options.purge === true ? 'was' : 'is'} ${peerId}.`}`
    )
}

const showPlan = ({ terminal }: Context, { state }: Journal, { json }: UninstallOptions): void => {
  const undone = state.entries.toReversed().map(({ action }) => doable(action).describe().text)
  if (json === true) terminal.json({ node: state.node, undo: undone })
  else for (const text of undone) terminal.print(text)
}

/** On a terminal the one thing that nothing brings back is asked about. */
const confirmPurge = async (context: Context, node: string, peerId: string | null): Promise<void> => {
  const { stdin, stderr } = context.terminal
  if (stdin.isTTY !== true || stderr.isTTY !== true) return
  const ask = await terminalAsk(context)
  const question = `The keys of ${node}${peerId === null ? '' : ` (${peerId})`} will be gone for ever. Remove them?`
  if (!(await ask.confirm(question, false))) throw new ExitError(exitCodes.refused, 'Nothing was changed.')
}

const chosen = (all: readonly Journal[], name: string | undefined): Journal => {
  const names = all.map(({ state }) => state.node)
  if (all.length === 0) throw new ExitError(exitCodes.noMatch, 'Nothing was installed here with `trustnet install`.')
  const found = name === undefined ? all : all.filter(({ state }) => state.node === name)
  const [journal] = found
  if (journal === undefined)
    throw new ExitError(exitCodes.noMatch, `No node ${name} was installed here; there is ${names.join(', ')}.`)
  if (found.length > 1)
    throw new UsageError(`Several nodes were installed here: choose one with --node: ${names.join(', ')}.`)
  return journal
}

/** null: the key was not made yet, or is gone. */
const peerIdOf = async (node: string): Promise<string | null> => {
  const { data } = layoutOf(node)
  const owner = statAt(data)
  if (owner?.isDirectory() !== true) return null
  return await asOwner(owner, 'peerId', { key: `${data}/node.key` }).catch(() => null)
}
