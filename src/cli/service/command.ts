import type { Command } from 'commander'
import type { ServicesView } from '../../node/api/control-api.ts'
import { parseDuration } from '../../node/config/durations.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import type { Column } from '../output/table.ts'
import { age, duration, orUnknown, sanitise } from '../output/text.ts'
import { serviceName } from './service-name.ts'

const notes = `
What is added here stays over restarts; \`services\` of the configuration has
those that are there from the start. A check runs on this machine alone, and the
others are told only when it begins or ceases to pass.

Examples:
  trustnet service add web --port 8080 --tag blue
  trustnet service add db --port 5432 --check tcp --every 30s
  trustnet service add api --port 8080 --check 'http://[::1]:8080/health'
  trustnet service list
  trustnet lookup --service web --healthy`

export const addService: AddCommand = (program, context) => {
  const service = program
    .command('service')
    .description('services that this node offers to the others')
    .addHelpText('after', notes)
  addAdd(service, context)
  withRunning(service.command('list'))
    .description('what this node offers, and what its checks say')
    .addHelpText('after', exampleOf('trustnet service list', 'trustnet service list --json'))
    .action((options: RunningOptions) => list(context, options))
  withRunning(service.command('remove <name>'))
    .description('announce a service no more that was added with `add`')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText('after', exampleOf('trustnet service remove web'))
    .action(async (name: string, options: RunningOptions & { plan?: boolean }) => {
      const client = await running(context, options)
      const view = await client.removeService(
        { name: serviceName(name), plan: options.plan },
        { signal: context.signal }
      )
      if (options.json === true) context.terminal.json(view)
      else context.terminal.print(sanitise(view.message))
    })
}

type AddOptions = RunningOptions & { port: number; udp?: boolean; tag?: string[]; check?: string; every?: number }

const each = (value: string, before: string[] = []): string[] => [...before, value]

const addAdd = (service: Command, context: Context): void => {
  withRunning(service.command('add <service>'))
    .description('announce a service of this machine')
    .requiredOption('--port <n>', 'its port', wholeNumber('--port', 1, 65_535))
    .option('--udp', 'it speaks UDP; default: TCP')
    .option('--tag <tag>', 'a word by which it is found; may be given more than once, 8 at most', each)
    .option('--check <check>', 'tcp, or http://[::1]:PORT/PATH; default: none')
    .option('--every <duration>', 'time between two checks; default: 10s', every)
    .addHelpText('after', exampleOf('trustnet service add web --port 8080 --check tcp'))
    .action(async (name: string, options: AddOptions) => {
      const { port, udp, tag: tags, check, every: everyMs } = options
      const wanted = {
        name: serviceName(name),
        port,
        protocol: udp === true ? 'udp' : undefined,
        tags,
        check,
        everyMs
      } as const
      const client = await running(context, options)
      const view = await client.addService(wanted, { signal: context.signal })
      if (options.json === true) context.terminal.json(view)
      else context.terminal.print(sanitise(view.message))
    })
}

const every = (text: string): number => {
  const ms = parseDuration(text)
  if (ms === undefined || ms < 1000 || ms > 86_400_000)
    throw new UsageError(`--every needs a duration of 1s to 1d; '${sanitise(text)}' is none.`)
  return ms
}

type Row = ServicesView['services'][number]

const columns: Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => sanitise(name) },
  { title: 'PORT', cell: ({ port, protocol }) => (port === 0 ? protocol : `${port}/${protocol}`) },
  { title: 'TAGS', cell: ({ tags }) => orUnknown(tags.map(sanitise).join(' ') || null), drop: 2 },
  { title: 'STATE', cell: ({ state, refusal }) => (refusal === null ? state : 'not announced') },
  { title: 'CHECK', cell: ({ check, everyMs }) => checkText(check, everyMs), drop: 1 },
  { title: 'RESULT', cell: (row) => resultText(row) },
  { title: 'FROM', cell: ({ source }) => source, drop: 3 }
]

const checkText = (check: string | null, everyMs: number | null): string =>
  check === null ? orUnknown(null) : `${sanitise(check)} every ${duration(everyMs)}`

const resultText = ({ refusal, result, checkedAgeMs }: Row): string => {
  if (refusal !== null) return sanitise(refusal)
  return result === null ? orUnknown(null) : `${sanitise(result)} ${age(checkedAgeMs)} ago`
}

const list = async (context: Context, options: RunningOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.services({}, { signal })
  if (options.json === true) return terminal.json(view)
  terminal.table(columns, view.services, { empty: 'This node offers nothing: trustnet service add NAME --port N' })
  if (view.maintenance === null) return
  const { reason } = view.maintenance
  terminal.progress(
    `This node is under maintenance${reason === '' ? '' : ` (${sanitise(reason)})`}: none of them is listed as healthy. When it is over: trustnet maintenance off`
  )
}
