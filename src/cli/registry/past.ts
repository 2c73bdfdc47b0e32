import type { ControlApi, LogDiffView, PastView } from '../../node/api/control-api.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { date, plural, sanitise, shortPeerId } from '../output/text.ts'
import { whenOf } from './when.ts'

const notes = `
TIME is a time like 2026-11-30T06:00:00Z, 2026-11-30, or 2d for two days ago;
N is an entry of the log, also as v120. It is made from the verified log that
this node holds: entries whose place was taken are dropped after 14 days, and a
member that came later never had them.
${exampleOf('trustnet registry at 2d', 'trustnet registry at 120 --json')}`

export const addRegistryAt: AddCommand = (registry, context) => {
  withRunning(registry.command('at <time-or-n>'))
    .description('the network as it was: members, registries, policy')
    .option('-l, --long', 'all columns')
    .addHelpText('after', notes)
    .action((when: string, options: RunningOptions & { long?: boolean }) => showPast(context, when, options))
}

const memberColumns: Column<PastView['members'][number]>[] = [
  { title: 'NAME', cell: ({ name, expired }) => `${sanitise(name ?? '-')}${expired ? ' (expired)' : ''}` },
  { title: 'PEER ID', cell: ({ peerId }) => shortPeerId(sanitise(peerId)) },
  { title: 'ROLE', cell: ({ role }) => role },
  { title: 'GROUPS', cell: ({ groups }) => sanitise(groups.join(', ')) || '-', drop: 2 },
  { title: 'EXPIRES', cell: ({ expiresMs }) => date(expiresMs), drop: 1 },
  { title: 'ENTRY', cell: ({ entry }) => entry.toString(), right: true }
]

const placeText = ({ n, epoch, timeMs }: PastView['at']): string => `log ${epoch}:${n} of ${date(timeMs)}`

const showPast = async (
  context: Context,
  when: string,
  options: RunningOptions & { long?: boolean }
): Promise<void> => {
  const { terminal, signal } = context
  const at = whenOf('The time', when)
  const client = await running(context, options)
  const view = await client.registryAt(at, { signal })
  if (options.json === true) return terminal.json(view)
  const { policy, registries, operators } = view
  terminal.print(
    `${placeText(view.at)} · ${plural(view.members.length, 'member')} · ${plural(view.revoked, 'key')} shut out`
  )
  terminal.print(`registries: ${registries.map((each) => `${peerText(each)} (${each.role})`).join(', ') || '-'}`)
  terminal.print(`operators: ${operators.map(({ name }) => sanitise(name)).join(', ') || '-'}`)
  terminal.print(
    `policy of entry ${view.policyEntry}: admission by ${policy.admission}, memberships of ${policy.membershipMs / 86_400_000} d\n`
  )
  terminal.table(memberColumns, view.members, { empty: 'Nobody was a member.', all: options.long === true })
}

/** Prints what changed between two places of the log. Exits with 5 when anything did. */
export const showLogDiff = async (
  context: Context,
  client: ControlApi,
  [from, to]: readonly [string, string | undefined],
  options: RunningOptions
): Promise<void> => {
  const one = whenOf('FROM', from)
  const other = to === undefined ? undefined : whenOf('TO', to)
  const query = {
    ...('n' in one ? { fromN: one.n } : { fromMs: one.timeMs }),
    ...(other === undefined ? {} : 'n' in other ? { toN: other.n } : { toMs: other.timeMs })
  }
  const view = await client.logDiff(query, { signal: context.signal })
  const lines = linesOf(view)
  if (options.json === true) context.terminal.json(view)
  else {
    const { from: first, to: last, entries, missing } = view
    const dropped = missing === 0 ? '' : `, ${missing} of them dropped since`
    context.terminal.print(
      `from ${placeText(first)} to ${placeText(last)}: ${plural(entries, 'entry', 'entries')}${dropped}`
    )
    for (const line of lines) context.terminal.print(line)
    if (lines.length === 0) context.terminal.print('no member, registry, operator or policy is different')
  }
  if (lines.length > 0) context.exit(exitCodes.degraded)
}

type Changes = LogDiffView['policy']

const changesText = (changes: Changes): string =>
  changes
    .map(({ field, before, after }) => `${field} ${valueText(field, before)} → ${valueText(field, after)}`)
    .join(', ')

const valueText = (field: string, value: unknown): string =>
  field === 'expiresMs' && typeof value === 'number'
    ? date(value)
    : sanitise(typeof value === 'string' ? value : JSON.stringify(value))

const linesOf = (view: LogDiffView): string[] => [
  ...view.added.map((each) => `+ ${peerText(each)} (${each.role}), entry ${each.entry}`),
  ...view.removed.map((each) => `- ${peerText(each)} (${each.role})`),
  ...view.changed.map((each) => `~ ${peerText(each)}: ${changesText(each.changes)}`),
  ...view.registries.map((each) => `~ registry ${peerText(each)}: ${each.before ?? 'none'} → ${each.after ?? 'none'}`),
  ...view.operators.map(({ name, added }) => `${added ? '+' : '-'} operator ${sanitise(name)}`),
  ...view.revoked.map((each) => `- key of ${peerText(each)} is shut out`),
  ...view.policy.map((each) => `~ policy ${changesText([each])}`)
]
