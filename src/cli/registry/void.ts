import type { VoidRevokeRow } from '../../node/api/registry-views.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { date, orUnknown, sanitise } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'

/** Adds `registry void`: what waits at the root because the key of an older epoch has signed it. */
export const addVoid: AddCommand = (registry, context) => {
  withRunning(registry.command('void'))
    .description('revokes and ends by log keys of older epochs, which wait for your word')
    .option('--dismiss <peer>', 'this member stays: take it off the list')
    .addHelpText(
      'after',
      '\nNothing proves when they were signed. To enter one: trustnet revoke NAME,\nor trustnet member end NAME\n' +
        exampleOf('trustnet registry void', 'trustnet registry void --dismiss hal')
    )
    .action((options: RunningOptions & { dismiss?: string }) => showVoid(context, options))
}

const showVoid = async (context: Context, options: RunningOptions & { dismiss?: string }): Promise<void> => {
  const client = await running(context, options)
  const { terminal, signal } = context
  if (options.dismiss !== undefined) {
    const view = await client.dismissVoid({ peer: peerName(options.dismiss) }, { signal })
    if (options.json === true) terminal.json(view)
    else terminal.print(`${orUnknown(view.name)}: ${sanitise(view.message)}`)
    return
  }
  const view = await client.voidRevokes({}, { signal })
  if (options.json === true) terminal.json(view)
  else terminal.table(voidColumns, view.offered, { empty: 'No void revoke or end waits.', all: true })
}

const voidColumns: Column<VoidRevokeRow>[] = [
  { title: 'MEMBER', cell: ({ member }) => peerText(member) },
  { title: 'WHAT', cell: ({ kind, n, epoch }) => `${kind}, entry ${n} of epoch ${epoch}` },
  { title: 'SIGNED, IT SAYS', cell: ({ claimedMs }) => date(claimedMs) },
  { title: 'FROM', cell: ({ from }) => (from === null ? 'held here' : peerText(from)) },
  { title: 'SEEN', cell: ({ seenMs }) => date(seenMs) },
  { title: 'REASON', cell: ({ reason }) => orUnknown(reason) }
]
