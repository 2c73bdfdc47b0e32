import { Option } from 'commander'
import type { Output } from '../../node/api/control-api.ts'
import { parseDuration } from '../../node/config/durations.ts'
import { sleep } from '../../runtime/sleep.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes, UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { bareAddress, orUnknown, roundTrip, sanitise } from '../output/text.ts'
import { peerName } from './peers.ts'

type PingOptions = RunningOptions & { count: number; interval: number }
type Ping = Output<'ping'>

/** Members take eight pings a second from one peer, and the node has its own. */
const leastMs = 200
const mostMs = 3_600_000
/** Until it is connected to, and has answered. */
const callMs = 30_000

const notes = `
Asks over the connection to the member, or a new one, so it says whether the
network carries anything, not only the machine. Exit code 7: no answer at all.
${exampleOf('trustnet ping hal', 'trustnet ping hal -c 1 --json')}`

export const addPing: AddCommand = (program, context) => {
  withRunning(program.command('ping <peer>'))
    .description('round trips to a member: time, loss, way')
    .option('-c, --count <n>', 'so many', wholeNumber('--count', 1, 100_000), 4)
    .addOption(new Option('-i, --interval <duration>', 'between two of them').argParser(interval).default(1_000, '1s'))
    .addHelpText('after', notes)
    .action((peer: string, options: PingOptions) => ping(context, peerName(peer), options))
}

const interval = (text: string): number => {
  const ms = parseDuration(text)
  if (ms === undefined || ms < leastMs || ms > mostMs)
    throw new UsageError(`--interval is a time from ${leastMs}ms to 1h, like 500ms; '${sanitise(text)}' is none.`)
  return ms
}

const ping = async (context: Context, peer: string, { count, interval: everyMs, ...options }: PingOptions) => {
  const { terminal, signal } = context
  const client = await running(context, options, callMs)
  const isJson = options.json === true
  let all: Ping | undefined
  try {
    for (let n = 1; n <= count; n++) {
      if (n > 1) await sleep(everyMs, signal)
      const one = await client.ping({ peer }, { signal })
      all = all === undefined ? one : together(all, one)
      if (!isJson) terminal.print(lineOf(one, n))
    }
  } finally {
    // Also of what was measured before Ctrl-C.
    if (all !== undefined && isJson) terminal.json(all)
    else if (all !== undefined) terminal.print(`\n${summaryOf(all)}`)
  }
  if (all?.received === 0) context.exit(exitCodes.timeout)
}

/** The second goes on where the first has ended; a way that is known stays. */
const together = (first: Ping, { sent, received, pings, lastError, ...next }: Ping): Ping => ({
  ...first,
  ...(next.address === null ? {} : next),
  sent: first.sent + sent,
  received: first.received + received,
  pings: [...first.pings, ...pings],
  lastError: lastError ?? first.lastError
})

const lineOf = (one: Ping, n: number): string => {
  const us = one.pings[0]?.rttUs ?? null
  const who = orUnknown(one.name)
  if (us === null) return `${who}: seq ${n}, no answer: ${sanitise(one.lastError ?? 'it is lost')}`
  return `${who}: seq ${n}, ${roundTrip(us)}, ${wayOf(one)}`
}

const wayOf = ({ address, direction, relay }: Ping): string => {
  if (address === null) return 'not connected'
  if (relay !== null) return `relayed by ${orUnknown(relay.name)}`
  return `direct, ${direction === 'in' ? 'from' : 'to'} ${bareAddress(address)}`
}

const summaryOf = ({ name, sent, received, pings }: Ping): string => {
  const answered = pings.flatMap(({ rttUs }) => rttUs ?? []).toSorted((a, b) => a - b)
  const lost = `${sent} sent, ${received} received, ${Math.round(((sent - received) / sent) * 100)}% lost`
  if (answered.length === 0) return `${orUnknown(name)}: ${lost}`
  const mean = answered.reduce((sum, us) => sum + us, 0) / answered.length
  const [least = null, most = null] = [answered[0], answered.at(-1)]
  return `${orUnknown(name)}: ${lost}, RTT min ${roundTrip(least)}, mean ${roundTrip(mean)}, max ${roundTrip(most)}`
}
