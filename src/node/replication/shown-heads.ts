import { peerIdText } from '../../identity/keys.ts'
import type { Replica } from '../../registry/log/replica.ts'
import { comparePositions, type LogPosition } from '../../registry/log/state/position.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'

/** Position that a member showed last. */
interface Word extends LogPosition {
  /** Monotonic: when it was heard. */
  readonly at: number
}

/** Lag of a member, as far as it is known here. */
export interface Lag {
  /** Head that it showed last; null: none since the start. */
  shown: { epoch: number; head: number; ageMs: number } | null
  /** Entries from there to our head; null: not known here. */
  behind: number | null
}

export interface ShownHeadsInit {
  replica: Pick<Replica, 'head' | 'events'>
  clock: Pick<Clock, 'monotonic'>
}

/** A new head has reached every registry that can be reached: a word that comes sooner may have crossed it on its way. */
const settleMs = 2_000
/** An older word is no lag: a registry catches up in seconds, and not everybody hears of that. */
const lagMs = 10_000
/** A registry that is followed shows its checkpoint each minute. */
const heardMs = 5 * 60_000

/** Heads that members have shown on their own connections. They are verified before they come here. */
export class ShownHeads {
  readonly #init: ShownHeadsInit
  readonly #words = new Map<string, Word>()
  /** Monotonic: when our own head changed last. One that was in the store is older than every word. */
  #movedAt = Number.NEGATIVE_INFINITY

  constructor(init: ShownHeadsInit) {
    this.#init = init
    const { events } = init.replica
    const moved = (): void => {
      this.#movedAt = init.clock.monotonic()
    }
    events.addEventListener('entries', moved)
    events.addEventListener('reset', moved)
  }

  /** `at`: when it was heard; what was heard before the last word is none. */
  note(publicKey: Uint8Array, { epoch, n }: LogPosition, at = this.#init.clock.monotonic()): void {
    const peerId = peerIdText(publicKey)
    const last = this.#words.get(peerId)
    if (last === undefined || last.at <= at) this.#words.set(peerId, { epoch, n, at })
  }

  get(peerId: string): LogPosition | undefined {
    return this.#words.get(peerId)
  }

  lagOf(peerId: string): Lag {
    const word = this.#words.get(peerId)
    if (word === undefined) return { shown: null, behind: null }
    const ageMs = Math.round(this.#init.clock.monotonic() - word.at)
    return { shown: { epoch: word.epoch, head: word.n, ageMs }, behind: this.#behind(word, ageMs) }
  }

  /** A word from before our own head changed says nothing of the entries that came since. */
  #behind(word: Word, ageMs: number): number | null {
    const { head } = this.#init.replica
    if (comparePositions(word, head) >= 0) return ageMs <= heardMs ? 0 : null
    const counts = word.epoch === head.epoch && ageMs <= lagMs && word.at - this.#movedAt >= settleMs
    return counts ? head.n - word.n : null
  }
}
