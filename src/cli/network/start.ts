import { type Command, Option } from 'commander'
import { isRegistryRole, roles } from '../../identity/role.ts'
import type { Loaded } from '../../node/config/index.ts'
import { loadedConfig } from '../access/config-source.ts'
import { choice, listed, oldRoles } from '../output/choice.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { sanitise } from '../output/text.ts'
import { runNode } from './run-node.ts'
import { startInvite } from './start-invite.ts'

export interface StartOptions {
  config?: string
  name?: string
  role?: string
  domain?: string
  network?: string
  port?: string
  data?: string
  peer?: string[]
  trustOnFirstUse?: boolean
  logLevel?: string
  set?: string[]
  stopWithStdin?: boolean
}

const collect = (value: string, before: string[] = []): string[] => [...before, value]

/** Flags that stand above environment and file, for every command that starts a node. */
export const withStart = (command: Command): Command =>
  command
    .option('--config <file>', 'configuration file')
    .option('--name <name>', "this node's name; picks NAME.yaml")
    .option('--domain <domain>', 'domain of the network')
    .option('--network <id>', 'pin of the network')
    .option('--port <port>', 'TCP port to listen on')
    .option('--data <folder>', 'folder of database and keys')
    .option('--peer <multiaddr>', 'try this address first (may be repeated)', collect)
    .option('--trust-on-first-use', 'accept and pin the first network that answers')
    .addOption(
      listed('--log-level <level>', 'least level that is written', ['debug', 'info', 'warn', 'error', 'fatal'])
    )
    .option('--set <key=value>', 'any other key of the configuration (may be repeated)', collect)
    .addOption(new Option('--stop-with-stdin', 'stop when stdin ends').hideHelp())

/** Overrides by key for the configuration. */
export const startFlags = (options: StartOptions): Record<string, unknown> => {
  const flags = new Map<string, unknown>([
    ['role', options.role],
    ['domain', options.domain],
    ['networkId', options.network],
    ['listen.port', options.port],
    ['paths.data', options.data],
    ['bootstrap.peers', options.peer],
    ['bootstrap.trustOnFirstUse', options.trustOnFirstUse],
    ['logging.level', options.logLevel]
  ])
  for (const pair of options.set ?? []) {
    const at = pair.indexOf('=')
    if (at < 1)
      throw new UsageError(`--set needs KEY=VALUE, like --set heartbeat.interval=10s; '${sanitise(pair)}' is none.`)
    flags.set(pair.slice(0, at), pair.slice(at + 1))
  }
  return Object.fromEntries([...flags].filter(([, value]) => value !== undefined))
}

const nodeExamples = `
Runs in the foreground until SIGTERM or Ctrl-C; logs are JSON lines on stdout,
pretty on a terminal.

Examples:
  trustnet node start
  trustnet node start --name hal --domain example.org --trust-on-first-use
  trustnet node start --name hal --set heartbeat.interval=10s`

export const addNode: AddCommand = (program, context) => {
  const node = program.command('node').description('run a node').addHelpText('after', exampleOf('trustnet node start'))
  withStart(node.command('start'))
    .description('run an integrated or external node (or whatever role its configuration says)')
    .addOption(choice('--role <role>', 'what it is in the network', Object.keys(roles), oldRoles))
    .addHelpText('after', nodeExamples)
    .action((options: StartOptions) => start(context, options, false))
}

const registryExamples = `
Examples:
  trustnet registry start                root or secondary, as configured
  trustnet registry start --name tnr-2`

export const addRegistryStart: AddCommand = (registry, context) => {
  withStart(registry.command('start'))
    .description('run a registry (root or secondary) in the foreground')
    .addOption(choice('--role <role>', 'which', ['root', 'secondary'], oldRoles))
    .addHelpText('after', registryExamples)
    .action((options: StartOptions) => start(context, options, true))
}

const start = async (context: Context, options: StartOptions, registry: boolean): Promise<void> => {
  const load = async (more: Readonly<Record<string, unknown>>): Promise<Loaded> =>
    await loadedConfig(context, {
      ...(options.config === undefined ? {} : { config: options.config }),
      ...(options.name === undefined ? {} : { name: options.name }),
      flags: { ...more, ...startFlags(options) }
    })
  const plain = await load({})
  const invite = await startInvite(context, plain)
  const { savedPort } = await import('../../node/host/saved-port.ts')
  const { paths, listen, role } = plain.config
  const port = isRegistryRole(role) ? undefined : savedPort({ data: paths.data, configured: listen.port })
  const flags = port === undefined ? invite.flags : { ...invite.flags, 'listen.port': port }
  const loaded = Object.keys(flags).length === 0 ? plain : await load(flags)
  if (registry && !isRegistryRole(loaded.config.role)) {
    throw new UsageError(
      `The configuration (${loaded.file ?? 'none found'}) says ${loaded.config.role}, which is no registry alone. ` +
        'Make a network with `trustnet init`, join as one with an invite of --role secondary, or use `trustnet node start`.'
    )
  }
  await runNode(context, loaded, { stopWithStdin: options.stopWithStdin === true, invite: invite.line })
}
