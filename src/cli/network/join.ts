import { randomBytes } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { dirname, join as joinPath, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Ids } from '../../install/machine/open-safely.ts'
import { writeAt } from '../../install/machine/safe-files.ts'
import { controlClient } from '../../node/api/client.ts'
import { NothingRunningError } from '../../node/api/errors.ts'
import type { Loaded } from '../../node/config/index.ts'
import { fileKeys, socketPath } from '../../node/config/paths.ts'
import type { Invite } from '../../registry/objects/invite.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { loadedConfig } from '../access/config-source.ts'
import { readInvite } from '../access/invite-source.ts'
import { ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { date, sanitise } from '../output/text.ts'
import { runNode } from './run-node.ts'
import { type StartOptions, startFlags, withStart } from './start.ts'

type JoinOptions = StartOptions & { start: boolean; json?: boolean }

const examples = `
Needs no DNS. Writes a configuration, keeps the invite in a file of mode 0600,
and starts the node in the foreground. When the node already runs and was not
admitted yet, the invite is handed to it.

Examples:
  trustnet join tnet1…                   the line that \`trustnet invite\` printed
  ssh registry trustnet invite | trustnet join - --name hal
  trustnet join ./invite.txt --no-start  prepare; a service starts it later`

export const addJoin: AddCommand = (program, context) => {
  withStart(program.command('join [invite]'))
    .description('join a network with an invite: a line, a file, `-` for stdin, or TRUSTNET_INVITE(_FILE)')
    .option('--no-start', 'write configuration and invite only')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((invite: string | undefined, options: JoinOptions, command: Command) =>
      join(context, invite, options, givenIn(command))
    )
}

/** Options that count where a running process is handed the invite: they say which one, and how it is told. */
const ofRunning = new Set(['--config', '--name', '--node', '--node-name', '--json', '--no-start', '--stop-with-stdin'])

/** Options of the command line that only a start of the node uses. */
const givenIn = (command: Command): string[] =>
  command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .flatMap(({ long }) => (long === undefined || long === null || ofRunning.has(long) ? [] : [long]))

const join = async (
  context: Context,
  given: string | undefined,
  options: JoinOptions,
  flags: readonly string[]
): Promise<void> => {
  const line = await readInvite(context, given)
  const { decodeInvite } = await import('../../registry/objects/invite.ts')
  const { networkIdText } = await import('../../identity/network-id.ts')
  const invite = readable(() => decodeInvite(line))
  const networkId = networkIdText(invite.networkId)
  const loaded = await configFor(context, invite, networkId, options)
  if (await handOver(context, loaded, line, options)) return tellUnused(context, loaded, flags)
  await write(loaded, invite, networkId, line, options)
  const ready = await loadedConfig(context, { config: loaded.saveTo, flags: startFlags(options) })
  const { terminal } = context
  terminal.progress(
    `Joining ${sanitise(invite.domain)} as ${ready.config.name} (${ready.config.role}); configuration: ${loaded.saveTo}`
  )
  if (options.start) return runNode(context, ready, options.stopWithStdin === true ? { stopWithStdin: true } : {})
  const next = `trustnet ${ready.config.role === 'secondary' ? 'registry' : 'node'} start --config ${loaded.saveTo}`
  if (options.json === true) {
    terminal.json({
      state: 'prepared',
      network: { id: networkId, domain: invite.domain },
      config: loaded.saveTo,
      next
    })
  } else {
    terminal.print(`Start it with: ${next}`)
  }
}

/** A line that cannot be read was pasted wrongly: a mistake of the command line, refused by nobody yet. */
const readable = (decode: () => Invite): Invite => {
  try {
    return decode()
  } catch (error) {
    if (error instanceof Error && error.name === 'InviteInvalidError') throw new UsageError(error.message)
    throw error
  }
}

/** @throws UsageError when another name was granted than is asked for */
const nameFor = (granted: string | undefined, asked: string | undefined): string | undefined => {
  if (asked === undefined || granted === undefined || asked === granted) return asked ?? granted
  throw new UsageError(
    `The invite is for the name ${sanitise(granted)}: leave --name out, or ask for one with: trustnet invite --name ${sanitise(asked)}`
  )
}

/** The configuration as it will be: what the grant says is above the file, what the flags say is above both. */
const configFor = async (
  context: Context,
  invite: Invite,
  networkId: string,
  options: JoinOptions
): Promise<Loaded> => {
  const { grant, domain } = invite
  const name = nameFor(grant.name, options.name)
  if (grant.notAfterMs < Date.now()) {
    const { terminal } = context
    const when = date(grant.notAfterMs)
    terminal.progress(
      `${terminal.paintProgress('warn', 'warning')}: by this clock the invite ended at ${when}; the registry decides.`
    )
  }
  const before = await loadedConfig(context, {
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(name === undefined ? {} : { name }),
    mayBeNew: true
  })
  const held = before.config.networkId
  if (before.file !== undefined && held !== undefined && held !== networkId) {
    throw new ExitError(
      exitCodes.refused,
      `${before.file} belongs to another network: it pins ${held}, the invite is for ${networkId} (${sanitise(domain)}). ` +
        'Give this membership a name of its own with --name, or remove that file.'
    )
  }
  return loadedConfig(context, {
    config: before.saveTo,
    mayBeNew: true,
    ...(name === undefined ? {} : { name }),
    flags: { role: grant.role, domain, networkId, ...startFlags(options) }
  })
}

/** true: a process of that configuration runs and has the invite now. */
const handOver = async (context: Context, loaded: Loaded, line: string, options: JoinOptions): Promise<boolean> => {
  const { config } = loaded
  const client = controlClient({ path: socketPath(config.paths.runtime, config.name) })
  try {
    const view = await client.join({ line }, { signal: context.signal })
    if (options.json === true) context.terminal.json(view)
    else context.terminal.print(`${view.state}: ${sanitise(view.message)}`)
    if (view.state !== 'admitted') context.exit(exitCodes.timeout)
    return true
  } catch (error) {
    if (error instanceof NothingRunningError) return false
    throw error
  }
}

/** Says what was given and is not used. */
const tellUnused = ({ terminal }: Context, { config, saveTo }: Loaded, flags: readonly string[]): void => {
  if (flags.length === 0) return
  terminal.progress(
    `Not used: ${flags.join(', ')}. ${config.name} runs already, and was handed the invite alone; set these in ${saveTo}, then: trustnet reload`
  )
}

const write = async (
  loaded: Loaded,
  invite: Invite,
  networkId: string,
  line: string,
  options: JoinOptions
): Promise<void> => {
  const { peerIdText } = await import('../../identity/keys.ts')
  const { saveConfigValues } = await import('../../node/config/index.ts')
  const { config, saveTo } = loaded
  const inviteFile = joinPath(config.paths.data, 'invite')
  await keepInvite(inviteFile, `${line.replaceAll(/\s/g, '')}\n`, ownerOf(loaded))
  const values: Record<string, unknown> = {
    ...keptFlags(options),
    name: config.name,
    role: config.role,
    domain: config.domain,
    networkId,
    'network.pins': invite.registries.map(({ publicKey }) => peerIdText(publicKey)),
    'bootstrap.inviteFile': inviteFile
  }
  if (options.port !== undefined) values['listen.port'] = config.listen.port
  saveConfigValues(saveTo, values)
}

/** Flags that are kept: what the command line says counts at the next start, too. A path counts from here, and not from the file. */
const keptFlags = (options: JoinOptions): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(startFlags(options)).map(([key, value]) => {
      const isPath = fileKeys.has(key) && typeof value === 'string'
      return [key, isPath ? resolve(value) : value]
    })
  )

/** In a folder that somebody else can write to root follows nothing. */
const keepInvite = async (file: string, text: string, owner: Ids | undefined): Promise<void> => {
  if (owner !== undefined) return writeAt(file, text, 0o600, owner)
  makeFolder(dirname(file), 0o700)
  // In a container every process has the number of the one that was killed before it.
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  await writeFile(temporary, text, { mode: 0o600, flag: 'wx', flush: true })
  await rename(temporary, file)
}
