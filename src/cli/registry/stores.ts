import { closeSync, existsSync, readSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { BackupView } from '../../node/api/control-api.ts'
import { NothingRunningError } from '../../node/api/errors.ts'
import { openRegular } from '../../runtime/files/read-file.ts'
import { backUpHere } from '../access/back-up-here.ts'
import { loadedConfig } from '../access/config-source.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { asOwner, becomeOwner, fileOwner, ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { breakable } from '../output/interrupt.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { bytes, date, plural, sanitise } from '../output/text.ts'

interface StoppedOptions {
  config?: string
  name?: string
  json?: boolean
}

const backupNotes = `
Asks the process that runs here; when none runs, its store is copied.
Beside the copy lies FILE.json: its digest, what it holds, and which keys it
does not hold.
${exampleOf('trustnet registry backup', 'trustnet registry backup --to /mnt/safe/registry.db')}`

const restoreNotes = `
The process must be stopped. The store that was there is moved aside. A root
then appends nothing until it has heard the heads of others.
${exampleOf('trustnet registry restore /mnt/safe/registry.db --plan', 'trustnet registry restore /mnt/safe/registry.db')}`

const verifyNotes = `
Pages, chain, signatures, state root, records and documents of a store that no
process uses, or of a backup; nothing is changed.
${exampleOf('trustnet registry verify', 'trustnet registry verify /mnt/safe/registry.db')}`

/** Commands on whole databases: back up, restore, verify. */
export const addRegistryStores: AddCommand = (registry, context) => {
  withRunning(registry.command('backup'))
    .description('copy the database, check the copy, describe it')
    .option('--to <file>', 'where to (default: the folder of all backups)')
    .addHelpText('after', backupNotes)
    .action((options: RunningOptions & { to?: string }) => backUp(context, options))
  registry
    .command('restore <file>')
    .description('put a backup in place of the database')
    .option('--config <file>', 'configuration file')
    .option('--name <name>', 'name of the node; picks NAME.yaml')
    .option('--older', 'also when the store there goes further')
    .option('--plan', 'say what would happen, and change nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', restoreNotes)
    .action((file: string, options: RestoreOptions) => restore(context, file, options))
  withRunning(registry.command('resume'))
    .description('let a restored root append without the heads of others')
    .requiredOption('--head <n>', 'the entry that its log ends at', wholeNumber('--head', 0))
    .addHelpText('after', exampleOf('trustnet registry resume --head 41'))
    .action((options: RunningOptions & { head: number }) => resume(context, options))
  registry
    .command('verify [store]')
    .description('check a whole database that no process uses, or a proof')
    .option('--proof <file>', 'check the proof of a fork, with nothing but the file')
    .option('--config <file>', 'configuration file')
    .option('--name <name>', 'name of the node; picks NAME.yaml')
    .option('--json', 'print JSON')
    .addHelpText('after', verifyNotes)
    .action((store: string | undefined, options: StoppedOptions & { proof?: string }) =>
      options.proof === undefined ? verify(context, store, options) : verifyProof(context, options.proof, options)
    )
}

const backUp = async (context: Context, options: RunningOptions & { to?: string }): Promise<void> => {
  const to = options.to === undefined ? undefined : resolve(options.to)
  if (to !== undefined && !existsSync(dirname(to)))
    throw new UsageError(`${dirname(to)} is not there, so ${to} cannot be made: make the folder, or look at the path.`)
  const view = await madeBackup(context, options, to)
  if (options.json === true) return context.terminal.json(view)
  const { path, manifest, head, rows, lacks } = view
  context.terminal.print(`Backup    ${path}, ${bytes(view.bytes)}`)
  context.terminal.print(`Manifest  ${manifest}`)
  context.terminal.print(`Log       entry ${head.n} of epoch ${head.epoch}; ${plural(rows['records'] ?? 0, 'record')}`)
  for (const each of lacks) context.terminal.print(`Lacks     ${each}`)
}

const madeBackup = async (context: Context, options: RunningOptions, to: string | undefined): Promise<BackupView> => {
  try {
    const client = await running(context, options)
    return await client.backup({ to }, { signal: context.signal })
  } catch (error) {
    if (!(error instanceof NothingRunningError)) throw error
    if (to === undefined) throw new UsageError('Nothing runs here: say with --to where the copy of its store goes.')
    context.terminal.progress('Nothing runs here: its store is copied.')
    return await backUpHere(await loadedConfig(context, stoppedOf({ ...options, name: options.node })), to, context)
  }
}

const stoppedOf = ({ config, name }: { config?: string | undefined; name?: string | undefined }) => ({
  ...(config !== undefined && { config }),
  ...(name !== undefined && { name })
})

type RestoreOptions = StoppedOptions & { older?: boolean; plan?: boolean }

const restore = async (context: Context, file: string, options: RestoreOptions): Promise<void> => {
  const loaded = await loadedConfig(context, stoppedOf(options))
  const { config } = loaded
  const { planRestore, restoreHere } = await import('../../node/offline/stopped-store.ts')
  const run = options.plan === true ? planRestore : restoreHere
  const from = resolve(file)
  const view = await asOwner(ownerOf(loaded), { files: [from], copiesIn: config.paths.data }, ([own = from]) =>
    breakable(context.signal, run(config, own, options.older === true, context.signal))
  )
  const { terminal } = context
  for (const path of view.missing) {
    terminal.progress(
      `${terminal.paintProgress('warn', 'warning')}: ${path} is not there: put it back before the start`
    )
  }
  if (options.json === true) return terminal.json(view)
  const done = options.plan === true ? 'Would be ' : 'Restored '
  terminal.print(`${done} ${view.path}, of ${date(view.createdMs)}`)
  terminal.print(`Log       entry ${view.head.n} of epoch ${view.head.epoch}; ${plural(view.members, 'member')}`)
  if (view.movedTo !== null) terminal.print(`Before    ${view.movedTo}`)
  if (options.plan === true) return terminal.print('Nothing was changed; the store that is there would be moved aside.')
  if (config.role === 'root') {
    terminal.print('')
    terminal.print('When it is started it listens for newer heads before it appends. When nobody')
    terminal.print(`can hold more: trustnet registry resume --head ${view.head.n}`)
  }
}

const resume = async (context: Context, options: RunningOptions & { head: number }): Promise<void> => {
  const client = await running(context, options)
  const view = await client.resume({ head: options.head }, { signal: context.signal })
  if (options.json === true) context.terminal.json(view)
  else context.terminal.print(`${sanitise(view.name ?? view.peerId)}: ${sanitise(view.message)}`)
}

/** Begin of every SQLite file. */
const sqliteHeader = 'SQLite format 3\0'

const requireDatabase = (path: string): void => {
  const fd = openRegular(path)
  try {
    const header = Buffer.alloc(sqliteHeader.length)
    readSync(fd, header)
    if (header.toString('latin1') === sqliteHeader) return
  } finally {
    closeSync(fd)
  }
  throw new UsageError(`${path} is no database of a registry: name a registry.db, or a backup of one.`)
}

const verify = async (context: Context, store: string | undefined, options: StoppedOptions): Promise<void> => {
  if (store !== undefined) requireDatabase(resolve(store))
  const { verifyStoreAt, storeOf } = await import('../../node/offline/stopped-store.ts')
  const loaded = store === undefined ? await loadedConfig(context, stoppedOf(options)) : undefined
  const path = loaded === undefined ? resolve(store ?? '') : storeOf(loaded.config)
  becomeOwner(loaded === undefined ? fileOwner(path) : ownerOf(loaded))
  const view = await verifyStoreAt(path, context.signal)
  const { terminal } = context
  if (options.json === true) return terminal.json(view)
  const { network, head } = view
  terminal.print(`${terminal.paint('good', 'Right')}        ${view.path}`)
  terminal.print(`Network      ${sanitise(network.domain)}, ${network.id}`)
  terminal.print(`Fingerprint  ${network.fingerprint}`)
  terminal.print(`Log          entry ${head.n} of epoch ${head.epoch}, ${view.entries} signatures`)
  terminal.print(`Checkpoint   ${date(view.checkpointMs)}; chain and state root fit`)
  terminal.print(`Members      ${view.members}; ${plural(view.records, 'record')}, each signed by its member`)
  const { witnessed } = view
  if (witnessed !== null)
    terminal.print(`Witnesses    ${witnessed.by} of ${witnessed.of} have signed entry ${witnessed.n} or a later one`)
  if (view.documents > 0) terminal.print(`Documents    ${view.documents}, each with the bytes of its digest`)
  if (view.forks > 0) terminal.print(`Forks        ${view.forks} proofs are kept`)
  if (view.voided > 0) terminal.print(`Void         ${view.voided} entries that a later epoch cut off`)
}

const verifyProof = async ({ terminal }: Context, file: string, options: StoppedOptions): Promise<void> => {
  const { verifyProofAt } = await import('../../node/offline/stopped-store.ts')
  const path = resolve(file)
  becomeOwner(fileOwner(path))
  const view = verifyProofAt(path)
  if (options.json === true) return terminal.json(view)
  const what = { two: 'was signed twice', missing: 'was signed, and later a state without it, in which it must be' }
  terminal.print(`${terminal.paint('bad', 'Proven')}       entry ${view.n} of epoch ${view.epoch} ${what[view.kind]}`)
  terminal.print(`Network      ${sanitise(view.network.domain)}, ${view.network.id}`)
  terminal.print(`Fingerprint  ${view.network.fingerprint}`)
  terminal.print(`Log key      ${view.signer}`)
  for (const hash of view.hashes) terminal.print(`Hash         ${hash}`)
}
