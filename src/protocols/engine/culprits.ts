import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'

/** One who exceeded a limit: a PeerId where the key is proven, a multiaddr or prefix where none is. */
export interface Culprit {
  readonly peer?: string
  readonly address?: string
}

/** Number of times that a limit was exceeded since the start, and by whom lately. */
export interface LimitCount {
  /** Its place in the limits table: `connection.streams`. */
  readonly limit: string
  readonly count: number
  readonly culprits: readonly CulpritCount[]
}

export interface CulpritCount {
  /** PeerId, or the address of one without a proven key. */
  readonly who: string
  readonly count: number
  readonly lastMs: number
}

export interface CulpritsInit {
  clock?: Clock
  logger?: Logger
}

interface Counted {
  count: number
  lastMs: number
  namedAt: number
  /** Times since it was last named in the log. */
  unnamed: number
}

const nameEveryMs = 60_000
/** Culprits that are kept of one limit. Keys and addresses are free, so the one that was seen longest ago goes. */
const mostCulprits = 32
/** Lines a minute, of all limits: an attack with many keys must not fill the disk. */
export const mostLines = 120

/** Counts who exceeds the limits, and names each of them in the log at once and then once a minute. */
export class Culprits {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #limits = new Map<string, { count: number; culprits: Map<string, Counted> }>()
  #lines = 0
  #linesSince = Number.NEGATIVE_INFINITY

  constructor({ clock = systemClock, logger = silentLogger }: CulpritsInit = {}) {
    this.#clock = clock
    this.#logger = logger
  }

  /** Counters for status and metrics, most exceeded first. */
  get counts(): LimitCount[] {
    const counts = [...this.#limits].map(([limit, { count, culprits }]) => ({
      limit,
      count,
      culprits: [...culprits]
        .map(([who, counted]) => ({ who, count: counted.count, lastMs: counted.lastMs }))
        .toReversed()
    }))
    return counts.toSorted((a, b) => b.count - a.count)
  }

  /** Notes that somebody went beyond a limit, and was refused, held back or closed for it. */
  exceeded(limit: string, culprit: Culprit): void {
    const of = this.#limits.get(limit) ?? { count: 0, culprits: new Map<string, Counted>() }
    this.#limits.set(limit, of)
    of.count++
    const who = culprit.peer ?? culprit.address ?? 'unknown'
    const now = this.#clock.monotonic()
    const counted = of.culprits.get(who) ?? { count: 0, lastMs: 0, namedAt: Number.NEGATIVE_INFINITY, unnamed: 0 }
    counted.count++
    counted.unnamed++
    counted.lastMs = this.#clock.now()
    of.culprits.delete(who)
    of.culprits.set(who, counted)
    const oldest = of.culprits.keys().next()
    if (of.culprits.size > mostCulprits && oldest.done !== true) of.culprits.delete(oldest.value)
    if (now - counted.namedAt < nameEveryMs || !this.#mayWrite(now)) return
    this.#name(limit, culprit, counted)
    counted.namedAt = now
    counted.unnamed = 0
  }

  #mayWrite(now: number): boolean {
    if (now - this.#linesSince >= nameEveryMs) {
      this.#linesSince = now
      this.#lines = 0
    }
    return ++this.#lines <= mostLines
  }

  #name(limit: string, { peer, address }: Culprit, { unnamed }: Counted): void {
    const fields = {
      limit,
      ...(peer !== undefined && { peer }),
      ...(address !== undefined && { ipv6_addr: address }),
      count: unnamed
    }
    const who = peer ?? address ?? 'somebody'
    const times = unnamed === 1 ? '' : `, ${unnamed} times since the last such line`
    this.#logger.warn(
      fields,
      `${who} exceeds the limit ${limit}${times}; it is refused, and named again in a minute if it goes on`
    )
  }
}

/** The other side of a connection. */
export const culpritOf = ({
  remotePeer,
  remoteAddr
}: {
  remotePeer: { toString(): string }
  remoteAddr: { toString(): string }
}): Culprit => ({ peer: remotePeer.toString(), address: remoteAddr.toString() })
