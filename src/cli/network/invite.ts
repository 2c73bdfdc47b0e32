import { type Role, roles } from '../../identity/role.ts'
import type { ControlApi } from '../../node/api/control-api.ts'
import type { InviteView } from '../../node/api/invite-views.ts'
import { parseDuration } from '../../node/config/durations.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import { choice, oldRoles } from '../output/choice.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import type { Arrival } from '../output/terminal.ts'
import { date, plural, sanitise } from '../output/text.ts'
import { addOpenInvites } from './open-invites.ts'

type InviteOptions = RunningOptions & {
  role?: Role
  name?: string
  replace?: string
  uses?: number
  ttl?: number
  note?: string
  groups?: string
  ephemeral?: boolean
  after?: number
}

type LeaveOptions = RunningOptions & { forget?: boolean; reason?: string; plan?: boolean }

const inviteExamples = `
The line holds the seed of a one-time key: whoever has it can join. It goes to
stdout alone, all else to stderr.

Examples:
  trustnet invite                            one integrated node, within 1 hour
  trustnet invite --role secondary --ttl 1d  a second registry
  trustnet invite --name hal                 the joiner gets this name
  trustnet invite --replace hal              re-installed, under its old name
  trustnet invite --uses 20 --ttl 8h | ssh host trustnet join -
  trustnet invite --groups web,db            the joiner is in these groups
  trustnet invite --ephemeral --uses 50      members until they are offline
  trustnet invite list                       those that are open`

const leaveExamples = `
The process says goodbye and stops.

Examples:
  trustnet leave            a member still: it comes back when it is started
  trustnet leave --forget   for good: the membership ends, its name is free`

const ttl = (text: string): number => {
  const ms = parseDuration(text)
  if (ms === undefined || ms < 1000)
    throw new UsageError(`--ttl needs a duration like 30m, 1h or 7d; '${text}' is none.`)
  return ms
}

const after = (text: string): number => {
  const ms = parseDuration(text)
  if (ms === undefined || ms < 1000) throw new UsageError(`--after needs a duration like 10m or 1h; '${text}' is none.`)
  return ms
}

const defaultOfflineMs = 600_000

const ephemeralOf = ({ ephemeral, after: ms }: InviteOptions): number | undefined => {
  if (ephemeral === true) return ms ?? defaultOfflineMs
  if (ms !== undefined) throw new UsageError('--after goes with --ephemeral.')
  return undefined
}

export const addInvite: AddCommand = (program, context) => {
  const command = withAuthor(withRunning(program.command('invite')))
  command
    .description('print a line that lets a machine join')
    .addOption(choice('--role <role>', 'of the joiner (default: integrated)', Object.keys(roles), oldRoles))
    .option('--name <name>', 'name of the joiner; without it the joiner chooses')
    .option('--replace <name>', 'the joiner takes the place and name of this member, whose key is revoked')
    .option('--uses <n>', 'how many may join with it (default: 1)', wholeNumber('--uses'))
    .option('--ttl <duration>', 'how long it is valid (default: 1h)', ttl)
    .addHelpText('after', inviteExamples)
    .option('--note <text>', 'for people: shown in the list')
    .option('--groups <names>', 'groups of the joiner, with commas between')
    .option('--ephemeral', 'the membership ends when the machine is offline')
    .option('--after <duration>', 'with --ephemeral: offline for so long (default: 10m)', after)
    .action((options: InviteOptions) => invite(context, options))
  addOpenInvites(command, context)
  withRunning(program.command('leave'))
    .description('say to the network that this node leaves')
    .option('--forget', 'end the own membership, too: only a new invite brings it back')
    .option('--reason <text>', 'told to the others')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText('after', leaveExamples)
    .action((options: LeaveOptions) => leave(context, options))
}

const invite = async (context: Context, options: InviteOptions): Promise<void> => {
  const { terminal } = context
  const client = await running(context, options)
  const view = await client.invite(
    {
      role: options.role,
      name: options.name,
      replaces: options.replace,
      uses: options.uses,
      ttlMs: options.ttl,
      note: options.note,
      groups: options.groups?.split(',').filter((group) => group !== ''),
      ephemeralMs: ephemeralOf(options)
    },
    { signal: context.signal }
  )
  const arrival = await (options.json === true ? terminal.handOver(view) : showInvite(context, view))
  if (arrival !== 'lost') return
  const left = await takenBack(client, view)
  throw new ExitError(
    exitCodes.failure,
    `The invite could not be written, so nobody has it; ${left}. Make room, and ask for another one.`
  )
}

/** Takes back an invite that nobody has. Gives what has become of it. */
const takenBack = async (client: ControlApi, { id, expiresMs }: InviteView): Promise<string> => {
  try {
    await client.cancelInvite({ id, reason: 'its line could not be written' })
    return 'it was taken back'
  } catch {
    return `it ends by itself at ${date(expiresMs)}`
  }
}

const showInvite = async ({ terminal }: Context, view: InviteView): Promise<Arrival> => {
  const name = view.name === null ? '' : ` named ${sanitise(view.name)}`
  terminal.progress(
    `For ${plural(view.uses, `${view.role} node`)}${name}, until ${date(view.expiresMs)}. On that machine: trustnet install --invite LINE (a service), or trustnet join LINE`
  )
  if (view.registries < 2) {
    const named = view.registries === 0 ? 'no registry that has an address' : 'one registry, and joins wait for it'
    terminal.progress(`The line names ${named}. A second registry: trustnet invite --role secondary`)
  }
  if (view.looksLike.length > 0) {
    const others = sanitise(view.looksLike.join(', '))
    terminal.progress(
      `That name looks like ${others}: people may take them for each other. Choose another one, or let this invite end.`
    )
  }
  return await terminal.handOver(view.line)
}

const leave = async (context: Context, options: LeaveOptions): Promise<void> => {
  const { forget = false, reason, plan } = options
  const client = await running(context, options)
  const view = await client.leave({ forget, reason, plan }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.print(sanitise(view.message))
}
