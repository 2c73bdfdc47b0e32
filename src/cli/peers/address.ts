import { InstallError } from '../../install/errors.ts'
import { type AddressTools, assignAddress, removeAddress } from '../../install/machine/own-address.ts'
import { runCommand } from '../../install/machine/run-command.ts'
import type { AddressView } from '../../node/api/views.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'
import { peerName } from './peers.ts'

const examples = `
Everybody can compute everybody's address: a /128 in the network's own /48,
made from the PeerId. On an interface it serves members on that link.

Examples:
  trustnet address                        this node's
  trustnet address hal                    that of a member
  trustnet address --assign eth0          on an interface, and a route for all
  trustnet address --assign eth0 --persist   and after each boot
  trustnet address --remove`

interface AddressOptions extends RunningOptions {
  readonly assign?: string
  readonly persist?: boolean
  readonly remove?: boolean
}

export const addAddress: AddCommand = (program, context) => {
  withRunning(program.command('address [peer]'))
    .description("print a member's own unique local IPv6 address")
    .option(
      '--assign <interface>',
      "put the own address on this interface, and the network's /48 on its link (needs root)"
    )
    .option('--persist', 'with --assign: a unit of systemd brings both back after a boot')
    .option('--remove', 'take address, route and unit away (needs root)')
    .addHelpText('after', examples)
    .action((peer: string | undefined, options: AddressOptions) => address(context, peer, options))
}

const address = async (context: Context, peer: string | undefined, options: AddressOptions): Promise<void> => {
  const { terminal, signal } = context
  const fault = faultOf(peer, options)
  if (fault !== undefined) throw new UsageError(fault)
  const client = await running(context, options)
  const view = await client.address({ peer: peer === undefined ? undefined : peerName(peer) }, { signal })
  await change(view, options, context)
  if (options.json === true) terminal.json(view)
  else terminal.print(sanitise(view.address))
}

const faultOf = (peer: string | undefined, { assign, persist, remove }: AddressOptions): string | undefined => {
  const isChange = assign !== undefined || remove === true
  if (isChange && peer !== undefined) return '--assign and --remove are for the own address: leave the peer out.'
  if (assign !== undefined && remove === true) return '--assign and --remove: give one of them.'
  return persist === true && assign === undefined ? '--persist goes with --assign INTERFACE.' : undefined
}

const change = async (
  view: AddressView,
  { assign, persist = false, remove = false }: AddressOptions,
  { terminal, signal }: Context
): Promise<void> => {
  const tools: AddressTools = {
    run: async (command) => await runCommand(command, { signal }),
    tell: (text) => terminal.progress(sanitise(text))
  }
  try {
    if (assign !== undefined) await assignAddress(view, { ...tools, device: assign, persist })
    if (remove) {
      const isGone = await removeAddress(view, tools)
      tools.tell(isGone ? `${view.address} is gone from this machine.` : `${view.address} is on no interface here.`)
    }
  } catch (error) {
    if (error instanceof InstallError) throw new ExitError(exitCodes.refused, sanitise(error.message))
    throw error
  }
}
