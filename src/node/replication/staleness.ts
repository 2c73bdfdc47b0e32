import type { Connection } from '@libp2p/interface'
import { compareCheckpoints, type SignedPosition } from '../../registry/log/state/position.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'

/** Heads that are kept of the time that the grace lasts. */
const mostKnown = 64

export interface HeadLagInit {
  clock: Clock
  /** Time for which a head may be known here before whoever is asked must know it, too. */
  graceMs: number
  /** Time for which the connection has carried answers without a break, ms: who is cut off does not stand still. */
  answeringForMs: (connection: Connection) => number
  /** A source shows an older head, although it had the time to learn of a newer one. */
  onBehind: (source: Uint8Array, shown: SignedPosition) => void
}

interface Shown extends SignedPosition {
  /** When it showed its first one on this connection. */
  since: number
}

/**
 * Finds sources that stand still: what they show is right, but old, while everybody who is connected to this process is shown newer heads.
 * It may be cut off, or hold something back.
 */
export class Staleness {
  readonly #init: HeadLagInit
  readonly #shown = new WeakMap<Connection, Shown>()
  /** Heads that came here, ascending; the first one has been known for the grace, all others for less. */
  #known: (SignedPosition & { at: number })[] = []

  constructor(init: HeadLagInit) {
    this.#init = init
  }

  /** This replica has a newer head. */
  advanced({ epoch, n, timeMs }: SignedPosition): void {
    const { clock, graceMs } = this.#init
    const at = clock.monotonic()
    const last = this.#known.at(-1)
    // One of a burst each so often is kept: all of them together say nothing more.
    if (last !== undefined && at - last.at < graceMs / mostKnown) return
    this.#known.push({ epoch, n, timeMs, at })
    const settled = this.#known.findLastIndex((each) => at - each.at >= graceMs)
    if (settled > 0) this.#known = this.#known.slice(settled)
  }

  /** A source has shown a checkpoint that is right. */
  shown(connection: Connection, source: Uint8Array, { epoch, n, timeMs }: SignedPosition): void {
    const before = this.#shown.get(connection)
    const since = before?.since ?? this.#init.clock.monotonic()
    this.#shown.set(connection, { epoch, n, timeMs, since })
    this.look(connection, source)
  }

  /** Checks a source that is followed and still shows what it showed last. */
  look(connection: Connection, source: Uint8Array): void {
    const { clock, graceMs, answeringForMs, onBehind } = this.#init
    const shown = this.#shown.get(connection)
    const now = clock.monotonic()
    const due = this.#known.findLast(({ at }) => now - at >= graceMs)
    if (shown === undefined || due === undefined || now - shown.since < graceMs) return
    if (compareCheckpoints(due, shown) > 0 && answeringForMs(connection) >= graceMs) onBehind(source, shown)
  }
}
