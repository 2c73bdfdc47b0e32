import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { digLine } from '../../dns/records.ts'
import type { VoidRevokeRow } from '../../node/api/registry-views.ts'
import type { Loaded } from '../../node/config/index.ts'
import { socketPath } from '../../node/config/paths.ts'
import type { Config } from '../../node/config/schema.ts'
import type { BecomeRootView } from '../../node/offline/become-root-view.ts'
import { loadedConfig } from '../access/config-source.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { copyOwnStore } from '../access/local-store.ts'
import { readPassphrase } from '../access/passphrase.ts'
import { asOwner, ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { breakable } from '../output/interrupt.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { date, orUnknown, plural, sanitise } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'
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

/** Adds `registry void`: what waits at the root because the key of an older epoch has signed it. */
export const addVoid: AddCommand = (registry, context) => {
  withRunning(registry.command('void'))
    .description('revokes and ends by log keys of older epochs, which wait for your word')
    .option('--dismiss <peer>', 'this member stays: take it off the list')
    .addHelpText(
      'after',
      '\nNothing proves when they were signed. To enter one: trustnet revoke NAME,\nor trustnet member end NAME\n' +
        exampleOf('trustnet registry void', 'trustnet registry void --dismiss hal')
    )
    .action((options: RunningOptions & { dismiss?: string }) => showVoid(context, options))
}

const showVoid = async (context: Context, options: RunningOptions & { dismiss?: string }): Promise<void> => {
  const client = await running(context, options)
  const { terminal, signal } = context
  if (options.dismiss !== undefined) {
    const view = await client.dismissVoid({ peer: peerName(options.dismiss) }, { signal })
    if (options.json === true) terminal.json(view)
    else terminal.print(`${orUnknown(view.name)}: ${sanitise(view.message)}`)
    return
  }
  const view = await client.voidRevokes({}, { signal })
  if (options.json === true) terminal.json(view)
  else terminal.table(voidColumns, view.offered, { empty: 'No void revoke or end waits.', all: true })
}

const voidColumns: Column<VoidRevokeRow>[] = [
  { title: 'MEMBER', cell: ({ member }) => peerText(member) },
  { title: 'WHAT', cell: ({ kind, n, epoch }) => `${kind}, entry ${n} of epoch ${epoch}` },
  { title: 'SIGNED, IT SAYS', cell: ({ claimedMs }) => date(claimedMs) },
  { title: 'FROM', cell: ({ from }) => (from === null ? 'held here' : peerText(from)) },
  { title: 'SEEN', cell: ({ seenMs }) => date(seenMs) },
  { title: 'REASON', cell: ({ reason }) => orUnknown(reason) }
]

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
    const { signal } = context
    if (!isPlan) return become({ ...init, apply: true }, { signal })
    const plan = withCopy(context, config, (copy) => become({ ...init, apply: false, copy }, { signal }))
    return breakable(signal, plan)
  })
  if (options.json === true) context.terminal.json(view)
  else show(context, view, { saveTo, domain: config.domain ?? '' })
}

/** A plan needs no stop: the process that runs gives a copy of its store. */
const withCopy = async <T>(
  context: Context,
  config: Config,
  plan: (copy: string | undefined) => Promise<T>
): Promise<T> => {
  // A service writes below its data folder alone, and sees a /tmp of its own.
  const folder = await mkdtemp(join(existsSync(config.paths.data) ? config.paths.data : tmpdir(), '.plan-'))
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

/** Line on what a member that was asked has shown. */
export const sourceLine = (source: BecomeRootView['sources'][number]): string => {
  const who = sanitise(source.name ?? source.peerId ?? source.address)
  const what = source.head === null ? '' : `entry ${source.head.n} of epoch ${source.head.epoch}`
  const problem = source.error === null ? '' : `${what === '' ? '' : '; '}${sanitise(source.error)}`
  return `Asked       ${who}: ${what}${problem}`
}

const entryLine = (title: string, { n, kind, name, peerId, timeMs }: BecomeRootView['newest'][number]): string =>
  `${title.padEnd(11)} ${n}  ${date(timeMs)}  ${sanitise(kind)} ${sanitise(name ?? peerId ?? '')}`.trimEnd()

/** Line on what was ended by a void entry: one that could not be ended again is in force. */
export const endedLine = ({ kind, id, name, refused }: BecomeRootView['again'][number]): string => {
  const what = `${kind} ${sanitise(name ?? id)}`
  if (refused === null) return `Ended again ${what}`
  const command =
    kind === 'invite' ? `trustnet invite cancel ${id}` : `trustnet operator remove ${sanitise(name ?? id)}`
  return `In force    ${what}, ended by a void entry: ${sanitise(refused)}; \`${command}\` ends it`
}

const show = (
  { terminal }: Context,
  view: BecomeRootView,
  { saveTo, domain }: { saveTo: string; domain: string }
): void => {
  const { fork, head, former, revoked, dns } = view
  for (const source of view.sources) terminal.print(sourceLine(source))
  for (const row of view.newest) terminal.print(entryLine('Counts', row))
  terminal.print(`From        entry ${fork.n} of epoch ${fork.epoch}: what anybody holds above it becomes void`)
  for (const row of view.voided) terminal.print(entryLine('Void', row))
  for (const row of view.again) terminal.print(endedLine(row))
  terminal.print(`New epoch   ${view.epoch}, with a new log key`)
  for (const { name } of former) {
    const isRevoked = revoked.some((each) => each.name === name)
    terminal.print(
      `Former root ${sanitise(name)}: ${isRevoked ? 'its key is shut out for ever' : 'comes back as a secondary'}`
    )
  }
  if (view.admitted !== null) terminal.print(`Admitted    this machine, as ${orUnknown(view.admitted)}`)
  if (view.reissued > 0) terminal.print(`Revokes     ${view.reissued} are entered again`)
  if (view.queued > 0) terminal.print(`Queue       ${plural(view.queued, 'request')}, decided after the start`)
  terminal.print('')
  terminal.print('DNS')
  for (const line of dns.add) terminal.print(`  add     ${line}`)
  for (const line of dns.remove) terminal.print(`  remove  ${line}`)
  if (domain !== '') terminal.print(`  ${digLine(domain)}`)
  terminal.print('')
  if (view.applied) {
    terminal.print(`${terminal.paint('good', 'Done')}: the log ends at entry ${head.n}. Start it:`)
    terminal.print(`  trustnet registry start --config ${saveTo}`)
  } else {
    terminal.print('Nothing was changed. To do it, stop the process and add --yes.')
    terminal.print('When somebody else has signed among the newest entries: --from N, the last one that is right.')
  }
}
