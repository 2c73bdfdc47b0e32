import type { RegistrySession } from '../protocols/register/index.ts'
import type { Logger } from '../registry/ports.ts'
import { isDecided } from '../registry/queue.ts'
import type { Replica } from '../registry/replica.ts'
import { sleep } from './sleep.ts'

/** A root that has just started listens for half a minute before it appends. */
const retryMs = 5_000

/**
 * Gives the root what this replica keeps and the root's log does not have: entries that a new epoch made void, and revokes by the
 * authority. What it does not take now it is given again, for as long as the session lasts.
 */
export async function handOver(
  replica: Pick<Replica, 'unsettled'>,
  session: Pick<RegistrySession, 'handOver' | 'closed'>,
  logger: Logger
): Promise<void> {
  const over = new AbortController()
  void session.closed.then(() => over.abort(new Error('the session is over')))
  while (!over.signal.aborted) {
    try {
      for (const { bytes } of replica.unsettled()) await give(session, bytes)
      return
    } catch (error) {
      logger.debug(
        { error: String(error) },
        'an entry that is not in the log was not taken by the root: it is given again'
      )
    }
    await sleep(retryMs, over.signal).catch(() => {})
  }
}

async function give(session: Pick<RegistrySession, 'handOver'>, entry: Uint8Array): Promise<void> {
  try {
    await session.handOver(entry)
  } catch (error) {
    if (!isDecided(error)) throw error
  }
}
