import type { Command } from 'commander'
import type { RotateIdentityView } from '../../node/api/control-api.ts'
import { NothingRunningError } from '../../node/api/errors.ts'
import { loadedConfig } from '../access/config-source.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { becomeOwner, ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { orUnknown, sanitise } from '../output/text.ts'
import { peerName } from './peers.ts'
import { waysText } from './why-text.ts'

const examples = `
Examples:
  trustnet identity            PeerId, addresses, network and its fingerprint
  trustnet identity rotate     another key; name, role and membership stay
  trustnet identity --json`

const rotateNotes = `
The log says that the new key takes the place of the old one, signed by both:
name, role and membership stay. The process goes on; its connections begin anew
with the new PeerId. The old key is void for ever, also for whoever has a copy.
`

export const addIdentity: AddCommand = (program, context) => {
  const identity = program.command('identity')
  withRunning(identity)
    .description('who this node is: PeerId, key file, multiaddrs, network')
    .addHelpText('after', examples)
    .action((options: RunningOptions) => showIdentity(context, options))
  identity
    .command('rotate')
    .description('give this node another key; the old one is void')
    .option('--plan', 'say what would happen, and change nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', rotateNotes + exampleOf('trustnet identity rotate --plan', 'trustnet identity rotate'))
    .action(async (_, command: Command) => {
      await rotate(context, command.optsWithGlobals<RunningOptions & { plan?: boolean }>())
    })
  withRunning(program.command('why <peer>'))
    .description('why a peer is in the state it is in, and what to do')
    .addHelpText('after', `\nExits with 5 when a check fails.\n${exampleOf('trustnet why hal')}`)
    .action((peer: string, options: RunningOptions) => showWhy(context, peer, options))
}

const showIdentity = async (context: Context, options: RunningOptions): Promise<void> => {
  const { terminal } = context
  const view = await runningIdentity(context, options)
  if (view === undefined) return showKeyFile(context, options)
  if (options.json === true) return terminal.json(view)
  const { network } = view
  terminal.print(`Name         ${orUnknown(view.name)}`)
  terminal.print(`PeerId       ${sanitise(view.peerId)}`)
  terminal.print(`Role         ${view.role}`)
  terminal.print(`Key file     ${view.keyFile}`)
  terminal.print(`Network      ${network === null ? 'none yet' : `${sanitise(network.domain)}, ${network.id}`}`)
  terminal.print(`Fingerprint  ${orUnknown(network?.fingerprint)}`)
  terminal.print(`Addresses    ${view.multiaddrs.map(sanitise).join('\n             ') || '-'}`)
}

const rotate = async (context: Context, options: RunningOptions & { plan?: boolean }): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view: RotateIdentityView = await client.rotateIdentity({ plan: options.plan }, { signal })
  if (options.json === true) return terminal.json(view)
  terminal.print(`${orUnknown(view.name)} ${sanitise(view.peerId)}: ${sanitise(view.message)}`)
  if (view.newPeerId !== null) terminal.print(`PeerId  ${sanitise(view.newPeerId)}`)
}

const runningIdentity = async (context: Context, options: RunningOptions) => {
  try {
    const client = await running(context, options)
    return await client.identity({}, { signal: context.signal })
  } catch (error) {
    if (error instanceof NothingRunningError) return undefined
    throw error
  }
}

/** With nothing running the key file still says who this would be. */
const showKeyFile = async (context: Context, options: RunningOptions): Promise<void> => {
  const loaded = await loadedConfig(context, options)
  const { config } = loaded
  const [{ peerIdText }, { loadKey }] = await Promise.all([
    import('../../identity/keys.ts'),
    import('../../identity/key-file.ts')
  ])
  // A key is read by its owner alone.
  becomeOwner(ownerOf(loaded))
  const peerId = peerIdText(loadKey(config.paths.key).publicKey)
  const { terminal } = context
  terminal.progress('Nothing runs here: this is what the key file says.')
  if (options.json === true) {
    terminal.json({
      peerId,
      name: config.name,
      role: config.role,
      keyFile: config.paths.key,
      running: false
    })
  } else {
    terminal.print(`Name         ${config.name}\nPeerId       ${peerId}\nKey file     ${config.paths.key}`)
  }
}

const showWhy = async (context: Context, peer: string, options: RunningOptions): Promise<void> => {
  const { terminal } = context
  const client = await running(context, options)
  const view = await client.why({ peer: peerName(peer) }, { signal: context.signal })
  if (options.json === true) return terminal.json(view)
  terminal.print(`${terminal.paint('bold', orUnknown(view.name))} ${sanitise(view.peerId)}`)
  terminal.print(sanitise(view.summary))
  for (const { what, ok, detail } of view.checks) {
    const mark =
      ok === null ? terminal.paint('dim', '?') : ok ? terminal.paint('good', 'yes') : terminal.paint('bad', 'no')
    terminal.print(`  ${mark}  ${sanitise(what)}: ${sanitise(detail)}`)
  }
  for (const line of waysText(view, Date.now())) terminal.print(line)
  if (view.next !== null) terminal.print(`Next: ${sanitise(view.next)}`)
  if (view.checks.some(({ ok }) => ok === false)) context.exit(exitCodes.degraded)
}
