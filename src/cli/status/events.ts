import type { ControlApi, HappeningRow, HistoryView, Input, Output } from '../../node/api/control-api.ts'
import { stampOf } from '../../node/api/stamp.ts'
import { parseDuration } from '../../node/config/durations.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { changes } from '../output/changes.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes, UsageError } from '../output/exit.ts'
import { besideTheState } from '../output/peer-columns.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { peerText } from '../output/status-text.ts'
import { date, orUnknown, sanitise } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'

type EventsOptions = RunningOptions & { since?: number; member?: string; follow?: boolean; limit: number }

const notes = `
States of members as this process saw them, who was admitted and who is no
member any more, and the alarms and phases of this node. 10,000 are kept; of
members that have most of them the oldest go first. With --follow and --json
each event is a line of JSON; its id only grows.

Examples:
  trustnet events                      the newest 50
  trustnet events --since 1d --member hal
  trustnet events --follow --json`

const since = (text: string): number => {
  const ms = parseDuration(text)
  if (ms === undefined) throw new UsageError(`--since needs a duration like 2h or 1d; '${sanitise(text)}' is none.`)
  return ms
}

export const addEvents: AddCommand = (program, context) => {
  withRunning(program.command('events'))
    .description('what happened: who came, went, failed, and when')
    .option('--since <duration>', 'all of so long ago until now', since)
    .option('--member <name>', 'about this member alone')
    .option('-f, --follow', 'go on and show what happens')
    .option('--limit <n>', 'the newest so many, without --since', wholeNumber('--limit', 1, 1000), 50)
    .addHelpText('after', notes)
    .action((options: EventsOptions) => showEvents(context, options))
}

const showEvents = async (context: Context, options: EventsOptions): Promise<void> => {
  const client = await running(context, options)
  const peer = options.member === undefined ? undefined : peerName(options.member)
  const { since: sinceMs } = options
  const query: Input<'history'> =
    sinceMs === undefined
      ? { peer, limit: options.limit }
      : { peer, sinceMs: Math.max(0, Date.now() - sinceMs), limit: pageRows }
  const view = await client.history(query, { signal: context.signal })
  if (sinceMs !== undefined)
    view.events.push(...(await following(client, view, { peer, sinceMs: query.sinceMs }, context.signal)))
  if (options.follow === true) return await follow(context, client, view, options)
  if (options.json === true) context.terminal.json({ ...view, next: null })
  else eventPrinter(context)(view.events)
  if (view.events.length > 0) return
  if (options.json !== true) context.terminal.progress('Nothing is remembered of that time.')
  context.exit(exitCodes.noMatch)
}

const pageRows = 1000

/** All pages behind the one that was given. */
const following = async (
  client: ControlApi,
  { next }: HistoryView,
  which: Pick<Input<'history'>, 'peer' | 'sinceMs'>,
  signal: AbortSignal
): Promise<HappeningRow[]> => {
  const events: HappeningRow[] = []
  for (let after = next; after !== null; ) {
    const page = await client.history({ ...which, after, limit: pageRows }, { signal })
    events.push(...page.events)
    after = page.next
  }
  return events
}

const follow = async (
  context: Context,
  client: ControlApi,
  view: Output<'history'>,
  options: EventsOptions
): Promise<void> => {
  const { signal, terminal } = context
  const print = eventPrinter(context)
  const show = (events: readonly HappeningRow[], page: Output<'history'>): void => {
    if (options.json !== true) print(events)
    else for (const event of events) terminal.jsonLine({ ...stampOf(page), ...event })
  }
  show(view.events, view)
  let after = view.events.at(-1)?.id ?? view.lastId ?? 0
  const peer = options.member === undefined ? undefined : peerName(options.member)
  for await (const _ of changes(client, { signal, everyMs: undefined })) {
    const page = await client.history({ after, peer, limit: pageRows }, { signal })
    const events = [...page.events, ...(await following(client, page, { peer }, signal))]
    show(events, page)
    after = events.at(-1)?.id ?? after
  }
}

/** `2026-11-30T06:55:52Z  hal  online → suspect: connection lost (says root)`; names are as wide as the widest until now. */
const eventPrinter = ({ terminal }: Context): ((events: readonly HappeningRow[]) => void) => {
  let width = 0
  return (events) => {
    const names = events.map(({ member }) => peerText(member))
    for (const name of names) width = Math.max(width, name.length)
    for (const [at, event] of events.entries()) terminal.print(eventText(event, (names[at] ?? '').padEnd(width)))
  }
}

const eventText = (event: HappeningRow, name: string): string => {
  const reason = sanitise(event.type === 'state' ? besideTheState(event.reason) : event.reason)
  return `${date(event.atMs)}  ${name}  ${whatOf(event)}${reason === '' ? '' : `: ${reason}`}${sourceOf(event)}`
}

const whatOf = ({ type, before, state }: HappeningRow): string => {
  if (type !== 'state') return type === 'ended' ? 'is no member any more' : type
  return before === null ? orUnknown(state) : `${before} → ${orUnknown(state)}`
}

const sourceOf = ({ source, member }: HappeningRow): string =>
  source === null || source.peerId === member.peerId ? '' : ` (says ${peerText(source)})`
