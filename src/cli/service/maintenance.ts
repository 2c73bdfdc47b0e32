import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { sanitise } from '../output/text.ts'

const notes = `
Under maintenance a node stays in its network, and everybody sees it and why.
Its services are not listed as healthy, and of several registries those without
a maintenance are asked first for a lease. It lasts until \`off\`, over restarts.

Examples:
  trustnet maintenance on --reason 'new disk'
  trustnet maintenance off`

export const addMaintenance: AddCommand = (program, context) => {
  const maintenance = program
    .command('maintenance')
    .description('say that this machine takes no work for a while')
    .addHelpText('after', notes)
  withRunning(maintenance.command('on'))
    .description('begin it, or give another reason')
    .requiredOption('--reason <text>', 'why, in up to 64 characters', reasonText)
    .addHelpText('after', exampleOf("trustnet maintenance on --reason 'new disk'"))
    .action((options: RunningOptions & { reason: string }) =>
      set(context, options, { on: true, reason: options.reason })
    )
  withRunning(maintenance.command('off'))
    .description('take work again')
    .addHelpText('after', exampleOf('trustnet maintenance off'))
    .action((options: RunningOptions) => set(context, options, { on: false }))
}

const reasonText = (text: string): string => {
  if (Array.from(text).length <= 64) return text
  throw new UsageError('--reason has more than 64 characters: the record of a node has no room for more.')
}

const set = async (
  context: Context,
  options: RunningOptions,
  wanted: { on: boolean; reason?: string }
): Promise<void> => {
  const client = await running(context, options)
  const view = await client.maintenance(wanted, { signal: context.signal })
  if (options.json === true) context.terminal.json(view)
  else context.terminal.print(sanitise(view.message))
}
