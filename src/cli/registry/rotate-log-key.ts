import { resolve } from 'node:path'
import type { EnteredView, SpreadView } from '../../node/api/control-api.ts'
import { dataFiles } from '../../node/config/paths.ts'
import { loadedConfig } from '../access/config-source.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { readPassphrase } from '../access/passphrase.ts'
import { asOwner, ownerOfNode } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { plural } from '../output/text.ts'
import { followSpread, printSpread, waitOption } from './spread.ts'

type RotateOptions = RunningOptions & { kit?: string; yes?: boolean; plan?: boolean; wait: number }

const notes = `
At the running root: the authority, whose key is in the recovery kit, delegates
a new log key from the head of the log on. Nothing becomes void; the old log key
is worthless from then on, also for whoever has stolen it. The process goes on
and begins its connections anew. When the old key may have signed something
already, see trustnet registry promote --from. The passphrase comes from
TRUSTNET_RECOVERY_PASSPHRASE_FILE, or is asked for; the authority key stays in
this command. Without --yes the plan is shown.
`

/** Adds `registry rotate-log-key`. */
export const addRotateLogKey: AddCommand = (registry, context) => {
  withRunning(registry.command('rotate-log-key'))
    .description('give the log of the running root a new key')
    .option('--kit <file>', 'recovery kit (default: the one in the data folder)')
    .addOption(waitOption())
    .option('--plan', 'show what would be done; the same as without --yes')
    .option('--yes', 'do it')
    .addHelpText('after', notes + exampleOf('trustnet registry rotate-log-key --kit /mnt/safe/recovery.kit --yes'))
    .action((options: RotateOptions) => rotate(context, options))
}

const rotate = async (context: Context, options: RotateOptions): Promise<void> => {
  const { terminal, signal } = context
  const api = await running(context, options)
  const { head } = (await api.log({ limit: 1 }, { signal })).view
  if (options.yes !== true || options.plan === true) {
    if (options.json === true) return terminal.json(viewOf(undefined, undefined))
    const { members } = await api.members({}, { signal })
    terminal.print(`New epoch  from entry ${head} on, with a new log key; nothing becomes void`)
    terminal.print(
      `Members    ${plural(members.length, 'member')} follow it when they hear of it; connections of the root begin anew`
    )
    return terminal.print('Nothing was changed. To do it, add --yes.')
  }
  const { owner, found } = await ownerOfNode(context, options)
  const data = await dataFolder(context, found)
  const kit = options.kit === undefined ? dataFiles(data).recoveryKit : resolve(options.kit)
  const passphrase = await readPassphrase(context)
  const { rotateLogKey } = await import('../../node/offline/rotate-running.ts')
  const entered = await asOwner(owner, { files: [kit], copiesIn: data }, ([own = kit]) =>
    rotateLogKey(api, { kit: own, passphrase }, signal)
  )
  const spread = await followSpread(context, api, entered, options.wait)
  if (options.json === true) return terminal.json(viewOf(entered, spread))
  terminal.print(`New epoch  ${entered.epoch}, from entry ${entered.n} on`)
  printSpread(context, spread)
  terminal.print(`${terminal.paint('good', 'Done')}: the log key before is worthless, and its file overwritten.`)
  const { rootStore } = await api.registryStatus({}, { signal })
  if (rootStore === null) return
  const { logKey } = dataFiles(data)
  terminal.print(`Candidates  copy ${logKey} to each of them now, mode 0600: until then trustnet status there warns`)
}

const viewOf = (entered: EnteredView | undefined, spread: SpreadView | undefined) => ({
  applied: entered !== undefined,
  epoch: entered?.epoch ?? null,
  entry: entered?.n ?? null,
  members: spread?.members ?? []
})

const dataFolder = async (context: Context, { config, node }: RunningOptions): Promise<string> => {
  const loaded = await loadedConfig(context, {
    ...(config !== undefined && { config }),
    ...(node !== undefined && { name: node })
  })
  return loaded.config.paths.data
}
