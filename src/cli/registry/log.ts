import type { LogRow, LogView } from '../../node/api/control-api.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { date, orUnknown, plural, sanitise } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'
import { timeOf } from './when.ts'

type LogOptions = RunningOptions & {
  long?: boolean
  after?: number
  since?: string
  until?: string
  member?: string
  limit: number
}

export const addLog: AddCommand = (registry, context) => {
  withRunning(registry.command('log'))
    .option('-l, --long', 'all columns')
    .description('the signed log, newest entries')
    .option('--after <n>', 'entries after this one', wholeNumber('--after', 0))
    .option('--since <time>', 'signed then or later: 2d, 2026-11-30, an RFC 3339 time')
    .option('--until <time>', 'signed then or earlier')
    .option('--member <name>', 'about this member, or one that was')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit'), 50)
    .addHelpText(
      'after',
      exampleOf(
        'trustnet registry log --limit 5',
        'trustnet registry log --since 7d --member hal',
        'trustnet registry log --after 0 --json'
      )
    )
    .action((options: LogOptions) => showLog(context, options))
}

const logColumns: Column<LogRow>[] = [
  { title: 'N', cell: ({ n }) => n.toString(), right: true },
  { title: 'EPOCH', cell: ({ epoch }) => epoch.toString(), right: true, drop: 2 },
  { title: 'TIME', cell: ({ timeMs }) => date(timeMs) },
  { title: 'KIND', cell: ({ kind }) => sanitise(kind) },
  { title: 'SUBJECT', cell: ({ subject }) => peerText(subject) },
  { title: 'BY', cell: ({ by }) => sanitise(by.join(', ')) || '-' },
  { title: 'HASH', cell: ({ hash }) => hash.slice(0, 12), drop: 1 },
  { title: 'DETAIL', cell: ({ detail }) => orUnknown(detail) }
]

const showLog = async (context: Context, options: LogOptions): Promise<void> => {
  const { after, since, until, member, limit } = options
  const query = {
    after,
    limit,
    sinceMs: since === undefined ? undefined : timeOf('--since', since),
    untilMs: until === undefined ? undefined : timeOf('--until', until),
    peer: member === undefined ? undefined : peerName(member)
  }
  const client = await running(context, options)
  const view = await client.log(query, { signal: context.signal })
  if (options.json === true) context.terminal.json(view)
  else show(context, view, options)
  if (view.entries.length === 0) context.exit(exitCodes.noMatch)
}

const show = ({ terminal }: Context, view: LogView, options: LogOptions): void => {
  terminal.table(logColumns, view.entries, { empty: 'No entry there.', all: options.long === true })
  if (view.missing > 0)
    terminal.progress(
      `${plural(view.missing, 'entry', 'entries')} between these were dropped: others took their place. All after ${view.floor} are held.`
    )
}
