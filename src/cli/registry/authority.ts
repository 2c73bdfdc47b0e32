import { join, resolve } from 'node:path'
import type { ControlApi } from '../../node/api/control-api.ts'
import type { Loaded } from '../../node/config/index.ts'
import type { RotateAuthorityView } from '../../node/offline/rotate-authority.ts'
import { loadedConfig } from '../access/config-source.ts'
import { answering } from '../access/find-running.ts'
import { readPassphrase } from '../access/passphrase.ts'
import { asOwner, ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { requireKit } from './require-kit.ts'
import { followSpread, printSpread, waitOption } from './spread.ts'

interface RotateOptions {
  kit: string
  to?: string
  config?: string
  name?: string
  yes?: boolean
  wait: number
  json?: boolean
}

const notes = `
The log has committed to the next authority, whose key is in the next kit. This
makes it the authority, and commits to a new next one: the kit before is
worthless from then on, also for whoever has stolen it. On the machine of the
root, where the process runs or is stopped; without --yes the plan is shown. The
passphrase, also that of the new kit, comes from
TRUSTNET_RECOVERY_PASSPHRASE_FILE, or is asked for.
`

export const addAuthority: AddCommand = (program, context) => {
  const authority = program
    .command('authority')
    .description('the key that stands above the root')
    .addHelpText('after', exampleOf('trustnet authority rotate --kit recovery.kit'))
  authority
    .command('rotate')
    .description('make the next authority the authority')
    .requiredOption('--kit <file>', 'the kit with the next authority')
    .option('--to <file>', 'where the new next kit is written (default: next-recovery.kit in the data folder)')
    .option('--config <file>', 'configuration file')
    .option('--name <name>', 'name of the node; picks NAME.yaml')
    .addOption(waitOption())
    .option('--yes', 'do it; without it the plan is shown')
    .option('--json', 'print JSON')
    .addHelpText('after', notes + exampleOf('trustnet authority rotate --kit /mnt/safe/next-recovery.kit --yes'))
    .action((options: RotateOptions) => rotate(context, options))
}

const rotate = async (context: Context, options: RotateOptions): Promise<void> => {
  const { config: file, name } = options
  const loaded = await loadedConfig(context, {
    ...(file !== undefined && { config: file }),
    ...(name !== undefined && { name }),
    flags: {}
  })
  const { config } = loaded
  const kit = resolve(options.kit)
  const to = options.to === undefined ? join(config.paths.data, 'next-recovery.kit') : resolve(options.to)
  requireKit(kit)
  const owner = ownerOf(loaded)
  const api = await answering(context, {
    ...(file !== undefined && { config: file }),
    ...(name !== undefined && { node: name })
  })
  if (api !== undefined && options.yes !== true) {
    const view = await planRunning(context, api, { loaded, kit, to })
    return options.json === true ? context.terminal.json(view) : show(context, view, kit)
  }
  const passphrase = await readPassphrase(context)
  if (api !== undefined) {
    const { rotateRunningAuthority } = await import('../../node/offline/rotate-running.ts')
    const entered = await asOwner(owner, { files: [kit], copiesIn: config.paths.data }, ([own = kit]) =>
      rotateRunningAuthority(api, { kit: kit === to ? to : own, passphrase, to }, context.signal)
    )
    return await tellRotated(context, api, entered, { options, kit, to })
  }
  const { rotateAuthority } = await import('../../node/offline/rotate-authority.ts')
  const view = await asOwner(owner, { files: [kit], copiesIn: config.paths.data }, ([own = kit]) =>
    rotateAuthority({ config, kit: kit === to ? to : own, passphrase, to, apply: options.yes === true })
  )
  if (options.json === true) context.terminal.json(view)
  else show(context, view, kit)
}

/** Plan for a running root; the kit is looked at as far as it can be without its passphrase. */
const planRunning = async (
  context: Context,
  api: ControlApi,
  { loaded, kit, to }: { loaded: Loaded; kit: string; to: string }
): Promise<RotateAuthorityView> => {
  const { checkKit } = await import('../../node/offline/recovery-kit.ts')
  const { requireAnotherKit } = await import('../../node/offline/rotate-authority.ts')
  const network = (await api.identity({}, { signal: context.signal })).network?.id ?? ''
  await asOwner(ownerOf(loaded), { files: [kit], copiesIn: loaded.config.paths.data }, async ([own = kit]) => {
    checkKit(own, network)
    requireAnotherKit({ kit, to })
  })
  return { applied: false, network, entry: null, nextKit: to }
}

/** Follows the new authority through the network. */
const tellRotated = async (
  context: Context,
  api: ControlApi,
  entered: Parameters<typeof followSpread>[2],
  { options, kit, to }: { options: RotateOptions; kit: string; to: string }
): Promise<void> => {
  const spread = await followSpread(context, api, entered, options.wait)
  const { network } = await api.identity({}, { signal: context.signal })
  const view = { applied: true, network: network?.id ?? '', entry: entered.n, nextKit: to } as const
  if (options.json === true) return context.terminal.json({ ...view, members: spread.members })
  show(context, view, kit)
  printSpread(context, spread)
}

const show = ({ terminal }: Context, { applied, entry, nextKit }: RotateAuthorityView, kit: string): void => {
  terminal.print(`Recovery kit  ${kit}: it holds the authority from then on`)
  terminal.print(`Next kit      ${nextKit}: with the same passphrase; keep it in another place`)
  if (applied) {
    terminal.print(
      `${terminal.paint('good', 'Done')}: entry ${entry} says so. The kit with the authority before is worthless.`
    )
  } else terminal.print('Nothing was changed. To do it, add --yes.')
}
