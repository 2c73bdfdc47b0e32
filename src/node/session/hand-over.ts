import { keyId } from '../../identity/key-id.ts'
import type { RegistrySession } from '../../protocols/register/index.ts'
import type { Replica } from '../../registry/log/replica.ts'
import { onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { isDecided } from '../../runtime/failures.ts'
import { sleep } from '../../runtime/sleep.ts'

/** A root that has just started listens for half a minute before it appends. */
const retryMs = 5_000
const mostAtOnce = 1_000
const wakers = ['enforced', 'reset'] as const

export interface HandOverInit {
  replica: Pick<Replica, 'emergency' | 'events'>
  session: Pick<RegistrySession, 'handOver' | 'closed'>
  /** The other side is the root. */
  toRoot: boolean
  logger: Logger
}

/**
 * Gives a registry what this replica keeps and the log does not have: to every one the revokes by the authority, to the root also entries
 * that a new epoch made void. What is not taken now is given again, and what comes is given at once, for as long as the session lasts.
 */
export async function handOver({ replica, session, toRoot, logger }: HandOverInit): Promise<void> {
  const { emergency, events } = replica
  const over = new AbortController()
  inBackground(
    session.closed.then(() => over.abort(new Error('the session is over'))),
    'ending the hand-over'
  )
  const given = new Set<string>()
  const wakes = newWakes(over.signal)
  for (const type of wakers) events.addEventListener(type, wakes.wake)
  while (!over.signal.aborted) {
    try {
      const kept = toRoot ? emergency.unsettled() : emergency.after(0, mostAtOnce)
      await giveAll(session, kept, given)
      await wakes.next()
    } catch (error) {
      logger.debug({ error: String(error) }, 'an entry that is not in the log was not taken over: it is given again')
      await sleep(retryMs, over.signal).catch(() => {})
    }
  }
  for (const type of wakers) events.removeEventListener(type, wakes.wake)
}

async function giveAll(
  session: HandOverInit['session'],
  kept: readonly { bytes: Uint8Array }[],
  given: Set<string>
): Promise<void> {
  for (const { bytes } of kept) {
    const name = keyId(bytes)
    if (given.has(name)) continue
    await give(session, bytes)
    given.add(name)
  }
}

async function give(session: HandOverInit['session'], entry: Uint8Array): Promise<void> {
  try {
    await session.handOver(entry)
  } catch (error) {
    if (!isDecided(error)) throw error
  }
}

/** Tells of what happened since it was last asked. */
function newWakes(signal: AbortSignal): { wake: () => void; next: () => Promise<void> } {
  let waiting = Promise.withResolvers<void>()
  const wake = (): void => waiting.resolve()
  onAbort(signal, wake)
  const next = async (): Promise<void> => {
    await waiting.promise
    waiting = Promise.withResolvers()
  }
  return { wake, next }
}
