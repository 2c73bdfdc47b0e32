import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { Gcra } from '../engine/rate-limiter.ts'

/** One that has a piece to send. */
export interface Sender {
  readonly peer: string
  /** Its stream or its connection takes nothing now. */
  readonly isBlocked: boolean
  sendPiece(): void
}

/**
 * Turns in which forwards send, a piece each and one in a turn of the event loop: Node gives 2 MiB of a socket at once where they are there,
 * and libp2p lets the stream that was opened first send all that it has whenever a connection takes more. A peer is sent no more pieces than
 * it takes; those that wait grow meanwhile.
 */
export class SendTurns {
  readonly #pieces: Gcra
  /** The one that has waited longest is first. */
  readonly #waiting = new Set<Sender>()
  /** Those that have sent in this turn of the event loop. */
  readonly #served = new Set<Sender>()
  #isDue = false
  #timer: NodeJS.Timeout | undefined

  constructor({ pieces }: ProtocolLimits['forward'], clock: Clock) {
    this.#pieces = new Gcra(pieces, { clock })
  }

  /** True: it may send a piece at once, which is counted. */
  take(sender: Sender): boolean {
    if (this.#waiting.size > 0 || !this.#maySend(sender) || this.#pieces.take(sender.peer) > 0) return false
    this.#serve(sender)
    return true
  }

  /** Lets it send a piece when its turn has come. */
  wait(sender: Sender): void {
    this.#waiting.add(sender)
    if (this.#maySend(sender)) this.wake()
  }

  leave(sender: Sender): void {
    this.#waiting.delete(sender)
  }

  /** Something may be sent again. */
  wake(): void {
    if (this.#isDue || this.#waiting.size === 0) return
    this.#isDue = true
    // Behind the microtasks in which every stream of the connection sends what it held when that was full: answers and pings among them.
    queueMicrotask(() => queueMicrotask(() => this.#round()))
  }

  #maySend(sender: Sender): boolean {
    return !sender.isBlocked && !this.#served.has(sender)
  }

  #serve(sender: Sender): void {
    if (this.#served.size === 0) setImmediate(() => this.#nextTurn())
    this.#served.add(sender)
  }

  #nextTurn(): void {
    this.#served.clear()
    this.wake()
  }

  #round(): void {
    this.#isDue = false
    let waitMs = Number.POSITIVE_INFINITY
    for (const sender of Array.from(this.#waiting)) {
      if (!this.#maySend(sender)) continue
      const dueMs = this.#pieces.take(sender.peer)
      if (dueMs > 0) waitMs = Math.min(waitMs, dueMs)
      else {
        this.#waiting.delete(sender)
        this.#serve(sender)
        sender.sendPiece()
      }
    }
    if (Number.isFinite(waitMs) && this.#timer === undefined) this.#later(waitMs)
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.wake()
    }, ms).unref()
  }
}
