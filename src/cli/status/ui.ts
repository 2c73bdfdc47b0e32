import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'

const notes = `
The page shows who is connected to whom, the last day, the log, the registries
and this node, as they change. It is served by the HTTP API (http.listen).
`

export const addUi: AddCommand = (program, context) => {
  withRunning(program.command('ui'))
    .description('open the page of a running process in the browser')
    .addHelpText('after', notes + exampleOf('trustnet ui'))
    .action((options: RunningOptions) => ui(context, options))
}

const ui = async (context: Context, options: RunningOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const { http, self } = await client.status({}, { signal })
  if (http === null) {
    throw new UsageError(
      `${self.name ?? 'The process'} serves no page: set http.listen to [::1]:8080 in ${self.configFile ?? 'its configuration'}, then restart it.`
    )
  }
  const address = `${http}/`
  if (options.json === true) terminal.json({ address })
  else terminal.print(address)
  if (hasDesktop(terminal.env) && options.json !== true && terminal.isTTY)
    await openIn('xdg-open', address, terminal.env)
}

/** Variables by which a program finds the desktop, and the browser that its user chose. */
const ofDesktop = [
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'XDG_CURRENT_DESKTOP',
  'DBUS_SESSION_BUS_ADDRESS',
  'BROWSER'
]

type Environment = Readonly<Record<string, string | undefined>>

const hasDesktop = (env: Environment): boolean => env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined

/** The address was printed: a desktop without that program opens nothing. */
const openIn = async (program: string, address: string, env: Environment): Promise<void> => {
  const child = spawn(program, [address], {
    detached: true,
    stdio: 'ignore',
    env: cleanEnvironment({}, { env, also: ofDesktop })
  })
  child.unref()
  await Promise.race([once(child, 'spawn'), once(child, 'error')]).catch(() => undefined)
}
