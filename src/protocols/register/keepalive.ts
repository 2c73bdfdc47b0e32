import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { ProtocolLimits } from '../engine/limits.ts'

export interface KeepaliveInit {
  limits: ProtocolLimits['register']
  clock: Clock
  /** Asks the registry for a sign of life. */
  probe: () => void
  onSilent: (ms: number) => void
}

const tickMs = 250
const stallMs = 1_000

/** Watches that a registry goes on pinging. Before it is given up it is asked once itself, since it may be us who stood still. */
export class Keepalive {
  readonly #init: KeepaliveInit
  readonly #timer: NodeJS.Timeout
  #heardAt: number
  #tickedAt: number
  #nextMs: number
  #probedAt: number | undefined

  constructor(init: KeepaliveInit) {
    this.#init = init
    this.#heardAt = init.clock.monotonic()
    this.#tickedAt = this.#heardAt
    // Until the first ping says it.
    this.#nextMs = init.limits.pingMaxMs
    this.#timer = setInterval(() => this.tick(), tickMs)
    this.#timer.unref()
  }

  heard(): void {
    this.#heardAt = this.#init.clock.monotonic()
    this.#probedAt = undefined
  }

  /** The registry said when it pings again: believed up to the limit. */
  pinged(nextMs: number): void {
    const { pingMs, pingMaxMs } = this.#init.limits
    this.#nextMs = Math.min(pingMaxMs, Math.max(pingMs, nextMs))
  }

  tick(): void {
    const { clock, limits, onSilent, probe } = this.#init
    const now = clock.monotonic()
    const lateMs = now - this.#tickedAt - tickMs
    this.#tickedAt = now
    if (lateMs > stallMs) {
      this.#heardAt += lateMs
      if (this.#probedAt !== undefined) this.#probedAt += lateMs
    }
    if (this.#probedAt !== undefined) {
      if (now - this.#probedAt < limits.pongMs) return
      this.stop()
      onSilent(Math.round(now - this.#heardAt))
    } else if (now - this.#heardAt > this.#nextMs + limits.pongMs) {
      this.#probedAt = now
      probe()
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
