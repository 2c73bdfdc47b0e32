import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'
import { peerName } from './peers.ts'

const examples = `
Everybody can compute everybody's address: a /128 in the network's own /48,
made from the PeerId.

Examples:
  trustnet address              this node's
  trustnet address hal          that of a member
  trustnet address --assign eth0`

export const addAddress: AddCommand = (program, context) => {
  withRunning(program.command('address [peer]'))
    .description("print a member's own unique local IPv6 address")
    .option('--assign <interface>', 'put the own address on this interface (needs root)')
    .addHelpText('after', examples)
    .action((peer: string | undefined, options: RunningOptions & { assign?: string }) =>
      address(context, peer, options)
    )
}

const address = async (
  context: Context,
  peer: string | undefined,
  options: RunningOptions & { assign?: string }
): Promise<void> => {
  const { terminal, signal } = context
  if (options.assign !== undefined && peer !== undefined) {
    throw new UsageError('--assign puts the own address on an interface: leave the peer out.')
  }
  const client = await running(context, options)
  const view = await client.address({ peer: peer === undefined ? undefined : peerName(peer) }, { signal })
  if (options.assign !== undefined) await assign(view.address, options.assign, context)
  if (options.json === true) terminal.json(view)
  else terminal.print(sanitise(view.address))
}

/** Words of the program on stderr, of a failed execFile. */
const stderrOf = (error: Error): string => ('stderr' in error ? String(error.stderr).trim() : '')

/** Kernel limit: IFNAMSIZ without its closing zero. A name never begins with -, so ip cannot take it for an option. */
const interfaceName = /^[A-Za-z0-9_.:@][A-Za-z0-9_.:@-]{0,14}$/

const assign = async (text: string, device: string, context: Context): Promise<void> => {
  if (!interfaceName.test(device))
    throw new UsageError(`'${sanitise(device)}' is no name of an interface: \`ip link\` lists them.`)
  // nodad: nobody else can have the address, and it is usable at once. `replace` makes it the same twice.
  const args = ['-6', 'address', 'replace', `${text}/128`, 'dev', device, 'nodad']
  try {
    await promisify(execFile)('ip', args, { timeout: 5000, env: cleanEnvironment() })
    context.terminal.progress(`${text}/128 is on ${device}; it is gone after a reboot.`)
  } catch (error) {
    const why = error instanceof Error ? stderrOf(error) || error.message : String(error)
    throw new ExitError(
      exitCodes.refused,
      `ip ${args.join(' ')} failed: ${sanitise(why)}${/permitted/i.test(why) ? ': run it as root (CAP_NET_ADMIN)' : ''}`
    )
  }
}
