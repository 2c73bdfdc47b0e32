import { peerIdText } from '../../identity/keys.ts'
import type { RegistrySession } from '../../protocols/register/index.ts'
import { either, within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { PendingError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import { measured } from '../../runtime/trace.ts'
import type { LeaseClientInit, SessionView } from './types.ts'

/** Bounds of the interval that the registry asks for, a number of somebody else. */
const shortestBeatMs = 500
const longestBeatMs = 10 * 60_000
/** Membership is looked at this often, or with each heartbeat when those are more seldom. */
const renewalLookMs = 60_000

type HoldInit = Pick<LeaseClientInit, 'selfRecord' | 'membership' | 'owner' | 'clock' | 'logger' | 'heartbeat'>

/** Beats and renews for as long as the session lives. Rejects with the reason of its end; never resolves. */
export async function hold(
  init: HoldInit,
  view: SessionView,
  firstIntervalMs: number,
  signal: AbortSignal
): Promise<never> {
  const ended = Promise.withResolvers<never>()
  inBackground(
    view.session.closed.then(({ reason }) => ended.reject(new Error(reason))),
    'ending a lease'
  )
  const holder = peerIdText(view.peer.publicKey)
  const onDuplicate = (): void =>
    init.owner.duplicate(`another process with this key asked for the lease, as the registry ${holder} says`)
  view.session.events.addEventListener('duplicate', onDuplicate)
  const over = new AbortController()
  const living = either(signal, over.signal)
  try {
    return await Promise.race([
      ended.promise,
      beat(init, view, firstIntervalMs, living),
      renewInTime(init, view.session, living)
    ])
  } finally {
    over.abort(new Error('the session is over'))
    view.session.events.removeEventListener('duplicate', onDuplicate)
  }
}

const intervalOf = (asked: number): number => Math.min(longestBeatMs, Math.max(shortestBeatMs, asked))

async function beat(init: HoldInit, view: SessionView, firstIntervalMs: number, signal: AbortSignal): Promise<never> {
  const { owner, selfRecord, heartbeat, clock } = init
  let intervalMs = 0
  for (;;) {
    await sleep(intervalMs * (0.9 + Math.random() * 0.2), signal)
    const call = { ...owner.presence(), seq: selfRecord.current?.value.seq ?? 0 }
    const sentAt = performance.now()
    const answer = await view.session.heartbeat(call, { signal: within(heartbeat.timeoutMs, signal) })
    measured('heartbeat', sentAt)
    view.heartbeatAt = clock.monotonic()
    view.leaseMs = answer.leaseMs
    if (answer.checkpoint !== undefined) owner.shown(answer.checkpoint, view.peer, answer.cosignatures)
    if (answer.contested) {
      const holder = peerIdText(view.peer.publicKey)
      owner.duplicate(
        `another process with this key asked for the lease and was refused, as the registry ${holder} says`
      )
    }
    intervalMs = intervalOf(answer.heartbeatMs > 0 ? answer.heartbeatMs : firstIntervalMs)
  }
}

async function renewInTime(init: HoldInit, session: RegistrySession, signal: AbortSignal): Promise<never> {
  const { membership, heartbeat, logger } = init
  const lookMs = Math.min(renewalLookMs, heartbeat.intervalMs)
  for (;;) {
    const request = membership.renewal()
    if (request !== undefined) await renew(request)
    await sleep(request === undefined ? lookMs : renewalLookMs, signal)
  }

  async function renew(request: Uint8Array): Promise<void> {
    try {
      await session.renew(request, { signal })
    } catch (error) {
      if (signal.aborted) throw error
      const isQueued = error instanceof PendingError
      const message = isQueued
        ? 'the renewal of the membership waits for the root'
        : 'the membership was not renewed; it is tried again in a minute'
      logger[isQueued ? 'info' : 'warn']({ error: String(error) }, message)
    }
  }
}
