import { UnavailableError } from '../../runtime/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'

/** One dial that goes on, until it is disposed of. */
export interface Place extends Disposable {
  /** Aborted when the dial has to give way. */
  readonly signal: AbortSignal
}

interface Held {
  readonly peer: string
  readonly controller: AbortController
}

const retryMs = 5_000

/**
 * Places for the dials that go on at a time. Where all are taken, the oldest one gives way of whoever has most: a dial that is answered
 * takes some milliseconds, one into nothing all the time that it is given.
 */
export class Places {
  readonly #limits: Pick<ProtocolLimits['probe'], 'running' | 'runningOfPeer'>
  readonly #onFull: (peer: string) => void
  /** In the order of their beginning. */
  readonly #held = new Set<Held>()

  /** `onFull` is told who had to give way. */
  constructor(limits: Pick<ProtocolLimits['probe'], 'running' | 'runningOfPeer'>, onFull: (peer: string) => void) {
    this.#limits = limits
    this.#onFull = onFull
  }

  get size(): number {
    return this.#held.size
  }

  /** @throws UnavailableError the peer has its share */
  take(peer: string): Place {
    if (this.#of(peer) >= this.#limits.runningOfPeer) {
      throw new UnavailableError('as many probes of this peer are running as may', retryMs)
    }
    if (this.#held.size >= this.#limits.running) this.#makeRoom()
    const held: Held = { peer, controller: new AbortController() }
    this.#held.add(held)
    return {
      signal: held.controller.signal,
      [Symbol.dispose]: () => {
        this.#held.delete(held)
      }
    }
  }

  #of(peer: string): number {
    return [...this.#held].filter((each) => each.peer === peer).length
  }

  #makeRoom(): void {
    const all = [...this.#held].map((held) => ({ held, share: this.#of(held.peer) }))
    const most = Math.max(...all.map(({ share }) => share))
    const oldest = all.find(({ share }) => share === most)?.held
    if (oldest === undefined) return
    this.#held.delete(oldest)
    this.#onFull(oldest.peer)
    oldest.controller.abort(new UnavailableError('the probe gave way to one of somebody else', retryMs))
  }
}
