import { Option } from 'commander'
import { type Role, roles } from '../../identity/role.ts'
import type { ControlApi, LookupQuery, LookupView, PeerRow } from '../../node/api/control-api.ts'
import { peerStates } from '../../node/api/words.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { choice, oldRoles } from '../output/choice.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes, UsageError } from '../output/exit.ts'
import { peerColumns } from '../output/peer-columns.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { serviceName } from '../service/service-name.ts'
import { peerName } from './peers.ts'

type LookupOptions = RunningOptions & {
  role?: Role
  service?: string
  tag?: string
  healthy?: boolean
  state?: LookupQuery['state']
  limit?: number
  remote?: boolean
  long?: boolean
}

const examples = `
Examples:
  trustnet lookup --role root            the root
  trustnet lookup root --long            by name, PeerId or the end of a PeerId
  trustnet lookup --state online         everybody who is there
  trustnet lookup --service web --healthy
  trustnet lookup --role root --remote   ask the registry, not the own replica

--service NAME finds members that announce it (trustnet service add), with
--healthy those whose node is there, whose check does not fail and that are not
under maintenance.`

export const addLookup: AddCommand = (program, context) => {
  withRunning(program.command('lookup [peer]'))
    .description('find members by name, PeerId, role, service or state')
    .addOption(choice('--role <role>', 'of this role', Object.keys(roles), oldRoles))
    .addOption(new Option('--state <state>', 'in this state').choices([...peerStates]))
    .option('--service <service>', 'that announce this service', serviceName)
    .option('--tag <tag>', 'where that service has this tag')
    .option('--healthy', 'where that service may be called now')
    .option('--limit <n>', 'at most so many rows', wholeNumber('--limit'))
    .option('--remote', 'ask the registry that holds the lease')
    .option('-l, --long', 'all columns, whole PeerIds')
    .addHelpText('after', examples)
    .action((peer: string | undefined, options: LookupOptions) => lookUp(context, peer, options))
}

/** Rows asked for at a time: the largest page a registry gives. */
const pageRows = 500

const lookUp = async (context: Context, peer: string | undefined, options: LookupOptions): Promise<void> => {
  if (options.service === undefined && (options.tag !== undefined || options.healthy === true))
    throw new UsageError('--tag and --healthy are of a service: name it with --service.')
  const client = await running(context, options)
  const query: LookupQuery = {
    peer: peer === undefined ? undefined : peerName(peer),
    role: options.role,
    state: options.state,
    service: options.service,
    tag: options.tag,
    healthy: options.healthy,
    remote: options.remote
  }
  const view = await allPages(client, query, options.limit ?? Number.POSITIVE_INFINITY, context.signal)
  if (options.json === true) context.terminal.json(view)
  else {
    const { paint, width } = context.terminal
    const columns = peerColumns({
      now: Date.now(),
      paint,
      long: options.long === true,
      width,
      service: options.service
    })
    context.terminal.table(columns, view.rows, { empty: 'No member fits.', all: options.long === true })
  }
  if (view.rows.length === 0) context.exit(exitCodes.noMatch)
}

const allPages = async (
  client: ControlApi,
  query: LookupQuery,
  limit: number,
  signal: AbortSignal
): Promise<LookupView> => {
  const rows: PeerRow[] = []
  let after: string | null = null
  for (;;) {
    const wanted = Math.min(pageRows, limit - rows.length)
    const page: LookupView = await client.lookup({ ...query, limit: wanted, after: after ?? undefined }, { signal })
    rows.push(...page.rows)
    after = page.next
    if (after === null || rows.length >= limit) return { ...page, rows, next: after }
  }
}
