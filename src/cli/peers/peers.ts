import { type Command, Option } from 'commander'
import { roles } from '../../identity/role.ts'
import type { ControlApi } from '../../node/api/control-api.ts'
import { peerSources, peerStates } from '../../node/api/words.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { listed } from '../output/choice.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes, UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { type PeerFilter, selectPeers, sortKeys, wholeNumber } from '../output/peer-rows.ts'
import { bareAddress, orUnknown, plural, roundTrip, sanitise } from '../output/text.ts'
import { serviceName } from '../service/service-name.ts'
import { type Day, type PeersOptions, peersText } from './peers-text.ts'

const examples = `
Examples:
  trustnet peers                          who is there, who is down, why
  trustnet peers --state suspect,offline  only those who are not there
  trustnet peers --role root,secondary    the registries
  trustnet peers --service web --healthy  those that can be called now
  trustnet peers --watch                  go on; on a pipe JSON lines of changes
  trustnet peers --matrix                 who reaches whom
  trustnet peers --compare root,self      whose view differs
  trustnet peers connect /ip6/2001:db8::1/tcp/9000`

export const addPeers: AddCommand = (program, context) => {
  const peers = withRunning(program.command('peers [node]'))
    .description('list the members: state, age, address, how they were learned')
    .option('-l, --long', 'whole PeerIds, the last day, streams, bytes and services')
    .option('-w, --watch', 'go on and show every change')
    .addOption(listed('--state <states>', 'only these states, by comma', peerStates))
    .addOption(listed('--role <roles>', 'only these roles', Object.keys(roles)))
    .addOption(listed('--source <sources>', 'only those learned so', peerSources))
    .option('--service <service>', 'only those that announce this service', serviceName)
    .option('--tag <tag>', 'where that service has this tag')
    .option('--healthy', 'where that service may be called now')
    .option('--name <text>', 'only names that contain this')
    .addOption(new Option('--sort <key>', 'order').choices([...sortKeys]))
    .option('--matrix', 'who reaches whom, as they say; of many the worst')
    .option('--compare <names>', 'where the views of these differ: root,secondary,self')
    .option('--limit <n>', 'at most so many rows', wholeNumber('--limit'))
    .option('-a, --all', 'also members not seen for 7 days')
    .addHelpText('after', examples)
    .action((node: string | undefined, options: PeersOptions) => {
      checkFilter(options)
      checkService(options)
      return showPeers(context, node === undefined ? options : { ...options, node })
    })
  withRunning(peers.command('connect <peer>'))
    .description('connect now to a member, or to an address')
    .addHelpText('after', exampleOf('trustnet peers connect hal', 'trustnet peers connect /ip6/2001:db8::1/tcp/9000'))
    .action((multiaddr: string, _: RunningOptions, command: Command) =>
      connectPeer(context, multiaddr, command.optsWithGlobals<RunningOptions>())
    )
  withRunning(peers.command('disconnect <peer>'))
    .description('close the connections to a peer')
    .addHelpText('after', exampleOf('trustnet peers disconnect hal'))
    .action((peer: string, _: RunningOptions, command: Command) =>
      disconnectPeer(context, peer, command.optsWithGlobals<RunningOptions>())
    )
}

/** @throws UsageError for a word that is none of a list's */
export const checkFilter = (options: PeerFilter): void => {
  check('state', options.state, peerStates)
  check('role', options.role, Object.keys(roles))
  check('source', options.source, peerSources)
}

const checkService = ({ service, tag, healthy }: PeerFilter): void => {
  if (service === undefined && (tag !== undefined || healthy === true))
    throw new UsageError('--tag and --healthy are of a service: name it with --service.')
}

const check = (option: string, list: string | undefined, allowed: readonly string[]): void => {
  const wrong = list?.split(',').find((part) => !allowed.includes(part))
  if (wrong === undefined) return
  throw new UsageError(`--${option} knows ${allowed.join(', ')}; '${sanitise(wrong)}' is none of them.`)
}

const showPeers = async (context: Context, options: PeersOptions): Promise<void> => {
  const client = await running(context, options)
  if (options.matrix === true) {
    const { showMatrix } = await import('./matrix.ts')
    await showMatrix(context, client, options)
    return
  }
  if (options.compare !== undefined) {
    const { showComparison } = await import('./compare.ts')
    await showComparison(context, client, { ...options, compare: options.compare })
    return
  }
  if (options.watch === true) {
    const { watchPeers } = await import('./watch.ts')
    await watchPeers(context, client, options)
    return
  }
  const view = await client.peers({}, { signal: context.signal })
  const { rows, kept } = selectPeers(view.peers, options)
  if (options.json === true) context.terminal.json({ ...view, peers: rows })
  else {
    const day = options.long === true ? await lastDay(context, client) : undefined
    context.terminal.print(peersText(context, view, rows, kept, { ...options, day }))
  }
  if (rows.length === 0) context.exit(exitCodes.noMatch)
}

/** undefined: the process has no network yet. */
const lastDay = async ({ signal }: Context, client: ControlApi): Promise<Day | undefined> => {
  const view = await client.timeline({}, { signal }).catch(() => undefined)
  return view && new Map(view.members.map(({ peerId, up }) => [peerId, up]))
}

/** Signs that no name and no PeerId has, and every address. */
const addressSigns = /[/:]/

const connectPeer = async (context: Context, given: string, options: RunningOptions): Promise<void> => {
  const client = await running(context, options)
  const { dialAddress } = await import('../../address/spelling.ts')
  const asked = addressSigns.test(given) ? { multiaddr: dialAddress(given) } : { peer: peerName(given) }
  const view = await client.connect(asked, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  const who = view.member ? `member ${orUnknown(view.name)}` : 'not a member: it gets hello and identify only'
  context.terminal.print(
    `Connected to ${sanitise(view.peerId)} at ${bareAddress(view.address)}, ${who}, RTT ${roundTrip(view.rttUs)}`
  )
}

const disconnectPeer = async (context: Context, peer: string, options: RunningOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.disconnect({ peer: peerName(peer) }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.print(
    `Closed ${plural(view.closed, 'connection')} to ${orUnknown(view.name)} ${sanitise(view.peerId)}; it may be dialled again`
  )
}

/** A shortened PeerId may be pasted from a table with its leading …. */
export const peerName = (text: string): string => text.replace(/^…/, '')
