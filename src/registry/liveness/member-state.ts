import type { Session } from './lease.ts'
import type { Verdict } from './local-health.ts'
import type { State } from './states.ts'
import { type LivenessTimings, lateAfterMs, suspectAfterMs } from './timings.ts'

export interface Judgement {
  readonly state: State
  readonly reason: string
}

export const restarted = 'not heard since this process started'

const inSeconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`

/** Meaning of a session's signs of life while its lease runs; undefined: the lease has run out. */
export const judge = (session: Session, awake: number, t: LivenessTimings): Judgement | undefined => {
  if (session.left !== undefined) return { state: 'left', reason: `left: ${session.left}` }
  if (hasMoved(session, awake, t)) return { state: 'unknown', reason: 'it went to a registry that is not heard' }
  const silentMs = awake - session.beatAt
  if (silentMs >= t.leaseMs) return undefined
  if (session.instance === undefined) return { state: 'unknown', reason: restarted }
  const cause = suspicion(session, awake, t)
  if (cause !== undefined) return { state: 'suspect', reason: cause }
  if (silentMs >= lateAfterMs(t)) return { state: 'late', reason: 'missed 1 heartbeat' }
  return { state: 'online', reason: '' }
}

/** Its lease is held elsewhere, and whoever holds it has had the time to say so: this registry has nothing more to say. */
export const hasMoved = ({ releasedAt }: Session, awake: number, { answerMs }: LivenessTimings): boolean =>
  releasedAt !== undefined && awake - releasedAt >= answerMs

/** The reason why a member is suspect; undefined: it is not. */
const suspicion = (session: Session, awake: number, t: LivenessTimings): string | undefined => {
  if (session.lost !== undefined && awake >= session.excusedUntil) return session.lost
  return unansweredBy(session, t) ?? missedBy(session, awake, t)
}

const unansweredBy = ({ unanswered }: Session, { unansweredPings }: LivenessTimings): string | undefined =>
  unanswered >= unansweredPings ? `no answer to ${unansweredPings} pings` : undefined

const missedBy = ({ beatAt }: Session, awake: number, t: LivenessTimings): string | undefined =>
  awake - beatAt >= suspectAfterMs(t) ? 'missed 2 heartbeats' : undefined

/** Fate of a session whose lease has run out. */
export const judgeLapsed = (session: Session, t: LivenessTimings, verdict: Exclude<Verdict, 'hold'>): Judgement => {
  const silent = `no heartbeat for ${inSeconds(t.leaseMs)}`
  const cause = session.lost ?? unansweredBy(session, t)
  const reason = cause === undefined ? silent : `${cause}, then ${silent}`
  return { state: 'offline', reason: verdict === 'unconfirmed' ? `${unconfirmedPrefix}${reason}` : reason }
}

/** The state of a member whose lease ran out while this registry may itself be cut off. */
export const judgeHeld = (session: Session, doubt: string | undefined): Judgement => {
  const state = session.instance === undefined ? 'unknown' : 'suspect'
  const why = doubt ?? 'its uplink has just come back'
  return { state, reason: `${session.lost ?? 'silent'}; this registry may have been cut off itself (${why})` }
}

/** A hint has no field for it, so the reason carries it. */
const unconfirmedPrefix = 'unconfirmed: '
export const isUnconfirmed = (state: State, reason: string): boolean =>
  state === 'offline' && reason.startsWith(unconfirmedPrefix)
