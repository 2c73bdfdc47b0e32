import { keyId } from '../../identity/key-id.ts'
import type { RegistrySession } from '../../protocols/register/index.ts'
import type { Replica } from '../../registry/log/replica.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { isDecided } from '../../runtime/failures.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'

/** A root that has just started listens for half a minute before it appends. */
const retryMs = 5_000
/** Until the next look when nothing is told: what comes is told at once. */
const lookMs = 60_000
const mostAtOnce = 1_000
const wakers = ['enforced', 'reset'] as const

export interface HandOverInit {
  replica: Pick<Replica, 'authorityRevocations' | 'events'>
  session: Pick<RegistrySession, 'handOver' | 'closed'>
  /** The other side is the root. */
  toRoot: boolean
  logger: Logger
}

/**
 * Gives a registry what this replica keeps and the log does not have: to every one the revokes by the authority, to the root also entries
 * that a new epoch made void. What is not taken now is given again, and what comes is given at once, for as long as the session lasts.
 */
export function handOver(services: Supervisor, { replica, session, toRoot, logger }: HandOverInit): void {
  const { authorityRevocations, events } = replica
  const given = new Set<string>()
  const giving = services.run('entries not in the log', {
    everyMs: lookMs,
    firstMs: 0,
    isPassing: true,
    isToldApart: true,
    round: () =>
      giveAll(session, toRoot ? authorityRevocations.unsettled() : authorityRevocations.after(0, mostAtOnce), given),
    onFailed: (error) => {
      logger.debug({ error: String(error) }, 'an entry that is not in the log was not taken over: it is given again')
      return retryMs
    }
  })
  const wake = (): void => giving.wake()
  for (const type of wakers) events.addEventListener(type, wake)
  const end = async (): Promise<void> => {
    for (const type of wakers) events.removeEventListener(type, wake)
    await giving.stop()
  }
  inBackground(session.closed.then(end), 'ending the hand-over')
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
