import type { Command } from 'commander'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import { sanitise } from '../output/text.ts'

type CheckpointOptions = RunningOptions & { note?: boolean; verifierKey?: boolean }

const examples = `
Examples:
  trustnet registry checkpoint
  trustnet registry checkpoint --note > checkpoint.txt
  trustnet registry checkpoint --verifier-key`

export const addCheckpoint = (registry: Command, context: Context): void => {
  withRunning(registry.command('checkpoint'))
    .description('what the log key signed last about the log')
    .option('--note', 'as a C2SP signed note, for programs and witnesses outside; at the root')
    .option('--verifier-key', 'print the key that verifies such notes; at the root')
    .addHelpText('after', examples)
    .action((options: CheckpointOptions) => showCheckpoint(context, options))
}

const showCheckpoint = async (context: Context, options: CheckpointOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const asNote = options.note === true || options.verifierKey === true
  const view = await client.checkpoint({ note: asNote }, { signal })
  if (options.json === true) return terminal.json(view)
  if (options.verifierKey === true) return terminal.print(view.verifierKey ?? '')
  if (options.note === true) return terminal.print((view.note ?? '').trimEnd())
  const lines = [
    ['entry', `${view.n} of epoch ${view.epoch}`],
    ['signed', `${new Date(view.timeMs).toISOString()} by ${view.logKey}`],
    ['head', view.headHash],
    ['state root', view.stateRoot],
    ['live entries', `${view.rows}, ${view.bytes} bytes`]
  ]
  for (const { peerId, timeMs } of view.witnesses)
    lines.push(['witness', `${peerId} at ${new Date(timeMs).toISOString()}`])
  for (const [word = '', value = ''] of lines) terminal.print(`${word.padEnd(13)} ${sanitise(value)}`)
}
