import { type Argument, type Command, Option } from 'commander'
import type { ChangeView, MembersView } from '../../node/api/control-api.ts'
import { formatDuration } from '../../node/config/durations.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import { choiceArgument, oldRoles } from '../output/choice.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import type { Column } from '../output/table.ts'
import { date, orUnknown, sanitise, shortPeerId } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'

const examples = `
The root decides, by an entry of the signed log: every node knows it within a
push, and it acts at once.

Examples:
  trustnet member list
  trustnet member rename hal hal-2
  trustnet member role hal external
  trustnet member groups hal web db      these groups and no others
  trustnet member groups hal --none
  trustnet member end hal                may be invited again`

type PlanOptions = RunningOptions & { plan?: boolean }
type EndOptions = PlanOptions & { reason: string }
type Changes = { name?: string; role?: MemberRole; groups?: string[] }

const memberRoles = ['secondary', 'integrated', 'external'] as const
type MemberRole = (typeof memberRoles)[number]

const planText = 'say what would happen, and change nothing'

export const addMember: AddCommand = (program, context) => {
  const member = program
    .command('member')
    .description('rename, regroup and let go members')
    .addHelpText('after', examples)
  withRunning(member.command('list'))
    .description('members with role, groups and end of membership')
    .addHelpText('after', exampleOf('trustnet member list'))
    .action((options: RunningOptions) => list(context, options))
  withAuthor(withRunning(member.command('rename <peer> <name>')))
    .description('another name; the old one is free at once')
    .option('--plan', planText)
    .addHelpText('after', exampleOf('trustnet member rename hal hal-2'))
    .action((peer: string, name: string, options: PlanOptions) => change(context, peer, { name }, options))
  addRole(member, context)
  withAuthor(withRunning(member.command('groups <peer> [group...]')))
    .description('be in these groups and no others')
    .addOption(new Option('--none', 'in no group'))
    .option('--plan', planText)
    .addHelpText('after', exampleOf('trustnet member groups hal web db', 'trustnet member groups hal --none'))
    .action((peer: string, groups: string[], options: PlanOptions & { none?: boolean }) => {
      if ((groups.length === 0) !== (options.none === true)) throw new UsageError('Name the groups, or say --none.')
      return change(context, peer, { groups }, options)
    })
  withAuthor(withRunning(member.command('end <peer>')))
    .description('end a membership; the key may be admitted again')
    .option('--reason <text>', 'written into the log', 'let go by the operator')
    .option('--plan', planText)
    .addHelpText('after', exampleOf('trustnet member end hal --plan', "trustnet member end hal --reason 'moved away'"))
    .action((peer: string, options: EndOptions) => end(context, peer, options))
}

const addRole = (member: Command, context: Context): void => {
  const command = member.command('role').argument('<peer>').addArgument(roleArgument())
  withAuthor(withRunning(command))
    .description('another role')
    .option('--plan', planText)
    .addHelpText('after', exampleOf('trustnet member role hal external --plan', 'trustnet member role hal external'))
    .action((peer: string, role: MemberRole, options: PlanOptions) => change(context, peer, { role }, options))
}

const roleArgument = (): Argument => choiceArgument('<role>', 'which', memberRoles, oldRoles)

const change = async (context: Context, peer: string, changes: Changes, options: PlanOptions): Promise<void> => {
  const { plan } = options
  const client = await running(context, options)
  const view = await client.changeMember({ peer: peerName(peer), ...changes, plan }, { signal: context.signal })
  tell(context, view, options)
}

const end = async (context: Context, peer: string, options: EndOptions): Promise<void> => {
  const { plan, reason } = options
  const client = await running(context, options)
  tell(context, await client.endMember({ peer: peerName(peer), reason, plan }, { signal: context.signal }), options)
}

const tell = ({ terminal }: Context, view: ChangeView, { json }: RunningOptions): void => {
  if (json === true) terminal.json(view)
  else terminal.print(`${orUnknown(view.name)} ${sanitise(view.peerId)}: ${sanitise(view.message)}`)
}

const columns: Column<MembersView['members'][number]>[] = [
  { title: 'NAME', cell: ({ name }) => orUnknown(name) },
  { title: 'PEER ID', cell: ({ peerId }) => shortPeerId(sanitise(peerId)) },
  { title: 'ROLE', cell: ({ role }) => role },
  { title: 'GROUPS', cell: ({ groups }) => orUnknown(groups.join(', ') || null) },
  { title: 'EXPIRES', cell: ({ expiresMs }) => date(expiresMs) },
  {
    title: 'OFFLINE AT MOST',
    cell: ({ ephemeralMs }) => (ephemeralMs === null ? '-' : formatDuration(ephemeralMs)),
    drop: 1
  }
]

const list = async (context: Context, options: RunningOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.members({}, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.table(columns, view.members, { empty: 'There is no member yet.' })
}
