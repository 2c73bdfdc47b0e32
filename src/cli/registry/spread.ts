import { Option } from 'commander'
import type { ControlApi, EnteredView, SpreadView } from '../../node/api/control-api.ts'
import { parseDuration } from '../../node/config/durations.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { orUnknown, plural, sanitise, shortPeerId } from '../output/text.ts'

const pauseMs = 2_000

/** Option for the time in which a change is followed. */
export const waitOption = (what = 'follow it to the members for so long'): Option =>
  new Option('--wait <duration>', what).argParser(wait).default(30_000, '30s')

const wait = (text: string): number => {
  const ms = parseDuration(text)
  if (ms === undefined) throw new UsageError(`--wait needs a duration like 30s or 5m; '${text}' is none.`)
  return ms
}

/**
 * Follows an entry of the log to the members, and tells who has it. Ends when all that are online have it, when the time is over, or with the signal:
 * the entry is in force all the same.
 */
export async function followSpread(
  { terminal, signal }: Context,
  api: ControlApi,
  { epoch, n }: EnteredView,
  waitMs: number
): Promise<SpreadView> {
  const until = performance.now() + waitMs
  for (let told = -1; ; ) {
    const view = await spreadOnce(api, { epoch, n }, signal)
    const have = view.members.filter(({ has }) => has).length
    if (have !== told) terminal.progress(`${have} of ${view.members.length} members have entry ${n}`)
    told = have
    if (have === view.members.length || performance.now() > until || signal.aborted) return view
    await sleep(pauseMs, signal).catch(() => {})
  }
}

/** The process may be beginning anew. */
async function spreadOnce(
  api: ControlApi,
  place: { epoch: number; n: number },
  signal: AbortSignal
): Promise<SpreadView> {
  try {
    return await api.spread(place, { signal: AbortSignal.timeout(10_000) })
  } catch (error) {
    if (signal.aborted) throw error
    await sleep(pauseMs, signal).catch(() => {})
    return await api.spread(place, { signal: AbortSignal.timeout(10_000) })
  }
}

export function printSpread({ terminal }: Context, { members, n }: SpreadView): void {
  const without = members.filter(({ has }) => !has)
  terminal.print(`Have it    ${members.length - without.length} of ${plural(members.length, 'member')}`)
  for (const { name, peerId, head } of without) {
    const shown = head === null ? 'not heard since the start' : `holds entry ${head}`
    terminal.print(`  not yet  ${orUnknown(name)} ${shortPeerId(sanitise(peerId))}: ${shown}`)
  }
  if (without.length > 0) terminal.print(`They get entry ${n} as soon as they reach a member that has it.`)
}
