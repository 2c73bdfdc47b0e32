import type { Duplex } from 'node:stream'
import { controlUpgrade } from '../../node/api/client.ts'
import type { ForwardsView } from '../../node/api/control-api.ts'
import { fromPieces } from '../../node/forward/pieces.ts'
import { type RunningOptions, running, runningSocket, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import type { Column } from '../output/table.ts'
import { bytes, sanitise } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'
import { serviceName } from '../service/service-name.ts'

type ExposeOptions = RunningOptions & { to?: string; remove?: boolean }
type ForwardOptions = RunningOptions & { any?: boolean }

const exposeNotes = `
Members may call it as the policy of the network allows; without rules in it all
of them may. It lasts until it is removed. Without a name: what is exposed, and
who uses it.

Examples:
  trustnet expose ssh --to [::1]:22
  trustnet expose app --to unix:/run/app.sock
  trustnet expose ssh --remove
  trustnet expose`

export const addExpose: AddCommand = (program, context) => {
  withRunning(program.command('expose [name]'))
    .description('let members call a service of this machine')
    .option('--to <address>', '[::1]:PORT or unix:PATH; default: the port of the announced service of that name')
    .option('--remove', 'expose it no longer; ends its forwards')
    .addHelpText('after', exposeNotes)
    .action((name: string | undefined, options: ExposeOptions) =>
      expose(context, name === undefined ? name : serviceName(name), options)
    )
}

const expose = async (context: Context, name: string | undefined, options: ExposeOptions): Promise<void> => {
  const { terminal, signal } = context
  if (name === undefined && (options.to !== undefined || options.remove === true))
    throw new UsageError(
      `Name the service: trustnet expose NAME ${options.remove === true ? '--remove' : '--to [::1]:PORT'}`
    )
  const client = await running(context, options)
  if (name === undefined) {
    show(context, await client.forwards({}, { signal }), options)
    return
  }
  const view =
    options.remove === true
      ? await client.unexpose({ name }, { signal })
      : await client.expose({ name, to: options.to }, { signal })
  if (options.json === true) terminal.json(view)
  else terminal.print(`${sanitise(view.name)} (${sanitise(view.to)}): ${sanitise(view.message)}`)
}

type Live = ForwardsView['live'][number]
const columns: Column<Live>[] = [
  { title: 'SERVICE', cell: ({ service }) => sanitise(service) },
  { title: 'MEMBER', cell: ({ name, peerId }) => sanitise(name ?? peerId) },
  { title: 'DIR', cell: ({ direction }) => direction },
  { title: 'IN', cell: ({ bytesIn }) => bytes(bytesIn), right: true },
  { title: 'OUT', cell: ({ bytesOut }) => bytes(bytesOut), right: true },
  { title: 'WAITING', cell: ({ waitingBytes }) => bytes(waitingBytes), right: true, drop: 1 }
]

const show = ({ terminal }: Context, view: ForwardsView, { json }: RunningOptions): void => {
  if (json === true) {
    terminal.json(view)
    return
  }
  for (const { name, to } of view.exposed) terminal.print(`exposed   ${sanitise(name)} at ${sanitise(to)}`)
  for (const { address, peer, service } of view.listeners)
    terminal.print(`listening ${sanitise(address)} for ${sanitise(peer ?? 'any')}/${sanitise(service)}`)
  if (view.exposed.length === 0) terminal.progress('Nothing is exposed: trustnet expose NAME --to [::1]:PORT')
  terminal.table(columns, view.live, { empty: 'No service is in use now.' })
}

const forwardNotes = `
Listens on this machine and prints the address, until the command ends; why a
connection came to nothing is a line on standard error. With \`-\` the service is
standard input and output.

Examples:
  trustnet forward db-1/postgres
  trustnet forward db-1/postgres 5432
  trustnet forward --any web [::1]:8080
  ssh -o ProxyCommand='trustnet forward %h/ssh -' hal`

export const addForward: AddCommand = (program, context) => {
  withRunning(program.command('forward <service> [listen]'))
    .description('call a service of another member: MEMBER/SERVICE')
    .option('--any', 'of any member that is up and has the service; another one when it dies')
    .addHelpText('after', forwardNotes)
    .action((service: string, listen: string | undefined, options: ForwardOptions) =>
      forward(context, calledIn(service, options), listen, options)
    )
}

interface Called {
  peer?: string
  service: string
}

/** @throws UsageError */
const calledIn = (text: string, { any }: ForwardOptions): Called => {
  const [first = '', second, ...more] = text.split('/')
  if (any === true && second === undefined && first !== '') return { service: serviceName(first) }
  if (any !== true && first !== '' && second !== undefined && second !== '' && more.length === 0)
    return { peer: peerName(first), service: serviceName(second) }
  const right = any === true ? 'trustnet forward --any SERVICE' : 'trustnet forward MEMBER/SERVICE'
  throw new UsageError(`'${sanitise(text)}' names no service of a member: ${right}`)
}

const forward = async (
  context: Context,
  called: Called,
  listen: string | undefined,
  options: ForwardOptions
): Promise<void> => {
  const path = await runningSocket(context, options)
  const query = new URLSearchParams({ ...called, ...(listen !== '-' && { listen: listen ?? '' }) })
  try {
    const socket = await controlUpgrade({ path }, `forward?${query}`, context.signal)
    socket.on('error', () => {})
    context.signal.addEventListener('abort', () => socket.destroy(), { once: true })
    if (listen === '-') await carry(context, socket)
    else await tell(context, socket, options)
  } catch (error) {
    if (!context.signal.aborted) throw error
  }
}

/** Bytes of standard input and output, until the service ends. */
const carry = async ({ terminal, signal }: Context, socket: Duplex): Promise<void> => {
  terminal.stdin.pipe(socket)
  try {
    for await (const chunk of fromPieces(socket)) {
      terminal.bytes(chunk)
      await terminal.stdout.flushed?.()
    }
  } catch {
    if (!signal.aborted)
      throw new ExitError(
        exitCodes.timeout,
        'The forward was cut off: the member, the service or this node has ended it.'
      )
  } finally {
    terminal.stdin.unpipe(socket)
  }
}

/** Lines of the process: the address first, then what failed. */
const tell = async ({ terminal, signal }: Context, socket: Duplex, { json }: ForwardOptions): Promise<void> => {
  let rest = ''
  for await (const text of socket.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const said: { address?: string; failed?: { message: string } } = JSON.parse(line)
      if (json === true) terminal.jsonLine(said)
      else if (said.address !== undefined) terminal.print(sanitise(said.address))
      else terminal.progress(sanitise(said.failed?.message ?? line))
    }
  }
  if (!signal.aborted)
    throw new ExitError(exitCodes.timeout, 'The process of this node has ended, and the forward with it.')
}
