import { once } from 'node:events'
import { Option } from 'commander'
import type { Output } from '../../node/api/control-api.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import { selectPeers, wholeNumber } from '../output/peer-rows.ts'
import { peersText } from '../peers/peers-text.ts'
import type { DevNetwork } from './network.ts'
import { putAway } from './put-away.ts'
import type { Relays } from './relay.ts'

interface DevOptions {
  nodes: number
  dir?: string
  once?: boolean
  detach?: boolean
  json?: boolean
}

/** Each is a process of about 100 MB. */
const maxNodes = 50

const examples = `
A root, a secondary and nodes as real processes on free ports of [::1], with a
name server of their own. One node joins with an invite, the others find the
root through tnr.dev.trustnet.test. On a terminal the table is live, and keys
kill, freeze, cut off and bring back a process, or add a node; elsewhere it is
printed once. Ctrl-C, or a signal, stops everything.

Examples:
  trustnet dev                three nodes, live table
  trustnet dev --nodes 10
  trustnet dev --once         the table when all are online, then stop
  trustnet dev --dir ./net    keep keys and databases, go on with them next time
  trustnet dev --dir ./net --detach    leave it running, print an invite line`

export const addDev: AddCommand = (program, context) => {
  program
    .command('dev')
    .description('a whole network on this machine, from nothing')
    .option('--nodes <n>', 'nodes beside root and secondary', wholeNumber('--nodes'), 3)
    .option('--dir <folder>', 'keep the state in this folder')
    .option('--once', 'print the table when all are online, stop everything, exit')
    .addOption(
      new Option('--detach', 'go on in the background, with --dir; print an invite line').conflicts(['once', 'json'])
    )
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((options: DevOptions) => dev(context, options))
}

const dev = async (context: Context, options: DevOptions): Promise<void> => {
  if (options.nodes > maxNodes)
    throw new UsageError(`--nodes is at most ${maxNodes}: each node is a process of its own.`)
  const { terminal, signal } = context
  const { nodes, dir } = options
  if (options.detach === true) {
    if (dir === undefined) throw new UsageError('--detach needs --dir FOLDER: the network is found by it.')
    context.conduct('changes')
    const { detach } = await import('./detach.ts')
    return await detach(context, dir, nodes)
  }
  const isOnce = options.once === true
  context.conduct('changes')
  const progress = (line: string): void => terminal.progress(terminal.paintProgress('dim', line))
  const isLive = !isOnce && options.json !== true && terminal.isTTY && terminal.stdin.isTTY === true
  const { DevNetwork: Network } = await import('./network.ts')
  const relayed = isLive && process.platform === 'linux'
  const network = await Network.open({ nodes, dir, env: terminal.env, signal, progress, relayed })
  const relays = relayed ? await relaysOf(network) : undefined
  let clean = false
  try {
    const view = await breakable(signal, network.start(), 'all of it was stopped')
    // The table is all that --once is for.
    if (!isOnce) context.conduct('runs')
    if (isLive) await watch(context, network, relays)
    else if (isOnce) show(context, view, options)
    else await goOn(context, network, view, options)
    clean = true
  } finally {
    if (!isOnce || signal.aborted) progress('stopping')
    await network[Symbol.asyncDispose]()
    await relays?.[Symbol.asyncDispose]()
    await putAway(context, network.layout.folder, { isOwn: dir === undefined, clean })
  }
}

const relaysOf = async (network: DevNetwork): Promise<Relays> => {
  const { Relays: Stand } = await import('./relay.ts')
  const relays = new Stand(() => network.pids())
  for (const member of network.layout.members) await relays.add(member, () => member)
  return relays
}

const show = (context: Context, view: Output<'peers'>, options: DevOptions): void => {
  const { rows, kept } = selectPeers(view.peers, {})
  if (options.json === true) context.terminal.json({ ...view, peers: rows })
  else context.terminal.print(peersText(context, view, rows, kept, {}))
}

/** Without keys: the table once, or a line of JSON for each change, until a signal. */
const goOn = async (
  context: Context,
  network: DevNetwork,
  view: Output<'peers'>,
  options: DevOptions
): Promise<void> => {
  const { terminal, signal } = context
  network.onDeath((message) => terminal.progress(message))
  if (options.json === true) {
    const { trouble, views } = await tools(network, undefined, signal)
    for await (const now of views(trouble, { signal, everyMs: undefined })) {
      if (now !== undefined) terminal.jsonLine({ ...now, peers: selectPeers(now.peers, {}).rows })
      await terminal.stdout.flushed?.()
      if (terminal.stdout.failure === undefined) continue
      // Whoever reads the lines is gone, and nothing else is wanted of this network.
      context.conduct('changes')
      break
    }
    return
  }
  show(context, view, options)
  terminal.progress(callOf(context, network).join('\n'))
  if (!signal.aborted) await once(signal, 'abort')
}

const watch = async (context: Context, network: DevNetwork, relays: Relays | undefined): Promise<void> => {
  context.terminal.progress('')
  const { live, trouble } = await tools(network, relays, context.signal)
  const mayAdd = (): boolean => network.layout.members.length < maxNodes + 2
  const onDeath = (listener: (message: string) => void): void => network.onDeath(listener)
  const running = () => network.layout.members.find(({ name }) => trouble.stateOf(name) === 'runs')
  await live(context, { trouble, notices: () => callOf(context, network, running()), onDeath, mayAdd })
}

const tools = async (network: DevNetwork, relays: Relays | undefined, signal: AbortSignal) => {
  const [{ Trouble }, { live, views }] = await Promise.all([import('./trouble.ts'), import('./live.ts')])
  return { live, views, trouble: new Trouble(network, relays, signal) }
}

/** Lines that say how its members are asked; the page is that of one which runs. */
const callOf = ({ terminal }: Context, { layout }: DevNetwork, { httpPort } = layout.root): string[] => {
  // `npm start` is how most people come here, and then nothing has put trustnet on their PATH.
  const program = terminal.env['npm_lifecycle_event'] === undefined ? 'trustnet' : 'npx trustnet'
  return [
    '',
    `The network as a page: http://[::1]:${httpPort}/`,
    'Ctrl-C stops all. In another terminal:',
    `  TRUSTNET_HOME=${layout.folder} ${program} peers --node node-1`
  ]
}
