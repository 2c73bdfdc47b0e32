import type { Command } from 'commander'
import type { ListedInvite } from '../../node/api/invite-views.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import type { Column } from '../output/table.ts'
import { date, orUnknown, sanitise } from '../output/text.ts'

/** Characters of an id in a table: enough to tell invites apart, and to name one. */
const shortId = 12

const columns: Column<ListedInvite>[] = [
  { title: 'ID', cell: ({ id }) => id.slice(0, shortId) },
  { title: 'ROLE', cell: ({ role }) => role },
  { title: 'NAME', cell: ({ name }) => orUnknown(name) },
  { title: 'USED', cell: ({ taken, uses }) => `${taken} of ${uses}` },
  {
    title: 'STATE',
    cell: ({ state, reason }) => (reason === null || reason === '' ? state : `${state}: ${sanitise(reason)}`)
  },
  { title: 'UNTIL', cell: ({ expiresMs }) => date(expiresMs) },
  {
    title: 'USED BY',
    cell: ({ members }) => orUnknown(members.map(({ name, peerId }) => name ?? peerId).join(', ') || null),
    drop: 2
  },
  { title: 'NOTE', cell: ({ note }) => orUnknown(note === '' ? null : note), drop: 1 }
]

const example = (line: string): string => `\nExamples:\n  ${line}`

/** list, show and cancel of `trustnet invite`. */
export const addOpenInvites = (invite: Command, context: Context): void => {
  withRunning(invite.command('list'))
    .description('invites that are open, and whom they let in')
    .option('--all', 'ended ones, too, as long as the log has their entries')
    .addHelpText('after', example('trustnet invite list\n  trustnet invite list --all'))
    .action(
      async (_: RunningOptions, command: Command) =>
        await list(context, command.optsWithGlobals<ListOptions>(), undefined)
    )
  withRunning(invite.command('show <id>'))
    .description('one, with whom it let in; the beginning of its id is enough')
    .addHelpText('after', example('trustnet invite show 3fa2'))
    .action(
      async (id: string, _: RunningOptions, command: Command) =>
        await list(context, command.optsWithGlobals<RunningOptions>(), id)
    )
  withAuthor(withRunning(invite.command('cancel <id>')))
    .description('take one back, at the root; whom it let in stays a member')
    .option('--reason <text>', 'told to those who still try it', '')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText('after', example("trustnet invite cancel 3fa2 --reason 'sent to the wrong person'"))
    .action(
      async (id: string, _: RunningOptions, command: Command) =>
        await cancel(context, command.optsWithGlobals<CancelOptions>(), id)
    )
}

type ListOptions = RunningOptions & { all?: boolean }

const list = async (context: Context, options: ListOptions, id: string | undefined): Promise<void> => {
  const client = await running(context, options)
  const view = await client.invites({ id, all: options.all }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  const all = id !== undefined || options.all === true
  context.terminal.table(columns, view.invites, { empty: 'No invite is open.', all })
}

type CancelOptions = RunningOptions & { reason: string; plan?: boolean }

const cancel = async (context: Context, options: CancelOptions, id: string): Promise<void> => {
  const { reason, plan } = options
  const client = await running(context, options)
  const view = await client.cancelInvite({ id, reason, plan }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.print(`The invite ${view.id.slice(0, shortId)} ${sanitise(view.message)}.`)
}
