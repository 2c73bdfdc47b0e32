import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { plural, sanitise, sanitiseWhole } from '../output/text.ts'
import { addList } from './list.ts'
import { awaitStore } from './progress.ts'

const notes = `
A store is a folder that a member shares. The others fetch it from everybody who
has it, and check it while it comes. Which ones come by themselves says
stores.fetch of the configuration; the room for all is stores.quotaBytes.

Examples:
  trustnet store add /srv/music --watch
  trustnet store list
  trustnet store sync alice/music --to /srv/alice-music
  trustnet store show music --cid
  trustnet store remove alice/music`

export const addStore: AddCommand = (program, context) => {
  const store = program
    .command('store')
    .description('folders of content that members share')
    .addHelpText('after', notes)
  addAdd(store, context)
  addList(store, context)
  addSync(store, context)
  addRemove(store, context)
  addPin(store, context)
}

type AddOptions = RunningOptions & { name?: string; watch?: boolean }

const addAdd = (store: Command, context: Context): void => {
  withRunning(store.command('add <folder>'))
    .description('share a folder of this machine')
    .option('--name <name>', 'name of the store: a to z, 0 to 9 and inner hyphens; default: that of the folder')
    .option('--watch', 'read it again whenever something in it changes')
    .addHelpText('after', exampleOf('trustnet store add /srv/music --watch', 'trustnet store add . --name maps'))
    .action(async (folder: string, options: AddOptions) => {
      const { signal, terminal } = context
      const client = await running(context, options)
      const { name, watch } = options
      const begun = await client.addStore({ folder: resolve(folder), name, watch }, { signal })
      const view = await awaitStore(context, client, begun)
      if (options.json === true) return terminal.json(view)
      const { files, cid } = view.store
      terminal.print(`${sanitise(view.store.name)} is shared: ${plural(files ?? 0, 'file')}, ${cid ?? ''}`)
    })
}

type SyncOptions = RunningOptions & { all?: boolean; to?: string }

const addSync = (store: Command, context: Context): void => {
  withRunning(store.command('sync [name]'))
    .description('fetch a store and keep it up to date; an own one is read again')
    .option('--all', 'all that are followed or shared here')
    .option('--to <folder>', 'write its files into this folder, now and with each version')
    .addHelpText(
      'after',
      exampleOf('trustnet store sync alice/music --to /srv/alice-music', 'trustnet store sync --all')
    )
    .action((name: string | undefined, options: SyncOptions) => sync(context, name, options))
}

const sync = async (context: Context, name: string | undefined, options: SyncOptions): Promise<void> => {
  const { terminal, signal } = context
  if ((name === undefined) !== (options.all === true)) throw new UsageError('Name a store, or give --all.')
  if (name === undefined && options.to !== undefined)
    throw new UsageError('--to takes the files of one store: name it.')
  const client = await running(context, options)
  const to = options.to === undefined ? undefined : resolve(options.to)
  const view = await client.syncStore({ store: name, to }, { signal })
  const [first] = view.stores
  if (name === undefined || first === undefined) {
    if (options.json === true) return terminal.json(view)
    return terminal.print('All stores are tried again; `trustnet store status` shows how they are.')
  }
  const done = await awaitStore(context, client, { ...view, store: first })
  const { state, folder } = done.store
  if (options.json === true) terminal.json(done)
  else if (state === 'shared') terminal.print(`${sanitise(name)} was read again: version ${done.store.seq ?? 0}`)
  else terminal.print(`${sanitise(name)} is here${folder === null ? '' : `, in ${sanitise(folder)}`}`)
}

const addRemove = (store: Command, context: Context): void => {
  withRunning(store.command('remove <name>'))
    .description('share a store no more, or keep that of another no more; files stay')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText('after', exampleOf('trustnet store remove alice/music'))
    .action(async (name: string, options: RunningOptions & { plan?: boolean }) => {
      const client = await running(context, options)
      const query = { store: name, plan: options.plan }
      const view = await client.removeStore(query, { signal: context.signal })
      if (options.json === true) context.terminal.json(view)
      else context.terminal.print(`${sanitise(name)} ${sanitiseWhole(view.message)}`)
    })
}

const addPin = (store: Command, context: Context): void => {
  withRunning(store.command('pin <name>'))
    .description('keep a store whatever happens to its owner')
    .option('--off', 'no longer so')
    .addHelpText('after', exampleOf('trustnet store pin alice/music', 'trustnet store pin alice/music --off'))
    .action(async (name: string, options: RunningOptions & { off?: boolean }) => {
      const client = await running(context, options)
      const view = await client.pinStore({ store: name, pinned: options.off !== true }, { signal: context.signal })
      if (options.json === true) context.terminal.json(view)
      else context.terminal.print(`${sanitise(name)} is ${view.store.pinned ? '' : 'no longer '}pinned`)
    })
}
