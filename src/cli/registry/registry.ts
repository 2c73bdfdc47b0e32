import type { Command } from 'commander'
import type { PendingRow, RegistryNodeRow } from '../../node/api/control-api.ts'
import { parseDuration } from '../../node/config/durations.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import { addRegistryStart } from '../network/start.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { stateCell } from '../output/peer-columns.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { age, date, orUnknown, percent, roundTrip, sanitise, shortPeerId } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'
import { addCheckpoint, addWitnessLines } from './checkpoint.ts'
import { addClock } from './clock.ts'
import { addRegistryDiff } from './diff.ts'
import { addEvict } from './evict.ts'
import { addLog } from './log.ts'
import { addMoveRoot } from './move-root.ts'
import { addRegistryAt } from './past.ts'
import { addRegistryRoot } from './root.ts'
import { addRotateLogKey } from './rotate-log-key.ts'
import { addRegistryStores } from './stores.ts'
import { registryText } from './text.ts'
import { addVoid } from './void.ts'

const examples = `
Examples:
  trustnet registry start           run a root or secondary in the foreground
  trustnet registry nodes           leases, heartbeats, uptime
  trustnet registry pending         who waits to be let in
  trustnet registry approve hal
  trustnet registry log --limit 20  the newest entries of the signed log
  trustnet registry at 2d           the network as it was two days ago
  trustnet registry backup          a copy of the database, checked
  trustnet registry verify          all of the database, while stopped`

type ListOptions = RunningOptions & { long?: boolean }

/** Tables leave columns out where the terminal is narrow. */
const withLong = (command: Command): Command => withRunning(command).option('-l, --long', 'all columns')

export const addRegistry: AddCommand = (program, context) => {
  const registry = program
    .command('registry')
    .description('run and look after a registry')
    .addHelpText('after', examples)
  addRegistryStart(registry, context)
  addViews(registry, context)
  addWaiting(registry, context)
  addLog(registry, context)
  addRegistryAt(registry, context)
  addCheckpoint(registry, context)
  addWitnessLines(registry, context)
  addRetire(registry, context)
  addRegistryStores(registry, context)
  addRegistryRoot(registry, context)
  addVoid(registry, context)
  addClock(registry, context)
  addEvict(registry, context)
  addRotateLogKey(registry, context)
  addMoveRoot(registry, context)
  addRegistryDiff(registry, context)
}

const addViews: AddCommand = (registry, context) => {
  withRunning(registry.command('status'))
    .description('log, store, sessions, who appends')
    .addHelpText('after', exampleOf('trustnet registry status'))
    .action((options: RunningOptions) => showRegistry(context, options))
  withLong(registry.command('nodes'))
    .description('what the registry observed of each member')
    .addHelpText('after', exampleOf('trustnet registry nodes --json'))
    .action((options: ListOptions) => showNodes(context, options))
}

/** Commands for joins that wait. */
const addWaiting: AddCommand = (registry, context) => {
  withLong(registry.command('pending'))
    .description('joins that wait for the operator or for the root')
    .addHelpText('after', exampleOf('trustnet registry pending'))
    .action((options: ListOptions) => showPending(context, options))
  withAuthor(withRunning(registry.command('approve <peer>')))
    .description('let a waiting joiner in')
    .addHelpText(
      'after',
      exampleOf('trustnet registry approve hal', 'trustnet registry approve 12D3KooW…  when two wait under one name')
    )
    .action((peer: string, options: RunningOptions) => approve(context, peer, options))
  withAuthor(withRunning(registry.command('reject [peer]')))
    .description('turn a waiting joiner away, or all that fit')
    .option('--reason <text>', 'told to the joiner', 'rejected by the operator')
    .option('--all', 'all that wait')
    .option('--older <duration>', 'all that wait for at least so long')
    .option('--matching <pattern>', 'all whose name fits; * is any text')
    .option('--plan', 'say who would be, and turn nobody away')
    .addHelpText(
      'after',
      exampleOf(
        "trustnet registry reject hal --reason 'not ours'",
        "trustnet registry reject --matching 'bot-*' --older 1h"
      )
    )
    .action((peer: string | undefined, options: RejectOptions) =>
      peer === undefined ? rejectAll(context, options) : reject(context, peer, options)
    )
}

const addRetire: AddCommand = (registry, context) => {
  withAuthor(withRunning(registry.command('retire <peer>')))
    .description('make a secondary an ordinary member, at the root')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText('after', exampleOf('trustnet registry retire tnr-2 --plan', 'trustnet registry retire tnr-2'))
    .action((peer: string, options: RunningOptions & { plan?: boolean }) => retire(context, peer, options))
}

const showRegistry = async (context: Context, options: RunningOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.registryStatus({}, { signal: context.signal })
  if (options.json === true) context.terminal.json(view)
  else context.terminal.print(registryText(view, context.terminal.paint))
}

const nodeColumns = (context: Context, now: number): Column<RegistryNodeRow>[] => [
  { title: 'NAME', cell: ({ name }) => orUnknown(name) },
  { title: 'PEER ID', cell: ({ peerId }) => shortPeerId(sanitise(peerId)) },
  { title: 'STATE', cell: (row) => stateCell(row, now, context.terminal.paint) },
  { title: 'ROLE', cell: ({ role }) => orUnknown(role) },
  { title: 'LEASE', cell: ({ here, registry }) => (here ? 'here' : peerText(registry)), drop: 5 },
  { title: 'HEARTBEAT', cell: ({ heartbeatAgeMs }) => age(heartbeatAgeMs), right: true, drop: 1 },
  { title: 'RTT', cell: ({ rttUs }) => roundTrip(rttUs), right: true, drop: 3 },
  { title: 'UPTIME', cell: ({ uptimePercent }) => percent(uptimePercent), right: true, drop: 2 },
  { title: 'SEQ', cell: ({ seq }) => orUnknown(seq?.toString()), right: true, drop: 7 },
  { title: 'PEERS', cell: ({ connected }) => orUnknown(connected?.toString()), right: true, drop: 6 },
  { title: 'FIRST SEEN', cell: ({ firstSeenMs }) => date(firstSeenMs), drop: 8 },
  { title: 'EXPIRES', cell: ({ membershipExpiresMs }) => date(membershipExpiresMs), drop: 9 },
  { title: 'ADDRESS', cell: ({ address }) => orUnknown(address), drop: 4 }
]

const showNodes = async (context: Context, options: ListOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.registryNodes({}, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.table(nodeColumns(context, Date.now()), view.nodes, {
    empty: 'No member is known yet.',
    all: options.long === true
  })
}

const pendingColumns = (now: number): Column<PendingRow>[] => [
  { title: 'NAME', cell: ({ name }) => orUnknown(name) },
  { title: 'PEER ID', cell: ({ peerId }) => sanitise(peerId) },
  { title: 'ROLE', cell: ({ role }) => role },
  { title: 'ASKED', cell: ({ askedMs }) => `${age(Math.max(0, now - askedMs))} ago` },
  { title: 'WAITS FOR', cell: ({ waitsFor }) => (waitsFor === 'approve' ? 'approval' : 'the root') },
  { title: 'INVITE', cell: ({ withInvite }) => (withInvite ? 'yes' : 'no') },
  { title: 'ADDRESS', cell: ({ address }) => orUnknown(address), drop: 1 }
]

const showPending = async (context: Context, options: ListOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.pending({}, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.table(pendingColumns(Date.now()), view.pending, {
    empty: 'Nobody waits.',
    all: options.long === true
  })
  for (const { name, looksLike } of view.pending) {
    if (looksLike.length > 0)
      context.terminal.print(`${orUnknown(name)} looks like ${sanitise(looksLike.join(', '))}: is it who you think?`)
  }
}

const approve = async (context: Context, peer: string, options: RunningOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.approve({ peer: peerName(peer) }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.print(`${orUnknown(view.name)} ${sanitise(view.peerId)}: ${sanitise(view.message)}`)
}

const retire = async (context: Context, peer: string, options: RunningOptions & { plan?: boolean }): Promise<void> => {
  const client = await running(context, options)
  const view = await client.retireRegistry({ peer: peerName(peer), plan: options.plan }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.print(`${orUnknown(view.name)} ${sanitise(view.peerId)}: ${sanitise(view.message)}`)
}

interface RejectOptions extends RunningOptions {
  reason: string
  all?: boolean
  older?: string
  matching?: string
  plan?: boolean
}

const rejectAll = async (context: Context, options: RejectOptions): Promise<void> => {
  const { older, matching, all, reason, plan } = options
  const olderMs = older === undefined ? undefined : parseDuration(older)
  if (older !== undefined && olderMs === undefined)
    throw new UsageError(`--older needs a duration like 1h; '${sanitise(older)}' is none.`)
  if (all !== true && older === undefined && matching === undefined)
    throw new UsageError('Say whom: NAME or PEERID, --older DURATION, --matching PATTERN, or --all.')
  const client = await running(context, options)
  const view = await client.rejectAll({ olderMs, matching, reason, plan }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  const done =
    plan === true ? 'would be turned away: nothing was changed' : 'turned away; only an invite lets them in from now on'
  context.terminal.print(`${view.rejected} ${done}`)
}

const reject = async (context: Context, peer: string, options: RejectOptions): Promise<void> => {
  if (options.all !== undefined || options.older !== undefined || options.matching !== undefined)
    throw new UsageError('--all, --older and --matching go without a name.')
  const client = await running(context, options)
  const { reason, plan } = options
  const view = await client.reject({ peer: peerName(peer), reason, plan }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.print(`${orUnknown(view.name)} ${sanitise(view.peerId)}: ${sanitise(view.message)}`)
}
