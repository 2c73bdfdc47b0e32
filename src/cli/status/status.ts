import type { StatusView } from '../../node/api/control-api.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes } from '../output/exit.ts'
import { statusText } from '../output/status-text.ts'
import { sanitise } from '../output/text.ts'

type StatusOptions = RunningOptions & { check?: boolean; acknowledge?: string }

const examples = `
Examples:
  trustnet status                             one word, then what is behind it
  trustnet status --check                     for health checks: exit 5 unless
                                              healthy, 3 when nothing runs
  trustnet status --acknowledge recovery_kit  somebody has seen this warning`

export const addStatus: AddCommand = (program, context) => {
  withRunning(program.command('status [node]'))
    .description('is all well: phase, registry, sync, DNS, membership, resilience, warnings')
    .option('--check', 'exit with 5 unless healthy')
    .option('--acknowledge <code>', 'acknowledge a warning or alarm by its code')
    .addHelpText('after', examples)
    .action((node: string | undefined, options: StatusOptions) =>
      showStatus(context, node === undefined ? options : { ...options, node })
    )
}

/** A process that works says how it is at once. */
const answerMs = 10_000

const showStatus = async (context: Context, options: StatusOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options, answerMs)
  if (options.acknowledge !== undefined) {
    const done = await client.acknowledge({ code: options.acknowledge }, { signal })
    if (options.json === true) terminal.json(done)
    else terminal.print(`${sanitise(done.code)}: ${sanitise(done.message)}`)
    return
  }
  const view: StatusView = await client.status({}, { signal })
  if (options.json === true) terminal.json(view)
  else terminal.print(statusText(view, terminal.paint, Date.now(), terminal.width))
  if (options.check === true && view.word !== 'healthy') context.exit(exitCodes.degraded)
}
