import { existsSync, renameSync } from 'node:fs'
import { hasAlarm } from '../registry/alarms.ts'
import type { Clock, Logger } from '../runtime/clock-and-logger.ts'
import { otherHistory } from './session/invited-history.ts'

/** Moves a store out of the way, so that all that it held is fetched anew; gives where it lies now. */
export function putAside(store: string, why: string, clock: Clock): string {
  const aside = `${store}.${why}-${clock.now()}`
  for (const end of ['', '-wal', '-shm']) if (existsSync(store + end)) renameSync(store + end, aside + end)
  return aside
}

/** Puts a store aside whose history was not the one of an earlier invite: whoever has an invite begins anew. */
export function putOtherHistoryAside(store: string, { clock, logger }: { clock: Clock; logger: Logger }): void {
  if (!hasAlarm(store, otherHistory)) return
  const path = putAside(store, 'other', clock)
  logger.warn(
    { path },
    'the history that was held here is not the one that invited this node: it lies aside, and the network is looked for anew'
  )
}
