import {
  type LogBatch,
  OutcomeUnknownError,
  type RootLease,
  type RootLog,
  type RootLogStart,
  type RootLogState
} from '../../../src/registry/log/root-log/root-log.ts'
import type { LogItem } from '../../../src/registry/store/log-rows.ts'
import { UnavailableError } from '../../../src/runtime/errors.ts'
import type { Random } from '../random.ts'
import type { Busy, World } from '../world.ts'

const askMs = 3000
const appendMs = 10_000

/** State of the ways to the engine. */
export interface EngineWeather {
  loss: number
  /** Chance that a request arrives a second time, later. */
  repeats: number
  delayMs: number
  /** The engine answers nobody. */
  isDown: boolean
}

export interface EngineLinkInit {
  readonly engine: RootLog
  readonly weather: EngineWeather
  readonly world: World
  readonly random: Random
  /** False: this process is cut off from the engine. */
  readonly reaches: () => boolean
  /** Time at which a frozen process goes on; 0: it is not frozen. */
  readonly thawsAt: () => number
  readonly isAlive: () => boolean
}

/**
 * The way of one process to the engine: requests and answers are lost, late or repeated, and reach nobody while one side is cut off. It is
 * busy as long as its process does something else than wait for it.
 */
export class EngineLink implements RootLog, Busy {
  readonly #init: EngineLinkInit
  #isRunning = false
  #waiting = 0

  constructor(init: EngineLinkInit) {
    this.#init = init
  }

  get active(): number {
    return this.#isRunning && this.#waiting === 0 && this.#init.isAlive() ? 1 : 0
  }

  get isIdle(): boolean {
    return !this.#isRunning
  }

  /** One thing at a time; `done` is told how it ended, unless the process has died. */
  run<T>(work: () => Promise<T>, done: (outcome: PromiseSettledResult<T>) => void): void {
    if (this.#isRunning) throw new Error('one thing at a time')
    this.#isRunning = true
    const end = (outcome: PromiseSettledResult<T>): void => {
      if (this.#init.isAlive()) done(outcome)
      this.#isRunning = false
    }
    work().then(
      (value) => end({ status: 'fulfilled', value }),
      (reason: unknown) => end({ status: 'rejected', reason })
    )
  }

  async begin(holder: string, start: RootLogStart): Promise<RootLease | undefined> {
    return await this.#ask(() => this.#init.engine.begin(holder, start))
  }

  async acquire(holder: string): Promise<RootLease | undefined> {
    return await this.#ask(() => this.#init.engine.acquire(holder))
  }

  async renew(lease: RootLease): Promise<void> {
    await this.#ask(() => this.#init.engine.renew(lease))
  }

  async release(lease: RootLease): Promise<void> {
    await this.#ask(() => this.#init.engine.release(lease))
  }

  async state(): Promise<RootLogState | undefined> {
    return await this.#ask(() => this.#init.engine.state())
  }

  async read(afterN: number): Promise<LogItem[]> {
    return await this.#ask(() => this.#init.engine.read(afterN))
  }

  async append(lease: RootLease, batch: LogBatch): Promise<void> {
    const { random, weather, world } = this.#init
    const write = () => this.#init.engine.append(lease, batch)
    if (random.chance(weather.repeats)) {
      world.after(random.below(20_000), () => {
        write().catch(() => {})
      })
    }
    await this.#exchange(write, appendMs, () => new OutcomeUnknownError('no answer'))
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    return await this.#exchange(call, askMs, () => new UnavailableError('no answer', 1000))
  }

  async #exchange<T>(call: () => Promise<T>, deadlineMs: number, late: () => Error): Promise<T> {
    const { random, reaches, weather, world } = this.#init
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const isLost = (): boolean => !reaches() || random.chance(weather.loss)
    const delayMs = (): number => random.below(weather.delayMs) + 1
    if (!isLost()) {
      world.after(delayMs(), () => {
        // A server that is down loses what it is asked; what it has taken is on its disk.
        if (weather.isDown) return
        const answer = call()
        answer.catch(() => {})
        if (!isLost()) this.#arrive(delayMs(), () => resolve(answer))
      })
    }
    this.#arrive(deadlineMs, () => reject(late()))
    this.#waiting++
    try {
      return await promise
    } finally {
      this.#waiting--
    }
  }

  /** Into the process: not before it goes on, and never when it has died. */
  #arrive(ms: number, settle: () => void): void {
    const { isAlive, thawsAt, world } = this.#init
    world.after(ms, () => {
      const leftMs = thawsAt() - world.now
      if (leftMs > 0) this.#arrive(leftMs, settle)
      else if (isAlive()) settle()
    })
  }
}
