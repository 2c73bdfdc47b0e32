import { Option } from 'commander'
import { digLine } from '../../dns/records.ts'
import type { Loaded } from '../../node/config/index.ts'
import { loadedConfig } from '../access/config-source.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
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
  json?: boolean
}

const examples = `
Makes the network's first keys, its genesis and its root registry on this
machine, and an encrypted recovery kit. Its passphrase is printed once, or is
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
    flags: flagsOf(options)
  })
  if (loaded.config.domain === undefined) {
    throw new UsageError('A network has a domain: give it with --domain, like trustnet init --domain example.org')
  }
  const { createNetworkHere } = await import('../../node/offline/create-network.ts')
  const { readSecret } = await import('../../node/config/index.ts')
  const passphrase = readSecret('recoveryPassphrase', { env: context.terminal.env })
  const made = await createNetworkHere(loaded.config, {
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(options.networkName === undefined ? {} : { networkName: options.networkName }),
    ...(options.newNetwork === true ? { newNetwork: true } : {})
  })
  await saveInit(loaded, flagsOf(options), made.networkId)
  show(context, loaded, made, options)
  if (options.start === true) {
    const ready = await loadedConfig(context, { config: loaded.saveTo })
    await runNode(context, ready)
  }
}

const saveInit = async (
  { config, saveTo }: Loaded,
  flags: Record<string, unknown>,
  networkId: string
): Promise<void> => {
  const { saveConfigValue } = await import('../../node/config/index.ts')
  const values: Record<string, unknown> = { name: config.name, ...flags, networkId }
  if (flags['paths.data'] !== undefined) values['paths.data'] = config.paths.data
  if (flags['listen.port'] !== undefined) values['listen.port'] = config.listen.port
  for (const [key, value] of Object.entries(values)) saveConfigValue(saveTo, key, value)
}

interface Made {
  networkId: string
  fingerprint: string
  recoveryKitPath: string
  passphrase?: string | undefined
  records: readonly string[]
}

const show = (context: Context, { config, saveTo }: Loaded, made: Made, options: InitOptions): void => {
  const { terminal } = context
  if (options.json === true) {
    terminal.json({ schemaVersion: 1, domain: config.domain, name: config.name, config: saveTo, ...made })
    return
  }
  terminal.print(`${terminal.paint('good', 'Network made')}: ${sanitise(config.domain ?? '')}`)
  terminal.print(`Network id     ${made.networkId}`)
  terminal.print(`Fingerprint    ${made.fingerprint}`)
  terminal.print(`Configuration  ${saveTo}`)
  terminal.print(`Recovery kit   ${made.recoveryKitPath}`)
  if (made.passphrase !== undefined) {
    terminal.print(
      `Passphrase     ${terminal.paint('bold', made.passphrase)}  (shown once: without it the kit is worthless)`
    )
  }
  terminal.print('')
  terminal.print('Move the recovery kit off this machine: it alone can replace a lost or stolen root. Then:')
  terminal.print(`  trustnet registry start --config ${saveTo}`)
  terminal.print('  trustnet invite                        # one line for the next machine')
  if (made.records.length === 0) return
  terminal.print('')
  terminal.print('For machines that come without an invite line, publish where the root is, and look at the answer:')
  for (const record of made.records) terminal.print(`  ${record}`)
  terminal.print(`  ${digLine(config.domain ?? '')}`)
}
