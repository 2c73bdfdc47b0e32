import type { ComparedValue, Comparison } from '../../dns/compare.ts'
import type { Instructions, RecordEdit } from '../../dns/providers/provider.ts'
import type { Published } from '../../dns/published.ts'
import { zoneLine } from '../../dns/records.ts'
import type { Column } from '../output/table.ts'
import { orUnknown, type Painter, plural, sanitise } from '../output/text.ts'

/** `+` and `-` before lines of a zone file. */
export const editLines = (edit: RecordEdit): string[] => [
  ...edit.add.map((value) => `  + ${zoneLine({ ...edit, value })}`),
  ...edit.remove.map((value) => `  - ${zoneLine({ ...edit, value })}`)
]

export const instructionLines = ({ add, remove, how, check }: Instructions, paint: Painter): string[] => [
  ...(add.length === 0 ? [] : [paint('bold', plural(add.length, 'record')), ...add.map((line) => `  ${line}`)]),
  ...(remove.length === 0 ? [] : [paint('bold', 'to be removed'), ...remove.map((line) => `  ${line}`)]),
  ...how.flatMap(({ title, steps }) => ['', paint('bold', title), ...steps.map((step) => `  ${step}`)]),
  '',
  'Then look at what the world sees:',
  `  ${check}`
]

export const serverLine = ({ zone, servers }: Published): string => {
  const names = servers.map(
    ({ server, failure }) => `${sanitise(server)}${failure === undefined ? '' : ` (${failure.kind})`}`
  )
  return `asked: ${names.join(', ')}${zone === undefined ? '' : ` of the zone ${sanitise(zone)}`}`
}

export const needsEdit = ({ edit }: Comparison): boolean => edit.add.length + edit.remove.length > 0

/** One sentence: whether all is as it should be. */
export const verdictLine = (name: string, comparison: Comparison, paint: Painter): string => {
  const { edit, rows } = comparison
  const strays = rows.filter(({ verdict }) => verdict === 'stray').length
  const extra =
    strays === 0 ? '' : `; ${plural(strays, 'address belongs', 'addresses belong')} to no registry (--prune)`
  if (!needsEdit(comparison)) return `${paint('good', 'fits')}: ${name} has the registries that are alive${extra}`
  return `${paint('bad', 'differs')}: ${name} needs ${edit.add.length} more and ${edit.remove.length} less${extra}`
}

const paints = { keep: 'good', add: 'bad', remove: 'bad', stray: 'warn' } as const

export const columns = (paint: Painter): Column<ComparedValue>[] => [
  { title: 'ADDRESS', cell: ({ value }) => value },
  { title: 'PUBLISHED', cell: ({ published }) => published },
  { title: 'REGISTRY', cell: ({ registry }) => orUnknown(registry?.name ?? registry?.peerId), drop: 1 },
  { title: 'EDIT', cell: ({ verdict }) => paint(paints[verdict], verdict) },
  { title: 'WHY', cell: ({ why }) => sanitise(why), drop: 2 }
]
