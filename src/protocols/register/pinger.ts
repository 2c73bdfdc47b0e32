import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { ProtocolLimits } from '../engine/limits.ts'

/** A session as the pinger sees it. */
export interface Pinged {
  /** Sends a ping with this number, and says when the next one is due. */
  ping(number: number, nextMs: number): void
  answered(rttMs: number): void
  unanswered(): void
  /** Nothing at all was heard for this long. */
  silent(ms: number): void
}

interface State {
  number: number
  nextAt: number
  sentAt: number | undefined
  unanswered: number
  heardAt: number
}

/** Interval at which all sessions are looked at. */
const tickMs = 100
/** A look that comes later than this was a stall of this process, which no session is blamed for. */
const stallMs = 500
/** Pings in a row without an answer, after which they come in the usual rhythm again. */
const quickPings = 2

/**
 * Pings every session in turn: often while they are few, seldom when they are many, so that the whole costs the same.
 * One timer for all. An unanswered ping is repeated at once.
 */
export class Pinger {
  readonly #limits: ProtocolLimits['register']
  readonly #clock: Clock
  readonly #silentMs: number
  readonly #sessions = new Map<Pinged, State>()
  #timer: NodeJS.Timeout | undefined
  #tickedAt = 0

  /** `silentMs`: a session that said nothing for so long is given up. */
  constructor(limits: ProtocolLimits['register'], silentMs: number, clock: Clock) {
    this.#limits = limits
    this.#silentMs = silentMs
    this.#clock = clock
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Between two pings of one session, for so many sessions. */
  intervalMs(sessions: number = this.#sessions.size): number {
    const { pingMs, pingMaxMs, pingSessions, pingMaxSessions } = this.#limits
    const share = (sessions - pingSessions) / (pingMaxSessions - pingSessions)
    return Math.round(pingMs + Math.min(1, Math.max(0, share)) * (pingMaxMs - pingMs))
  }

  add(session: Pinged): void {
    const now = this.#clock.monotonic()
    const nextAt = now + Math.random() * this.intervalMs(this.#sessions.size + 1)
    this.#sessions.set(session, { number: 0, nextAt, sentAt: undefined, unanswered: 0, heardAt: now })
    if (this.#timer !== undefined) return
    this.#tickedAt = now
    this.#timer = setInterval(() => this.tick(), tickMs)
    this.#timer.unref()
  }

  remove(session: Pinged): void {
    this.#sessions.delete(session)
    if (this.#sessions.size === 0) this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Something came from the other side: it is alive, whatever it says. */
  heard(session: Pinged): void {
    const state = this.#sessions.get(session)
    if (state !== undefined) state.heardAt = this.#clock.monotonic()
  }

  pong(session: Pinged, number: number): void {
    const state = this.#sessions.get(session)
    if (state?.sentAt === undefined || number !== state.number) return
    const rttMs = this.#clock.monotonic() - state.sentAt
    state.sentAt = undefined
    state.unanswered = 0
    session.answered(rttMs)
  }

  /** Looks at every session once. Runs on its own timer. */
  tick(): void {
    const now = this.#clock.monotonic()
    const lateMs = now - this.#tickedAt - tickMs
    this.#tickedAt = now
    const intervalMs = this.intervalMs()
    for (const [session, state] of this.#sessions) {
      if (lateMs > stallMs) forgive(state, lateMs)
      this.#look(session, state, now, intervalMs)
    }
  }

  #look(session: Pinged, state: State, now: number, intervalMs: number): void {
    if (now - state.heardAt > this.#silentMs) {
      this.#sessions.delete(session)
      session.silent(Math.round(now - state.heardAt))
      return
    }
    if (state.sentAt !== undefined && now - state.sentAt >= this.#limits.pongMs) {
      state.sentAt = undefined
      state.unanswered++
      session.unanswered()
      if (state.unanswered < quickPings) state.nextAt = now
    }
    if (state.sentAt !== undefined || now < state.nextAt) return
    state.number = (state.number % 0xffff_ffff) + 1
    state.sentAt = now
    state.nextAt = now + intervalMs
    session.ping(state.number, intervalMs)
  }
}

/** Forgives what was due while this process stood still: it is not the other side's fault. */
function forgive(state: State, lateMs: number): void {
  state.heardAt += lateMs
  if (state.sentAt !== undefined) state.sentAt += lateMs
}
