import { keyId } from '../../identity/key-id.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { clockSkewMs } from './limits.ts'

/** A time in which nobody could ask this root; without an end it still lasts. */
interface Absence {
  readonly fromMs: number
  untilMs: number | undefined
  /** Members that were cut off together; undefined: the root did not run. */
  readonly lost: ReadonlySet<string> | undefined
}

/** On its way from the first registry to a root that is there, a join takes less. */
const freshMs = 60_000
/** After the root is back, a registry brings its whole queue within less. */
const replayMs = 10 * 60_000
/** That are remembered: whoever comes and goes makes more of them. */
const maxAbsences = 16
/** Those who are cut off at once are found out one after the other within less. */
const togetherMs = 60_000

/**
 * When this root was away, as it knows itself: it did not run, or it was connected to nobody. A receipt counts for such a time alone, and
 * only when it is brought as soon as it can: a registry that stays away while others are there cannot date a join back.
 */
export class RootAbsence {
  readonly #clock: Clock
  /** Number of connections of each member. */
  readonly #connections = new Map<string, number>()
  /** Members whose last connection went a moment ago, and when. */
  readonly #parted = new Map<string, number>()
  /** Newest first. */
  #absences: Absence[]

  /** `sinceMs`: since when this root has not run. */
  constructor(clock: Clock, sinceMs: number) {
    this.#clock = clock
    this.#absences = [{ fromMs: sinceMs, untilMs: undefined, lost: undefined }]
  }

  /** A connection with the member has proved its key. */
  met(publicKey: Uint8Array): void {
    const key = keyId(publicKey)
    this.#connections.set(key, (this.#connections.get(key) ?? 0) + 1)
    for (const absence of this.#absences) absence.untilMs ??= this.#clock.now()
  }

  /** One of its connections is gone. */
  parted(publicKey: Uint8Array): void {
    const key = keyId(publicKey)
    const left = (this.#connections.get(key) ?? 0) - 1
    if (left > 0) this.#connections.set(key, left)
    if (left !== 0) return
    this.#connections.delete(key)
    const nowMs = this.#clock.now()
    this.#parted.set(key, nowMs)
    for (const [each, atMs] of this.#parted) if (nowMs - atMs > togetherMs) this.#parted.delete(each)
    if (this.#connections.size > 0) return
    const absence = { fromMs: nowMs, untilMs: undefined, lost: new Set(this.#parted.keys()) }
    this.#absences = [absence, ...this.#absences].slice(0, maxAbsences)
  }

  /** Tells whether a receipt that the registry brings now may say that it took a join in at that time. */
  mayDate(publicKey: Uint8Array, timeMs: number): boolean {
    const now = this.#clock.now()
    if (now - timeMs <= freshMs) return true
    return this.#absences.some(({ fromMs, untilMs = now, lost }) => {
      // One that hangs up on a root which knows nobody else makes no absence.
      const isOwn = lost !== undefined && [...lost].every((key) => key === keyId(publicKey))
      return !isOwn && now - untilMs <= replayMs && timeMs >= fromMs - clockSkewMs && timeMs <= untilMs
    })
  }
}
