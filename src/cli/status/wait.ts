import { setTimeout as sleep } from 'node:timers/promises'
import { Option } from 'commander'
import type { ControlApi, Phase, StatusView } from '../../node/api/control-api.ts'
import { NothingRunningError } from '../../node/api/errors.ts'
import { phases, statusWords } from '../../node/api/words.ts'
import { parseDuration } from '../../node/config/durations.ts'
import { either } from '../../runtime/abort.ts'
import { longestTimerMs } from '../../runtime/sleep.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { changes } from '../output/changes.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { sanitise } from '../output/text.ts'
import { serviceName } from '../service/service-name.ts'

type WaitOptions = RunningOptions & {
  phase?: Phase
  status?: string
  member?: boolean
  online?: number
  head?: number
  service?: string
  timeout: number
}

const examples = `
Waits until all that is asked holds; exit 7 when the time is over first.

Examples:
  trustnet wait                        until the node is healthy, at most 60 s
  trustnet wait --member               until it is admitted
  trustnet wait --phase autonomous --timeout 5m
  trustnet wait --service db           until somebody offers it, healthy
  trustnet wait --online 5             until 5 members are online, self included`

const timeout = (text: string): number => {
  const ms = parseDuration(text)
  if (ms === undefined || ms > longestTimerMs)
    throw new UsageError(`--timeout needs a duration like 30s or 5m, of 24d at most; '${text}' is none.`)
  return ms
}

export const addWait: AddCommand = (program, context) => {
  withRunning(program.command('wait'))
    .description('wait for a phase, a status word, the admission, a service or a number of members')
    .addOption(new Option('--phase <phase>', 'this phase or a later one').choices([...phases]))
    .addOption(new Option('--status <word>', 'this status word').choices([...statusWords]))
    .option('--member', 'admitted to the network')
    .option('--online <n>', 'at least so many members online', wholeNumber('--online'))
    .option('--service <name>', 'a member offers this service, and it may be called', serviceName)
    .option('--head <n>', 'the replica has log entry n', wholeNumber('--head', 0))
    .addOption(new Option('--timeout <duration>', 'give up after').argParser(timeout).default(60_000, '60s'))
    .addHelpText('after', examples)
    .action((options: WaitOptions) => wait(context, options))
}

/** A process that is only just starting has no socket yet: looked for so often. */
const retryMs = 200
/** Changes come as events; this is for ages and for what has no event. */
const everyMs = 1000

const wait = async (context: Context, options: WaitOptions): Promise<void> => {
  const late = AbortSignal.timeout(options.timeout)
  const signal = either(context.signal, late)
  let missing = ['a running process']
  let status: StatusView | undefined
  while (!signal.aborted) {
    try {
      const client = await running(context, options)
      for await (const _ of changes(client, { signal, everyMs })) {
        status = await client.status({}, { signal })
        missing = await missingOf(client, status, options, signal)
        // The members may have changed since: what is reported is not older than what was waited for.
        if (missing.length === 0) return report(context, await client.status({}, { signal }), options)
      }
    } catch (error) {
      if (!(error instanceof NothingRunningError) && !signal.aborted) throw error
    }
    await sleep(retryMs, undefined, { signal }).catch(() => undefined)
  }
  context.signal.throwIfAborted()
  throw new ExitError(exitCodes.timeout, `Gave up waiting: still missing ${missing.map(sanitise).join(', ')}.`)
}

const missingOf = async (
  client: ControlApi,
  status: StatusView,
  options: WaitOptions,
  signal: AbortSignal
): Promise<string[]> => {
  const missing: string[] = []
  const asked = [options.phase, options.status, options.member, options.online, options.head, options.service].some(
    (one) => one !== undefined
  )
  const word = options.status ?? (asked ? undefined : 'healthy')
  if (word !== undefined && status.word !== word) missing.push(`status ${word} (is ${status.word}: ${status.summary})`)
  const wanted = options.phase === undefined ? -1 : phases.indexOf(options.phase)
  if (wanted > status.phase.number) {
    missing.push(`phase ${options.phase} (is ${status.phase.name}, needs ${status.phase.missing.join(', ') || 'time'})`)
  }
  if (options.member === true && status.membership.state !== 'member') {
    missing.push(`admission (membership: ${status.membership.state})`)
  }
  if (options.head !== undefined && (status.sync.head ?? -1) < options.head) {
    missing.push(`log entry ${options.head} (has ${status.sync.head ?? 'none'})`)
  }
  if (options.online !== undefined) {
    const { counts, total } = await client.peers({}, { signal })
    if (counts.online < options.online)
      missing.push(`${options.online} members online (${counts.online} of ${total} are)`)
  }
  if (options.service !== undefined && !(await isOffered(client, status, options.service, signal)))
    missing.push(`a member with a healthy service ${options.service}`)
  return missing
}

const isOffered = async (
  client: ControlApi,
  { network }: StatusView,
  service: string,
  signal: AbortSignal
): Promise<boolean> => {
  if (network === null) return false
  const { rows } = await client.lookup({ service, healthy: true, limit: 1 }, { signal })
  return rows.length > 0
}

const report = (context: Context, status: StatusView, options: WaitOptions): void => {
  if (options.json === true) context.terminal.json(status)
  else context.terminal.print(`${status.word}: ${sanitise(status.summary)}`)
}
