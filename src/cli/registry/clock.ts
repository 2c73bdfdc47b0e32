import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { date, sanitise } from '../output/text.ts'

/** Adds `registry clock`: the word for a root that distrusts its clock. */
export const addClock: AddCommand = (registry, context) => {
  withRunning(registry.command('clock'))
    .description('the clock of this machine, and whether it is trusted')
    .option('--accept', 'the clock is right now: follow it, and sign again')
    .addHelpText('after', exampleOf('trustnet registry clock', 'trustnet registry clock --accept'))
    .action((options: RunningOptions & { accept?: boolean }) => showClock(context, options))
}

const showClock = async (context: Context, options: RunningOptions & { accept?: boolean }): Promise<void> => {
  const client = await running(context, options)
  const { terminal, signal } = context
  const view = options.accept === true ? await client.acceptClock({}, { signal }) : await client.clock({}, { signal })
  if (options.json === true) return terminal.json(view)
  terminal.print(`Clock       ${date(view.wallMs)}`)
  if (view.stepMs !== null) terminal.print(`Goes by     ${date(view.nowMs)}`)
  terminal.print(`Checkpoint  ${date(view.checkpointMs)}`)
  if (view.appends !== null) terminal.print(`Signs       ${view.appends ? 'yes' : 'no'}`)
  terminal.print(sanitise(view.message))
}
