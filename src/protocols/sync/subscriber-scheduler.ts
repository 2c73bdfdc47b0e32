import { onAbort } from '../../runtime/abort.ts'

/** Pushes a second that a registry makes at most: with k subscribers what happens within k / 5,000 s is told together. */
const pushesPerSecond = 5_000
const wokenAtOnce = 50

/** Topics in which something may have changed for a subscriber. It reads the store to see what has. */
export const topics = { log: 1, records: 2, refreshes: 4, hints: 8 } as const

/** A subscriber costs this and its positions, however far it is behind: no queue, no event kept for it. */
export interface Sleeper {
  /** PeerId of who subscribed. */
  readonly peer: string
  /** Topics that it wants to be woken for. */
  wants: number
  dirty: number
  /** Since when there is something that it has not begun to be told, and something that it is being told: `performance.now()`. */
  changedAt?: number | undefined
  tellingAt?: number | undefined
  wake: (() => void) | undefined
  /** Resolved when it sleeps with nothing left to tell, or leaves. */
  idle?: PromiseWithResolvers<void> | undefined
}

/** Wakes subscribers when something may have changed, all those of one interval together. */
export class SubscriberScheduler {
  readonly #sleepers = new Set<Sleeper>()
  #pending = 0
  #pendingAt: number | undefined
  #timer: NodeJS.Timeout | undefined

  get size(): number {
    return this.#sleepers.size
  }

  add(sleeper: Sleeper): () => void {
    this.#sleepers.add(sleeper)
    return () => {
      this.#sleepers.delete(sleeper)
      sleeper.idle?.resolve()
    }
  }

  /** Something of these topics happened. */
  touch(changed: number): void {
    this.#pending |= changed
    if (this.#sleepers.size === 0 || this.#timer !== undefined) return
    this.#pendingAt = performance.now()
    this.#timer = setTimeout(() => this.#fire(), (this.#sleepers.size / pushesPerSecond) * 1_000)
    this.#timer.unref()
  }

  /** Wakes the subscribers of one peer at once; resolves when each was told what the log has now, or has left. */
  async tell(peer: string): Promise<void> {
    const idle: Promise<void>[] = []
    for (const sleeper of this.#sleepers) {
      if (sleeper.peer !== peer) continue
      sleeper.dirty |= topics.log
      sleeper.idle ??= Promise.withResolvers()
      idle.push(sleeper.idle.promise)
      sleeper.wake?.()
    }
    await Promise.all(idle)
  }

  /** Resolves with the topics of those it wants that have changed since it last slept. */
  async sleep(sleeper: Sleeper, signal: AbortSignal): Promise<number> {
    while (sleeper.dirty === 0) {
      signal.throwIfAborted()
      sleeper.idle?.resolve()
      sleeper.idle = undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      sleeper.wake = resolve
      using _ = onAbort(signal, () => resolve())
      await promise
      sleeper.wake = undefined
    }
    signal.throwIfAborted()
    const { dirty } = sleeper
    sleeper.dirty = 0
    sleeper.tellingAt = sleeper.changedAt
    sleeper.changedAt = undefined
    return dirty
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #fire(): void {
    const changed = this.#pending
    this.#pending = 0
    this.#timer = undefined
    const dirty: Sleeper[] = []
    for (const sleeper of this.#sleepers) {
      const wanted = changed & sleeper.wants
      if (wanted === 0) continue
      sleeper.dirty |= wanted
      sleeper.changedAt ??= this.#pendingAt
      dirty.push(sleeper)
    }
    this.#wake(dirty, 0)
  }

  /** Some at a time: ten thousand that read the store in one tick would hold up every heartbeat. */
  #wake(sleepers: readonly Sleeper[], from: number): void {
    const to = from + wokenAtOnce
    for (const { wake } of sleepers.slice(from, to)) wake?.()
    if (to < sleepers.length) setImmediate(() => this.#wake(sleepers, to))
  }
}
