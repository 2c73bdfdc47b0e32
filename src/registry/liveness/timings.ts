/** Every duration and threshold of liveness, in ms unless said otherwise. */
export interface LivenessTimings {
  /** Between two heartbeats of a member. */
  readonly heartbeatMs: number
  /** Share by which a member varies its interval. */
  readonly heartbeatJitter: number
  /** Until a heartbeat that is on its way counts as missed. */
  readonly answerMs: number
  /** After the last heartbeat; the authority on who is offline. */
  readonly leaseMs: number
  /** Unanswered pings in a row that make a member suspect. */
  readonly unansweredPings: number
  /** Between two looks at the leases. */
  readonly tickMs: number
  /** A longer gap between two looks was a stall of this process, which nobody is blamed for. */
  readonly stallMs: number
  /** More leases than max(`massLeases`, `massShare` of all) that lapse within `massWindowMs` point at this registry itself. */
  readonly massWindowMs: number
  readonly massLeases: number
  readonly massShare: number
  /** Leases after which a member that nobody could confirm to be away is called `offline (unconfirmed)`. */
  readonly unconfirmedLeases: number
  /** Window of the uptime: what was observed longer ago weighs less and less in the uptime. */
  readonly uptimeWindowMs: number
  /** Changes of one member within it travel as one hint. */
  readonly hintDelayMs: number
  /** Between two hints of one member that only say whom it is connected to; times members / 1,000 in larger networks. */
  readonly refreshMs: number
  /** Between two pulses of a registry that speaks for members; times members / 100 in larger networks, up to `pulseMaxMs`. */
  readonly pulseMs: number
  readonly pulseMaxMs: number
  /** Silence after which a registry does not count as heard any more, or `silentPulses` when those take longer. */
  readonly silentMs: number
  readonly silentPulses: number
  /** Between two batches of observations written to the disk: a crash loses at most those. */
  readonly persistMs: number
}

const day = 86_400_000

export const defaultTimings: LivenessTimings = {
  heartbeatMs: 30_000,
  heartbeatJitter: 0.1,
  answerMs: 5_000,
  leaseMs: 90_000,
  unansweredPings: 2,
  tickMs: 1_000,
  stallMs: 3_000,
  massWindowMs: 10_000,
  massLeases: 3,
  massShare: 0.15,
  unconfirmedLeases: 2,
  uptimeWindowMs: 30 * day,
  hintDelayMs: 50,
  refreshMs: 60_000,
  pulseMs: 1_000,
  pulseMaxMs: 12_000,
  silentMs: 4_000,
  silentPulses: 2.5,
  persistMs: 30_000
}

/** A shorter heartbeat shortens what was measured for 30 s along with it, unless that is given as well. */
export const timingsOf = (given: Partial<LivenessTimings> = {}): LivenessTimings => {
  const heartbeatMs = given.heartbeatMs ?? defaultTimings.heartbeatMs
  const scale = Math.min(1, heartbeatMs / defaultTimings.heartbeatMs)
  const tickMs = given.tickMs ?? Math.max(10, defaultTimings.tickMs * scale)
  return {
    ...defaultTimings,
    answerMs: defaultTimings.answerMs * scale,
    leaseMs: heartbeatMs * 3,
    stallMs: tickMs * 3,
    massWindowMs: defaultTimings.massWindowMs * scale,
    ...given,
    heartbeatMs,
    tickMs
  }
}

/** Silence after which one heartbeat was missed. */
export const lateAfterMs = (t: LivenessTimings): number => t.heartbeatMs * (1 + t.heartbeatJitter) + t.answerMs

/** Silence after which two were. */
export const suspectAfterMs = (t: LivenessTimings): number => 2 * t.heartbeatMs * (1 + t.heartbeatJitter) + t.answerMs

export const pulseMs = (t: LivenessTimings, members: number): number =>
  Math.min(t.pulseMaxMs, t.pulseMs * Math.max(1, members / 100))

export const silentMs = (t: LivenessTimings, members: number): number =>
  Math.max(t.silentMs, t.silentPulses * pulseMs(t, members))
