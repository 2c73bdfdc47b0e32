import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Loaded } from '../../node/config/index.ts'
import { socketPath } from '../../node/config/paths.ts'
import type { Config } from '../../node/config/schema.ts'
import { loadedConfig } from '../access/config-source.ts'
import { copyOwnStore } from '../access/local-store.ts'
import { readPassphrase } from '../access/passphrase.ts'
import { asOwner, ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { breakable } from '../output/interrupt.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { showBecomeRoot } from './become-root-text.ts'
import { requireKit } from './require-kit.ts'

interface RootOptions {
  kit?: string
  config?: string
  name?: string
  peer?: string[]
  revokeFormer?: boolean
  from?: number
  plan?: boolean
  yes?: boolean
  json?: boolean
}

interface RecoverOptions extends RootOptions {
  domain?: string
  data?: string
  port?: string
  backup?: string
}

const collect = (value: string, before: string[] = []): string[] => [...before, value]

const withRoot = (command: Command): Command =>
  command
    .option('--kit <file>', 'recovery kit (default: the one in the data folder)')
    .option('--config <file>', 'configuration file')
    .option('--name <name>', 'name of the node; picks NAME.yaml')
    .option('--peer <multiaddr>', 'ask this member too (may be repeated)', collect)
    .option('--revoke-former', 'shut the key of the root before out for ever')
    .option('--from <n>', 'go back to this entry: what is above it becomes void', wholeNumber('--from'))
    .option('--plan', 'show what would be done; the same as without --yes')
    .option('--yes', 'do it')
    .option('--json', 'print JSON')

const notes = `
Asks every member whose address is known for its log and takes the highest
verified head. From there the authority, whose key is in the recovery kit,
opens a new epoch with a new log key. The passphrase comes from
TRUSTNET_RECOVERY_PASSPHRASE_FILE, or is asked for. Without --yes the plan is
shown from a copy of the store: nothing is changed, and the process may run.
With --yes it must be stopped.

The highest head may be that of a thief who has the log key: the plan lists the
newest entries with their times, and --from N goes back to entry N. Revokes
above it are not in force any more; trustnet registry void lists them.
`

/** Commands that make this node the root. */
export const addRegistryRoot: AddCommand = (registry, context) => {
  withRoot(registry.command('promote'))
    .description('make this secondary the root; on the root: a new log key')
    .addHelpText(
      'after',
      notes +
        exampleOf('trustnet registry promote --kit recovery.kit', 'trustnet registry promote --kit recovery.kit --yes')
    )
    .action((options: RootOptions) => promote(context, options))
  withRoot(registry.command('recover'))
    .description('make this machine the root of a network whose root is lost')
    .option('--domain <domain>', 'domain of the network')
    .option('--data <folder>', 'folder of database and keys')
    .option('--port <port>', 'TCP port to listen on')
    .option('--backup <file>', 'a backup to begin with')
    .addHelpText(
      'after',
      notes +
        exampleOf(
          'trustnet registry recover --kit recovery.kit --domain example.org',
          'trustnet registry recover --kit recovery.kit --backup registry.db --yes'
        )
    )
    .action((options: RecoverOptions) => recover(context, options))
}

const promote = async (context: Context, options: RootOptions): Promise<void> => {
  const loaded = await loadedConfig(context, configOf(options, {}))
  const { role } = loaded.config
  if (role !== 'secondary' && role !== 'root') {
    throw new UsageError(`This node is ${role}: a secondary is promoted; on another machine use registry recover.`)
  }
  await becomeRoot(context, loaded, options, { promote: true, save: {} })
}

const recover = async (context: Context, options: RecoverOptions): Promise<void> => {
  const { domain, data, port } = options
  const written = Object.fromEntries(
    Object.entries({ domain, 'paths.data': data, 'listen.port': port }).filter(([, value]) => value !== undefined)
  )
  const loaded = await loadedConfig(context, configOf(options, { role: 'root', ...written }))
  const { config } = loaded
  if (config.domain === undefined) throw new UsageError('A network has a domain: give it with --domain.')
  const save = { name: config.name, domain: config.domain, ...written }
  const more = options.backup === undefined ? {} : { backup: resolve(options.backup) }
  await becomeRoot(context, loaded, options, { promote: false, save, ...more })
}

const configOf = ({ config, name, peer }: RootOptions, flags: Record<string, unknown>) => ({
  ...(config !== undefined && { config }),
  ...(name !== undefined && { name }),
  flags: peer === undefined ? flags : { ...flags, 'bootstrap.peers': peer }
})

interface Way {
  promote: boolean
  save: Record<string, unknown>
  backup?: string
}

const becomeRoot = async (context: Context, loaded: Loaded, options: RootOptions, way: Way): Promise<void> => {
  const { config, saveTo } = loaded
  const { becomeRoot: become, kitOf } = await import('../../node/offline/become-root.ts')
  const kit = options.kit === undefined ? kitOf(config) : resolve(options.kit)
  requireKit(kit)
  const passphrase = await readPassphrase(context)
  context.terminal.progress('Asking the members for their log …')
  const files = way.backup === undefined ? [kit] : [kit, way.backup]
  const owner = ownerOf(loaded)
  // Root's configuration is opened while this process still is root.
  const { configWriter, saveConfigValues } = await import('../../node/config/index.ts')
  const isPlan = options.yes !== true || options.plan === true
  const write = owner === undefined || isPlan ? undefined : configWriter(saveTo)
  const save = (role: Record<string, unknown>): void => {
    const values = { ...way.save, ...role }
    if (write === undefined) saveConfigValues(saveTo, values)
    else write(values)
  }
  const view = await asOwner(owner, { files, copiesIn: config.paths.data }, ([own = kit, backup]) => {
    const from = backup === undefined ? {} : { backup }
    const init = {
      ...from,
      promote: way.promote,
      config,
      save,
      kit: { path: own, passphrase },
      epoch: { revokeFormer: options.revokeFormer === true, fromN: options.from }
    }
    const { signal, terminal } = context
    const warn = (text: string): void => terminal.progress(`${terminal.paintProgress('warn', 'warning')}: ${text}`)
    if (!isPlan) return become({ ...init, apply: true }, { signal, warn })
    const plan = withCopy(context, config, (copy) => become({ ...init, apply: false, copy }, { signal, warn }))
    return breakable(signal, plan)
  })
  if (options.json === true) context.terminal.json(view)
  else showBecomeRoot(context, view, { saveTo, domain: config.domain ?? '' })
}

/** A plan needs no stop: the process that runs gives a copy of its store. */
const withCopy = async <T>(
  context: Context,
  config: Config,
  plan: (copy: string | undefined) => Promise<T>
): Promise<T> => {
  // A service writes below its data folder alone, and sees a /tmp of its own.
  const parent = existsSync(config.paths.data) ? config.paths.data : tmpdir()
  const folder = await mkdtemp(join(parent, `.plan-${process.pid}-`))
  const copy = join(folder, 'registry.db')
  const { controlClient } = await import('../../node/api/client.ts')
  const client = controlClient({ path: socketPath(config.paths.runtime, config.name) })
  try {
    const { isRunning, store } = await copyOwnStore(context, () => Promise.resolve(client), config, copy)
    return await plan(isRunning || store !== undefined ? copy : undefined)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
