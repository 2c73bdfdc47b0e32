import { rmSync } from 'node:fs'
import { Option } from 'commander'
import { digLine } from '../../dns/records.ts'
import type { Loaded } from '../../node/config/index.ts'
import { loadedConfig } from '../access/config-source.ts'
import { ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import type { Arrival } from '../output/terminal.ts'
import { sanitise } from '../output/text.ts'
import { runNode } from './run-node.ts'

interface InitOptions {
  domain?: string
  name?: string
  networkName?: string
  policy?: string
  membership?: string
  port?: string
  data?: string
  config?: string
  newNetwork?: boolean
  start?: boolean
  oneKit?: boolean
  json?: boolean
}

const examples = `
Makes the network's first keys, its genesis and its root registry on this
machine, and two encrypted recovery kits: one with the authority key, one with
the next one (--one-kit: both in one). Their passphrase is printed once, or is
taken from TRUSTNET_RECOVERY_PASSPHRASE or TRUSTNET_RECOVERY_PASSPHRASE_FILE.

Examples:
  trustnet init --domain example.org
  trustnet init --domain example.org --policy approve --name tnr-1
  trustnet init --domain example.org --start`

export const addInit: AddCommand = (program, context) => {
  program
    .command('init')
    .description('make a network: genesis, keys, recovery kit, root registry')
    .option('--domain <domain>', 'domain of the network')
    .option('--name <name>', 'name of the root (default: host name)')
    .option('--network-name <name>', 'name of the network (default: the domain)')
    .addOption(new Option('--policy <policy>', 'who is let in').choices(['invite', 'approve', 'open']))
    .option('--membership <duration>', 'how long a membership lasts unless renewed (default: 90d)')
    .option('--port <port>', 'TCP port of the registry (default: 8000)')
    .option('--data <folder>', 'folder of database and keys')
    .option('--config <file>', 'configuration file to read and to write')
    .option('--new-network', 'also when the domain already has a live network')
    .option('--one-kit', 'both authority keys in one recovery kit')
    .option('--start', 'run the registry afterwards')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((options: InitOptions) => init(context, options))
}

const flagsOf = (options: InitOptions): Record<string, unknown> => {
  const flags: Record<string, unknown> = {
    role: 'root',
    domain: options.domain,
    'admission.policy': options.policy,
    'admission.membership': options.membership,
    'listen.port': options.port,
    'paths.data': options.data
  }
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
}

const init = async (context: Context, options: InitOptions): Promise<void> => {
  const loaded = await loadedConfig(context, {
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.name === undefined ? {} : { name: options.name }),
    flags: flagsOf(options),
    mayBeNew: true
  })
  if (loaded.config.domain === undefined) {
    throw new UsageError('A network has a domain: give it with --domain, like trustnet init --domain example.org')
  }
  const owner = ownerOf(loaded)
  if (owner !== undefined) {
    throw new UsageError(
      `${loaded.config.paths.data} belongs to user ${owner.uid}, and root makes nothing there: run this as that user (sudo -u '#${owner.uid}' trustnet init …), or choose another folder with --data.`
    )
  }
  const { createNetworkHere } = await import('../../node/offline/create-network.ts')
  const { readSecret, requireSavable } = await import('../../node/config/index.ts')
  const passphrase = readSecret('recoveryPassphrase', { env: context.terminal.env })
  requireSavable(loaded.saveTo)
  const { signal } = context
  const making = createNetworkHere(loaded.config, {
    signal,
    onMade: (networkId) => saveInit(loaded, flagsOf(options), networkId),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(options.networkName === undefined ? {} : { networkName: options.networkName }),
    ...(options.newNetwork === true ? { newNetwork: true } : {}),
    ...(options.oneKit === true ? { oneKit: true } : {})
  })
  const made = await breakable(signal, making)
  const { passphrasePath, ...shown } = made
  const arrival = await show(context, loaded, shown, options)
  if (passphrasePath !== undefined) settlePassphrase(context, passphrasePath, arrival)
  if (options.start === true) {
    const ready = await loadedConfig(context, { config: loaded.saveTo })
    await runNode(context, ready)
  }
}

/** The passphrase is kept in a file until somebody has it. */
const settlePassphrase = ({ terminal }: Context, path: string, arrival: Arrival): void => {
  if (arrival === 'arrived') rmSync(path)
  else if (arrival === 'unknown') {
    const next = 'write it down, then remove that file'
    terminal.progress(
      `The passphrase of the recovery kit is also in ${path}, because a pipe does not tell what was read of it: ${next}.`
    )
  } else
    throw new ExitError(
      exitCodes.failure,
      `The network is made, but what there is to say about it could not be written. The passphrase of its recovery kit is in ${path}: write it down, then remove that file.`
    )
}

const saveInit = async (
  { config, saveTo }: Loaded,
  flags: Record<string, unknown>,
  networkId: string
): Promise<void> => {
  const { saveConfigValues } = await import('../../node/config/index.ts')
  const values: Record<string, unknown> = { name: config.name, ...flags, networkId }
  if (flags['paths.data'] !== undefined) values['paths.data'] = config.paths.data
  if (flags['listen.port'] !== undefined) values['listen.port'] = config.listen.port
  saveConfigValues(saveTo, values)
}

interface Made {
  networkId: string
  fingerprint: string
  recoveryKitPath: string
  nextRecoveryKitPath: string
  passphrase?: string | undefined
  records: readonly string[]
}

const show = async (
  { terminal }: Context,
  { config, saveTo }: Loaded,
  made: Made,
  options: InitOptions
): Promise<Arrival> => {
  if (options.json === true) {
    return await terminal.handOver({
      domain: config.domain,
      name: config.name,
      config: saveTo,
      ...made
    })
  }
  const isApart = made.nextRecoveryKitPath !== made.recoveryKitPath
  const lines = [
    `${terminal.paint('good', 'Network made')}: ${sanitise(config.domain ?? '')}`,
    `Network id     ${made.networkId}`,
    `Fingerprint    ${made.fingerprint}`,
    `Configuration  ${saveTo}`,
    `Recovery kit   ${made.recoveryKitPath}`,
    ...(isApart ? [`Next kit       ${made.nextRecoveryKitPath}`] : []),
    ...(made.passphrase === undefined
      ? []
      : [`Passphrase     ${terminal.paint('bold', made.passphrase)}  (shown once: without it the kits are worthless)`]),
    '',
    'Move the recovery kit off this machine: it alone can replace a lost or stolen root.',
    ...(isApart
      ? ['Keep the next kit in another place: it replaces the authority when the recovery kit is lost or stolen.']
      : []),
    'Then:',
    `  trustnet registry start --config ${saveTo}`,
    '  trustnet invite                        # one line for the next machine',
    ...(made.records.length === 0 ? [] : publishLines(made.records, config.domain ?? ''))
  ]
  return await terminal.handOver(lines.join('\n'))
}

const publishLines = (records: readonly string[], domain: string): string[] => [
  '',
  'For machines that come without an invite line, publish where the root is, and look at the answer:',
  ...records.map((record) => `  ${record}`),
  `  ${digLine(domain)}`
]
