import type { EvictView } from '../../node/api/control-api.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { age, orUnknown, sanitise } from '../output/text.ts'

const notes = `
When many members fall silent at once, or after a restart, a registry takes it
that it is cut off itself, and calls nobody offline until a session answers. You
may know better: with --confirm those whose lease has run out are offline now.
Nobody loses the membership by it, but ephemeral members whose time is over.
`

export const addEvict: AddCommand = (registry, context) => {
  withRunning(registry.command('evict'))
    .description('silent members that this registry does not call offline yet')
    .option('--confirm', 'this registry is not cut off: they are offline')
    .addHelpText('after', notes + exampleOf('trustnet registry evict', 'trustnet registry evict --confirm'))
    .action((options: RunningOptions & { confirm?: boolean }) => evict(context, options))
}

const columns: Column<EvictView['members'][number]>[] = [
  { title: 'MEMBER', cell: (row) => peerText(row) },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'HEARD', cell: ({ heardAgeMs }) => (heardAgeMs === null ? '-' : `${age(heardAgeMs)} ago`), right: true },
  { title: 'WHY', cell: ({ reason }) => orUnknown(reason) }
]

const evict = async (context: Context, options: RunningOptions & { confirm?: boolean }): Promise<void> => {
  const client = await running(context, options)
  const { terminal, signal } = context
  const view = options.confirm === true ? await client.evict({}, { signal }) : await client.heldBack({}, { signal })
  if (options.json === true) return terminal.json(view)
  if (view.members.length > 0) terminal.table(columns, view.members, { empty: '', all: true })
  if (view.doubt !== null) terminal.print(`This registry may be cut off itself: ${sanitise(view.doubt)}`)
  terminal.print(sanitise(view.message))
}
