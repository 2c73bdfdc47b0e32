import { formatDuration } from '../../node/config/durations.ts'
import type { Key, Loaded } from '../../node/config/index.ts'
import { type ConfigOptions, loadedConfig } from '../access/config-source.ts'
import { becomeOwner, fileOwner } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'

type Options = ConfigOptions & { json?: boolean; example?: boolean }

const examples = `
Examples:
  trustnet config check        validate without starting
  trustnet config show         what is in force, and where each value is from
  trustnet config migrate      rewrite a file of an older version
  trustnet config show --example > /etc/trustnet/hal.yaml`

export const addConfig: AddCommand = (program, context) => {
  const config = program
    .command('config')
    .description('check and show the configuration')
    .addHelpText('after', examples)
  config
    .command('check [file]')
    .description('validate a configuration file with environment and flags')
    .option('--config <file>', 'the file')
    .option('--name <name>', 'of the node')
    .option('--json', 'print JSON')
    .addHelpText('after', exampleOf('trustnet config check', 'trustnet config check ./hal.yaml'))
    .action((file: string | undefined, options: Options) => check(context, file, options))
  config
    .command('show')
    .description('print the configuration in force')
    .option('--config <file>', 'the file')
    .option('--name <name>', 'of the node')
    .option('--example', 'print a commented example with every key instead')
    .option('--json', 'print JSON')
    .addHelpText('after', exampleOf('trustnet config show', 'trustnet config show --example > ./hal.yaml'))
    .action((options: Options) => show(context, options))
  config
    .command('migrate [file]')
    .description('rewrite a file of an older version; the old one is kept beside it')
    .option('--config <file>', 'the file')
    .option('--name <name>', 'of the node')
    .option('--json', 'print JSON')
    .addHelpText('after', exampleOf('trustnet config migrate', 'trustnet config migrate ./hal.yaml'))
    .action((file: string | undefined, options: Options) => migrate(context, file, options))
}

const migrate = async (context: Context, given: string | undefined, options: Options): Promise<void> => {
  const { terminal } = context
  const { findConfigFile, loadConfig, migrateConfigFile } = await import('../../node/config/index.ts')
  const file = findConfigFile({ file: given ?? options.config, name: options.name, env: terminal.env })
  if (file === undefined) throw new UsageError('There is no configuration file: name one.')
  // A file that is not valid before is not rewritten.
  loadConfig({ file, env: terminal.env })
  becomeOwner(fileOwner(file))
  const { changes, copy } = migrateConfigFile(file)
  if (options.json === true) return terminal.json({ file, changes, copy })
  for (const change of changes) terminal.print(change)
  terminal.print(copy === null ? `${file}: nothing is to be changed` : `${file}: rewritten; as it was: ${copy}`)
}

const check = async (context: Context, file: string | undefined, options: Options): Promise<void> => {
  const loaded = await loadedConfig(context, file === undefined ? options : { ...options, config: file })
  const { terminal } = context
  if (options.json === true) {
    terminal.json({ valid: true, file: loaded.file ?? null, warnings: loaded.warnings })
    return
  }
  const { name, role, domain } = loaded.config
  const where = loaded.file ?? 'no file, environment and defaults'
  terminal.print(`${where}: valid (${name}, ${role}${domain === undefined ? '' : `, ${domain}`})`)
}

const show = async (context: Context, options: Options): Promise<void> => {
  const { terminal } = context
  const [{ configExample, keys }, { stringify }] = await Promise.all([
    import('../../node/config/index.ts'),
    import('yaml')
  ])
  if (options.example === true) {
    terminal.stdout.write(configExample())
    return
  }
  const loaded = await loadedConfig(context, options)
  if (options.json === true) {
    terminal.json({ file: loaded.file ?? null, config: loaded.config, sources: loaded.sources })
    return
  }
  terminal.print(`# ${loaded.file ?? 'no file'}`)
  const inline = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()
  for (const line of shownValues(loaded, keys, inline)) terminal.print(line)
}

const at = (tree: object, path: readonly string[]): unknown =>
  path.reduce<unknown>((node, part) => {
    const found: unknown = typeof node === 'object' && node !== null ? Reflect.get(node, part) : undefined
    return found
  }, tree)

const shownValues = ({ config, sources }: Loaded, keys: readonly Key[], inline: (value: unknown) => string): string[] =>
  keys.flatMap(({ path, yaml }) => {
    const value = at(config, path)
    if (value === undefined) return []
    const written = typeof value === 'number' && path.at(-1)?.endsWith('Ms') === true ? formatDuration(value) : value
    return [`${yaml}: ${inline(written)}  # ${sources[yaml]}`]
  })
