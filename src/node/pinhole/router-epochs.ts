import { type Clock, momentOf } from '../../runtime/clock-and-logger.ts'

interface Seen {
  readonly seconds: number
  /** By `momentOf`. */
  readonly atMs: number
}

/** A router that says so again and again has its pinholes asked for once a minute. */
const againMs = 60_000

/** Notices routers that have forgotten what they held: RFC 6887, 8.5. */
export class RouterEpochs {
  readonly #clock: Clock
  readonly #seen = new Map<string, Seen>()
  readonly #lostAt = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes the seconds that a router counts. true: it has begun anew, and holds nothing of what it held. */
  hasForgotten(router: string, seconds: number): boolean {
    const now = { seconds, atMs: momentOf(this.#clock) }
    const before = this.#seen.get(router)
    this.#seen.set(router, now)
    if (before === undefined || goesOn(before, now)) return false
    const isAgain = now.atMs - (this.#lostAt.get(router) ?? Number.NEGATIVE_INFINITY) < againMs
    if (!isAgain) this.#lostAt.set(router, now.atMs)
    return !isAgain
  }

  /** Forgets routers that are not asked any more. */
  keep(routers: ReadonlySet<string>): void {
    for (const known of [this.#seen, this.#lostAt]) {
      for (const router of known.keys()) if (!routers.has(router)) known.delete(router)
    }
  }
}

/** Both have counted as much since, but for a second, and a sixteenth for a clock that is wrong. */
function goesOn(before: Seen, now: Seen): boolean {
  const router = now.seconds - before.seconds
  const here = (now.atMs - before.atMs) / 1_000
  if (router < -1) return false
  return here + 2 >= router - router / 16 && router + 2 >= here - here / 16
}
