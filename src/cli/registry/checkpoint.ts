import type { Command } from 'commander'
import { readText } from '../../runtime/files/read-file.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { readStandardInput } from '../access/standard-input.ts'
import type { Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'

const noteBytes = 16 * 1024

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

const linesExamples = `
Witnesses outside of the network sign notes of its checkpoints, and give them
back with a line of theirs. The policy names their keys. Give the note to the
root or to a secondary within some minutes; - is standard input.

Examples:
  trustnet registry witness-lines signed.txt
  signer checkpoint.txt | trustnet registry witness-lines -`

export const addWitnessLines = (registry: Command, context: Context): void => {
  withRunning(registry.command('witness-lines <file>'))
    .description('take the lines that outside witnesses add to a note')
    .addHelpText('after', linesExamples)
    .action((file: string, options: RunningOptions) => takeLines(context, file, options))
}

const takeLines = async (context: Context, file: string, options: RunningOptions): Promise<void> => {
  const { terminal, signal } = context
  const note = await readNote(context, file)
  const client = await running(context, options)
  const view = await client.witnessLines({ note }, { signal })
  if (options.json === true) return terminal.json(view)
  const who = view.witnesses.map((each) => sanitise(each)).join(', ')
  terminal.print(
    `taken from ${who}: entry ${view.n} of epoch ${view.epoch} is witnessed by ${view.by}, ${view.needed} needed`
  )
}

/** @throws UsageError for what is too long */
const readNote = async (context: Context, file: string): Promise<string> => {
  if (file !== '-') return readText(file, noteBytes)
  const tooLong = (): Error => new UsageError(`Standard input has more than ${noteBytes} bytes: a note is shorter.`)
  return (await readStandardInput(context, { what: 'the note', mostBytes: noteBytes, tooLong })).toString('utf8')
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
