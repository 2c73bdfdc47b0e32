import type { CompareView, ControlApi } from '../../node/api/control-api.ts'
import type { RunningOptions } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import { exitCodes, UsageError } from '../output/exit.ts'
import { peerText } from '../output/status-text.ts'
import { age, orUnknown, type Painter, plural, sanitise, wrapped } from '../output/text.ts'

type Row = CompareView['rows'][number]
type Side = Row['sides'][number]

/** `peers --compare root,self`: members about whom the views differ. Exits with 5 when there are any, with 7 when fewer than two could be compared. */
export const showComparison = async (
  context: Context,
  client: ControlApi,
  options: RunningOptions & { compare: string }
): Promise<void> => {
  const { terminal, signal } = context
  const names = options.compare.split(',').map((name) => name.trim().replace(/^…/, ''))
  if (names.some((name) => name === '')) throw new UsageError('--compare needs names by comma: root,secondary,self')
  const view = await client.compare({ with: names.join(',') }, { signal })
  if (options.json === true) terminal.json(view)
  else terminal.print(comparisonText(view, terminal.paint, terminal.width))
  if (view.sources.filter(({ error }) => error === null).length < 2) context.exit(exitCodes.timeout)
  else if (view.rows.length > 0) context.exit(exitCodes.degraded)
}

export const comparisonText = ({ sources, rows, compared }: CompareView, paint: Painter, width?: number): string => {
  const who = sources.map(({ self, members, ageMs, error, ...ref }) => {
    const name = `${peerText(ref)}${self ? ' (this node)' : ''}`
    if (error !== null) return paint('bad', `${name} is left out: ${sanitise(error)}`)
    return `${name}: ${plural(members ?? 0, 'member')}, checkpoint ${age(ageMs)} old`
  })
  const answered = sources.filter(({ error }) => error === null).length
  const sum =
    rows.length === 0
      ? paint('good', `They agree about ${plural(compared, 'member')}`)
      : paint('warn', `They differ about ${rows.length} of ${plural(compared, 'member')}`)
  return [
    ...who,
    '',
    answered < 2 ? 'There is nothing to compare.' : sum,
    ...rows.map((row) => rowText(row, width))
  ].join('\n')
}

const rowText = (row: Row, width: number | undefined): string =>
  [peerText(row), ...row.differs.map((what) => partText(what, row.sides, width))].join('\n')

const partText = (what: Row['differs'][number], sides: readonly Side[], width: number | undefined): string => {
  const indent = ' '.repeat(11)
  const parts = sides.map(
    (side, at) => `${at === 0 ? `  ${what.padEnd(9)}` : ''}${peerText(side.source)}: ${sideText(what, side)}`
  )
  return wrapped(parts, '; ', width, indent)
}

const sideText = (what: Row['differs'][number], { member, role, state, seenAgeMs, seq, addresses }: Side): string => {
  if (!member) return 'no member'
  if (what === 'member') return 'a member'
  if (what === 'role') return orUnknown(role)
  if (what === 'state') return `${orUnknown(state)}${seenAgeMs === null ? '' : `, heard ${age(seenAgeMs)} ago`}`
  return seq === null
    ? 'none'
    : `seq ${seq}${addresses[0] === undefined ? '' : ` at ${sanitise(addresses[0].replace(/\/p2p\/.*/, ''))}`}`
}
