import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { sanitise } from '../output/text.ts'

const notes = `
Reads the configuration of the running process anew. What may change while it
runs is in force at once, the rest is named and counts from the next start on.
A configuration that is not valid changes nothing. SIGHUP does the same.
`

export const addReload: AddCommand = (program, context) => {
  withRunning(program.command('reload'))
    .description('read the configuration anew, while the process runs')
    .addHelpText('after', notes + exampleOf('trustnet reload'))
    .action((options: RunningOptions) => reload(context, options))
}

const reload = async (context: Context, options: RunningOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.reload({}, { signal })
  if (options.json === true) terminal.json(view)
  else terminal.print(sanitise(view.message))
}
