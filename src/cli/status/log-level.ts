import { Argument } from 'commander'
import { logLevels } from '../../node/api/words.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { sanitise } from '../output/text.ts'

export const addLogLevel: AddCommand = (program, context) => {
  withRunning(program.command('log-level'))
    .description('change how much a running node logs, until it ends')
    .addArgument(new Argument('<level>', 'from this level on').choices([...logLevels]))
    .option('--service <name>', 'a part of libp2p alone: gossipsub, kad-dht, connection-manager')
    .addHelpText('after', exampleOf('trustnet log-level debug', 'trustnet log-level debug --service gossipsub'))
    .action(async (level: (typeof logLevels)[number], options: RunningOptions & { service?: string }) => {
      const { terminal, signal } = context
      const client = await running(context, options)
      const view = await client.logLevel({ level, service: options.service }, { signal })
      if (options.json === true) terminal.json(view)
      else terminal.print(sanitise(view.message))
    })
}
