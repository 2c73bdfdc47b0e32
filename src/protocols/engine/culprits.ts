import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { Gcra, type Rate } from './rate-limiter.ts'

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

interface Exceeded {
  count: number
  readonly culprits: Map<string, Counted>
  /** Those who are to be named, in the order in which they came. */
  readonly waiting: Set<string>
}

interface Counted {
  readonly culprit: Culprit
  count: number
  lastMs: number
  namedAt: number
  /** Times since it was last named in the log. */
  unnamed: number
}

const nameEveryMs = 60_000
/** Culprits that are kept of one limit. Keys and addresses are free, so the one that was seen longest ago goes. */
const mostCulprits = 32
/** Lines of all limits: an attack with many keys must not fill the disk. Whoever finds no room is named when there is some. */
const lines = { count: 120, perMs: 60_000 }

/** Counts who exceeds the limits, and names each of them in the log at once and then once a minute. */
export class Culprits {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #limits = new Map<string, Exceeded>()
  readonly #lines: Gcra
  /** Excesses that may happen to anybody now and then, by limit. */
  readonly #excused = new Map<string, Gcra>()
  #later: NodeJS.Timeout | undefined

  constructor({ clock = systemClock, logger = silentLogger }: CulpritsInit = {}) {
    this.#clock = clock
    this.#logger = logger
    this.#lines = new Gcra(lines, { clock })
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
    const of = this.#limits.get(limit) ?? { count: 0, culprits: new Map<string, Counted>(), waiting: new Set<string>() }
    this.#limits.set(limit, of)
    of.count++
    const who = whoOf(culprit)
    const counted = of.culprits.get(who) ?? {
      culprit,
      count: 0,
      lastMs: 0,
      namedAt: Number.NEGATIVE_INFINITY,
      unnamed: 0
    }
    counted.count++
    counted.unnamed++
    counted.lastMs = this.#clock.now()
    of.culprits.delete(who)
    of.culprits.set(who, counted)
    const oldest = of.culprits.keys().next()
    if (of.culprits.size > mostCulprits && oldest.done !== true) {
      of.culprits.delete(oldest.value)
      of.waiting.delete(oldest.value)
    }
    if (this.#clock.monotonic() - counted.namedAt < nameEveryMs) return
    of.waiting.add(who)
    this.#nameWaiting()
  }

  /** Notes what nobody is named for who does it no more often than that. */
  repeated(limit: string, rate: Rate, culprit: Culprit): void {
    const excused = this.#excused.get(limit) ?? new Gcra(rate, { clock: this.#clock })
    this.#excused.set(limit, excused)
    if (excused.take(whoOf(culprit)) > 0) this.exceeded(limit, culprit)
  }

  /** One of each limit after the other, so that those who are many at one hide nobody at another. */
  #nameWaiting(): void {
    if (this.#later !== undefined) return
    for (;;) {
      const next = [...this.#limits].find(([, { waiting }]) => waiting.size > 0)
      if (next === undefined) return
      const waitMs = this.#lines.take('')
      if (waitMs > 0) {
        this.#later = setTimeout(() => {
          this.#later = undefined
          this.#nameWaiting()
        }, waitMs).unref()
        return
      }
      const [limit, of] = next
      this.#limits.delete(limit)
      this.#limits.set(limit, of)
      this.#nameFirst(limit, of)
    }
  }

  #nameFirst(limit: string, { culprits, waiting }: Exceeded): void {
    const [who = ''] = waiting
    waiting.delete(who)
    const counted = culprits.get(who)
    if (counted === undefined) return
    this.#name(limit, counted)
    counted.namedAt = this.#clock.monotonic()
    counted.unnamed = 0
  }

  #name(limit: string, { culprit, unnamed }: Counted): void {
    const { peer, address } = culprit
    const fields = {
      limit,
      ...(peer !== undefined && { peer }),
      ...(address !== undefined && { ipv6_addr: address }),
      count: unnamed
    }
    const times = unnamed === 1 ? '' : `, ${unnamed} times since the last such line`
    this.#logger.warn(
      fields,
      `${whoOf(culprit)} exceeds the limit ${limit}${times}; it is refused, and named again in a minute if it goes on`
    )
  }
}

const whoOf = ({ peer, address }: Culprit): string => peer ?? address ?? 'somebody'

/** The other side of a connection. */
export const culpritOf = ({
  remotePeer,
  remoteAddr
}: {
  remotePeer: { toString(): string }
  remoteAddr: { toString(): string }
}): Culprit => ({ peer: remotePeer.toString(), address: remoteAddr.toString() })
