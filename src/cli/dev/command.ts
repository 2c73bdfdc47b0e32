import { rm } from 'node:fs/promises'
import type { PeersView } from '../../node/api/control-api.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import { selectPeers, wholeNumber } from '../output/peer-rows.ts'
import { peersText } from '../peers/peers-text.ts'
import type { DevNetwork } from './network.ts'

interface DevOptions {
  nodes: number
  dir?: string
  once?: boolean
  json?: boolean
}

/** Each is a process of about 100 MB. */
const maxNodes = 50

const examples = `
A root, a secondary and nodes as real processes on free ports of [::1], with a
name server of their own. One node joins with an invite, the others find the
root through tnr.dev.trustnet.test. On a terminal the table is live until Ctrl-C
stops everything; elsewhere it is printed once.

Examples:
  trustnet dev                three nodes, live table
  trustnet dev --nodes 10
  trustnet dev --once         the table when all are online, then stop
  trustnet dev --dir ./net    keep keys and databases, go on with them next time`

export const addDev: AddCommand = (program, context) => {
  program
    .command('dev')
    .description('a whole network on this machine, from nothing')
    .option('--nodes <n>', 'nodes beside root and secondary', wholeNumber('--nodes'), 3)
    .option('--dir <folder>', 'keep the state in this folder')
    .option('--once', 'print the table when all are online, stop everything, exit')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((options: DevOptions) => dev(context, options))
}

const dev = async (context: Context, options: DevOptions): Promise<void> => {
  if (options.nodes > maxNodes)
    throw new UsageError(`--nodes is at most ${maxNodes}: each node is a process of its own.`)
  const { terminal, signal } = context
  const live = terminal.isTTY && options.once !== true
  // Its table is all that it is for.
  if (!live) context.conduct('changes')
  const progress = (line: string): void => terminal.progress(terminal.paintProgress('dim', line))
  const { DevNetwork: Network } = await import('./network.ts')
  const network = await Network.open({ nodes: options.nodes, dir: options.dir, env: terminal.env, signal, progress })
  const { folder } = network.layout
  let clean = false
  try {
    const view = await breakable(signal, network.start(), 'all of it was stopped')
    if (live) await watch(context, network, options)
    else show(context, view, options)
    clean = true
  } finally {
    // The terminal has echoed ^C; the word is written over it.
    if (signal.aborted) progress(terminal.stderr.isTTY === true ? '\rstopping' : 'stopping')
    await network[Symbol.asyncDispose]()
    if (options.dir === undefined && (clean || signal.aborted)) await rm(folder, { recursive: true, force: true })
    else progress(`state and logs are kept in ${folder}`)
  }
}

const show = (context: Context, view: PeersView, options: DevOptions): void => {
  const { rows, kept } = selectPeers(view.peers, {})
  if (options.json === true) context.terminal.json({ ...view, peers: rows })
  else context.terminal.print(peersText(context, view, rows, kept, {}))
}

const watch = async (context: Context, network: DevNetwork, options: DevOptions): Promise<void> => {
  const { terminal } = context
  const { folder } = network.layout
  // `npm start` is how most people come here, and then nothing has put trustnet on their PATH.
  const program = terminal.env['npm_lifecycle_event'] === undefined ? 'trustnet' : 'npx trustnet'
  const notices = [
    '',
    'Ctrl-C stops all. In another terminal:',
    `  TRUSTNET_HOME=${folder} ${program} peers --node node-1`
  ]
  const draws = options.json !== true
  network.onDeath((message) => (draws ? notices.push('', ...message.split('\n')) : terminal.progress(message)))
  if (draws) terminal.progress('')
  const { watchPeers } = await import('../peers/watch.ts')
  await watchPeers(context, network.client, draws ? {} : { json: true }, notices)
  if (!context.signal.aborted) throw new ExitError(exitCodes.failure, `The root is gone; ${network.logs()}`)
}
