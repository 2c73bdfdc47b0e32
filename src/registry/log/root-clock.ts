import { keyId } from '../../identity/key-id.ts'
import { type Logger, momentOf } from '../../runtime/clock-and-logger.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import { durationText, maxStepMs } from '../../runtime/steady-clock.ts'
import type { ClockDoubt } from './clock-doubt.ts'
import type { Replica } from './replica.ts'

/** After a longer pause nothing comes back by itself anyway: rather is the clock wrong. */
const longestSleepMs = 366 * 24 * 3_600_000
/** A clock that is so little beyond the newest checkpoint is the one that signed it. */
const shortPauseMs = 3_600_000
/** After so long nobody has to agree: what was open when the root came back has been open for a day. */
const provenAfterMs = 24 * 3_600_000
/** Members whose clocks are kept. */
const maxHeard = 64
/** A clock is put right by people, or by a time service soon after the start of the machine. */
const retryMs = 60_000
const servedSoonMs = 5_000
const fix =
  'nothing is signed: set the clock right, or say with `trustnet registry clock --accept` that it is right now'

/**
 * Judges whether the clock of the root's machine can be right. After a pause it is compared with the clocks of members: nothing is signed
 * while more of them differ than agree. Where none of them decides, the time service of the machine is asked: nothing is signed while there
 * is one that has not set the clock. It counts as confirmed when more agree, when that service or an operator says so, or after a day.
 */
export class RootClock {
  readonly #replica: Pick<Replica, 'ledger' | 'checkpoint' | 'isMember'>
  /** Time of each member's clock when ours of monotonic time was 0. */
  readonly #heard = new Map<string, { publicKey: Uint8Array; timeMs: number }>()
  readonly #doubt: ClockDoubt | undefined
  /** Time of the newest checkpoint by a clock that was confirmed, before the first one by this clock, and the monotonic time of that. */
  #lastMs: number | undefined
  #signedAt: number | undefined
  /** Time of that checkpoint, while this clock is in doubt. */
  #doubtedMs: number | undefined
  #isConfirmed = false
  #isAccepted = false
  #nowMs = 0

  constructor(replica: Pick<Replica, 'ledger' | 'checkpoint' | 'isMember'>, doubt?: ClockDoubt) {
    this.#replica = replica
    this.#doubt = doubt
    this.#lastMs = doubt?.confirmedMs
    this.#doubtedMs = this.#lastMs
  }

  /** Takes the time that a member said its clock shows. One that is behind what was signed long ago is wrong by itself. */
  heard(publicKey: Uint8Array, timeMs: number): void {
    if (timeMs < (this.#lastMs ?? this.#replica.checkpoint?.value.timeMs ?? 0) - maxStepMs) return
    const key = keyId(publicKey)
    this.#heard.delete(key)
    const oldest = this.#heard.keys().next().value
    if (oldest !== undefined && this.#heard.size >= maxHeard) this.#heard.delete(oldest)
    this.#heard.set(key, { publicKey, timeMs: timeMs - momentOf(this.#clock) })
  }

  /** Reads the clock: never back, unless an operator says that a time cannot have been, since others judge by it who is a member. */
  now(): number {
    const nowMs = this.#clock.now()
    const lastMs = Math.max(this.#nowMs, this.#replica.checkpoint?.value.timeMs ?? 0)
    this.#nowMs = this.#isAccepted && lastMs > nowMs + maxStepMs ? nowMs : Math.max(nowMs, lastMs)
    return this.#nowMs
  }

  /** A checkpoint with the time of this clock is about to be held: inside of its commit. */
  signed(logger: Logger): void {
    if (this.#signedAt === undefined) this.#signedFirst(logger)
    if (this.#doubtedMs === undefined) return
    if (this.isConfirmed) this.#doubtedMs = undefined
    // Each time: the commit before may have failed.
    if (this.#doubtedMs === undefined) this.#doubt?.settle()
    else this.#doubt?.begin(this.#doubtedMs)
  }

  #signedFirst(logger: Logger): void {
    const pauseMs = this.#pauseMs
    this.#signedAt = this.#clock.monotonic()
    const lastMs = this.#clock.now() - pauseMs
    this.#lastMs = lastMs
    if (pauseMs <= shortPauseMs) this.#isConfirmed = true
    if (this.isConfirmed) return
    this.#doubtedMs = lastMs
    logger.warn(
      { pause_seconds: Math.round(pauseMs / 1000) },
      `this root has signed nothing for ${durationText(pauseMs)}, by its clock, and no member has confirmed that time: it signs again, and ends no invite for good until one does, or for a day; \`trustnet registry clock --accept\` says that it is right`
    )
  }

  /** An operator says that it is right, whatever the log says: while this runs, it counts. */
  async accept<T>(run: () => Promise<T>): Promise<T> {
    this.#clock.accept?.()
    this.#isConfirmed = true
    this.#isAccepted = true
    try {
      return await run()
    } finally {
      this.#isAccepted = false
    }
  }

  /** Others agree with it, or nobody has to: what it ends may be ended for good. */
  get isConfirmed(): boolean {
    const { agree, differ } = this.others()
    const ranMs = this.#signedAt === undefined ? 0 : this.#clock.monotonic() - this.#signedAt
    const isServed = agree === differ && this.#isServed(0) === true
    this.#isConfirmed ||= agree > differ || isServed || ranMs >= provenAfterMs
    return this.#isConfirmed
  }

  /** Counts the members whose clocks are as this one and those whose are not, and says how far one of these is off, ms. */
  others(stepMs = 0): { agree: number; differ: number; offMs: number } {
    const nowMs = this.#clock.now() + stepMs - momentOf(this.#clock)
    // Only the newest counts of a member that has changed its key, or came again with another one.
    const voices = [...this.#heard.values()].filter(({ publicKey }) => this.#replica.isMember(publicKey))
    const offs = voices.map(({ timeMs }) => nowMs - timeMs)
    const differing = offs.filter((each) => Math.abs(each) > maxStepMs)
    return { agree: offs.length - differing.length, differ: differing.length, offMs: differing[0] ?? 0 }
  }

  /** Refusal for as long as it cannot be right. */
  refusal(): UnavailableError | undefined {
    const problem = this.#isAccepted ? undefined : this.#problem()
    if (problem === undefined) return undefined
    return new UnavailableError(`${problem}; ${fix}`, this.#isServed(0) === false ? servedSoonMs : retryMs)
  }

  get #clock(): Replica['ledger']['clock'] {
    return this.#replica.ledger.clock
  }

  /** Time since this root has signed by a clock that was confirmed. */
  get #pauseMs(): number {
    return this.#clock.now() - (this.#lastMs ?? this.#checkpointMs)
  }

  /** Word of the time service about the time that is so far from `now`: it speaks of the wall clock alone. */
  #isServed(stepMs: number): boolean | undefined {
    const isServed = this.#clock.isServed?.()
    return isServed === true ? (this.#clock.stepMs ?? 0) === stepMs : isServed
  }

  get #checkpointMs(): number {
    return this.#replica.checkpoint?.value.timeMs ?? this.#clock.now()
  }

  #problem(): string | undefined {
    const { stepMs = 0 } = this.#clock
    const problem = this.#implausible(0)
    if (stepMs === 0) return problem
    if (problem === undefined || this.#implausible(stepMs) !== undefined) {
      return `the clock of this machine has stepped by ${durationText(stepMs)} while it ran`
    }
    // It was wrong at the start, and was put right before anything was signed.
    this.#clock.accept?.()
    return undefined
  }

  #implausible(stepMs: number): string | undefined {
    const pauseMs = this.#pauseMs + stepMs
    const sinceMs = this.#clock.now() + stepMs - this.#checkpointMs
    if (this.#signedAt === undefined) {
      if (sinceMs < -maxStepMs) {
        return `the clock of this machine is ${durationText(sinceMs)} behind the newest checkpoint`
      }
      if (pauseMs > longestSleepMs) return `this root has signed nothing for ${durationText(pauseMs)}, by its clock`
      if (pauseMs <= shortPauseMs) return undefined
    }
    if (this.isConfirmed) return undefined
    const { agree, differ, offMs } = this.others(stepMs)
    if (differ <= agree) {
      if (this.#signedAt !== undefined || this.#isServed(stepMs) !== false) return undefined
      return `by its clock this root has signed nothing for ${durationText(pauseMs)}, which neither a member nor the time service of this machine has confirmed yet`
    }
    const side = offMs > 0 ? 'ahead of' : 'behind'
    return `the clock of this machine is ${durationText(offMs)} ${side} that of ${differ} of ${agree + differ} members that were heard`
  }
}
