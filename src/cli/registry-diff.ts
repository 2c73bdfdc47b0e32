import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { DiffView } from '../node/offline/stopped-store.ts'
import type { AddCommand, Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { exampleOf } from './help.ts'
import { ownStore } from './own-store.ts'
import { type RunningOptions, withRunning } from './running.ts'

const notes = `
FILE is a backup, also one of another registry. Of a process that runs here a
copy is made first. Exits with 5 when they differ.
${exampleOf('trustnet registry diff /mnt/safe/registry.db')}`

export const addRegistryDiff: AddCommand = (registry, context) => {
  withRunning(registry.command('diff <file>'))
    .description('compare log and records with a backup')
    .addHelpText('after', notes)
    .action((file: string, options: RunningOptions) => diff(context, resolve(file), options))
}

const diff = async (context: Context, file: string, options: RunningOptions): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'trustnet-diff-'))
  try {
    const own = await ownStore(context, options, join(folder, 'registry.db'))
    const { diffStoresAt } = await import('../node/offline/stopped-store.ts')
    const view = diffStoresAt(own, file)
    if (options.json === true) context.terminal.json(view)
    else show(context, view)
    if (!view.same) context.exit(exitCodes.degraded)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const show = ({ terminal }: Context, view: DiffView): void => {
  const { head, otherHead, entries, records, differsFrom } = view
  terminal.print(view.same ? terminal.paint('good', 'Same') : terminal.paint('warn', 'They differ'))
  terminal.print(`Log here     entry ${head.n} of epoch ${head.epoch}, ${entries.onlyHere} that are not there`)
  terminal.print(
    `Log there    entry ${otherHead.n} of epoch ${otherHead.epoch}, ${entries.onlyThere} that are not here`
  )
  if (differsFrom !== null) terminal.print(`Histories    differ from entry ${differsFrom} on`)
  terminal.print(`Records      newer here ${records.newerHere}, newer there ${records.newerThere}`)
  terminal.print(`             only here ${records.onlyHere}, only there ${records.onlyThere}`)
}
