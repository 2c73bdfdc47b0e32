import { inBackground } from './background.ts'
import { Backoff } from './backoff.ts'
import { type Clock, momentOf, systemClock, wallTimeOf } from './clock-and-logger.ts'
import { reasonOf } from './error-message.ts'
import { inWords } from './files/system-error.ts'
import { sleep } from './sleep.ts'
import { outsideTraces } from './trace.ts'

/** State of one part of the process, for status. */
export interface PartView {
  name: string
  state: 'ok' | 'failing'
  /** In this state since, ms since 1970. */
  sinceMs: number
  /** Failures since the start. */
  errors: number
  lastError: string | null
}

/** A named part of the process. */
export class Part {
  readonly name: string
  readonly #clock: Clock
  #isFailing = false
  #since: number
  #errors = 0
  #lastError: string | null = null

  constructor(name: string, clock: Clock) {
    this.name = name
    this.#clock = clock
    this.#since = momentOf(clock)
  }

  ok(): void {
    this.#turn(false)
  }

  failed(error: unknown): void {
    this.#errors++
    this.#lastError = inWords(reasonOf(error))
    this.#turn(true)
  }

  /** Takes the error of a part, or that it has none. */
  report(error: Error | undefined): void {
    if (error === undefined) this.ok()
    else this.failed(error)
  }

  get view(): PartView {
    return {
      name: this.name,
      state: this.#isFailing ? 'failing' : 'ok',
      sinceMs: wallTimeOf(this.#clock, this.#since),
      errors: this.#errors,
      lastError: this.#lastError
    }
  }

  #turn(isFailing: boolean): void {
    if (this.#isFailing === isFailing) return
    this.#isFailing = isFailing
    this.#since = momentOf(this.#clock)
  }
}

type Ms = number | (() => number)

export interface Service {
  /** The period of its rounds: the next one begins so long after the begin of the last one, and never before its end. */
  everyMs: Ms
  /** Until the first round; a period by default. */
  firstMs?: number
  /** A number is the pause until the next round, in place of the rest of the period; `finished` ends the service. */
  round: (signal: AbortSignal) => unknown
  /** After a round that threw. Gives the pause; without it the period counts, and a period of 0 backs off. */
  onFailed?: (error: Error) => number | undefined | Promise<number | undefined>
  /** The part itself is told when it fails and when it works again. */
  isToldApart?: boolean
  /** One of many of its kind: once it has ended nothing is said of it any more. */
  isPassing?: boolean
}

export interface Running {
  /** Begins the next round now; while one is under way, the pause after it is left out. */
  wake(): void
  /** Resolves when the round that is under way has ended. */
  stop(): Promise<void>
}

/** Given by the last round of a service that has done its work. */
export const finished = Symbol('finished')

const backoff = { initialMs: 1_000, maxMs: 60_000, multiplier: 2 }

/** Runs the named services of a process, each in rounds for ever, and knows how each part is. */
export class Supervisor {
  readonly #clock: Clock
  readonly #parts = new Map<string, Part>()
  readonly #running = new Set<Running>()

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** The part of that name, which is ok from when it is first named. */
  part(name: string): Part {
    const part = this.#parts.get(name) ?? new Part(name, this.#clock)
    this.#parts.set(name, part)
    return part
  }

  get parts(): PartView[] {
    return [...this.#parts.values()].map(({ view }) => view)
  }

  run(name: string, service: Service): Running {
    const part = this.part(name)
    const ended = new AbortController()
    const pause = new Pause()
    const rounds = outsideTraces(() => this.#rounds(part, service, ended.signal, pause))
    const done = rounds.finally(() => {
      this.#running.delete(running)
      if (service.isPassing === true && this.#parts.get(name) === part) this.#parts.delete(name)
    })
    const running: Running = {
      wake: () => pause.end(),
      stop: async () => {
        ended.abort(new Error('the node stops'))
        pause.end()
        await done
      }
    }
    this.#running.add(running)
    inBackground(done, `the service ${name}`)
    return running
  }

  /** Ends all that still run. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()))
  }

  async #rounds(part: Part, service: Service, signal: AbortSignal, pause: Pause): Promise<void> {
    const retries = new Backoff({ ...backoff, clock: this.#clock })
    let pauseMs = service.firstMs ?? msOf(service.everyMs)
    for (;;) {
      await pause.of(pauseMs)
      if (signal.aborted) return
      const begunAt = this.#clock.monotonic()
      const restMs = (): number => Math.max(0, msOf(service.everyMs) - (this.#clock.monotonic() - begunAt))
      try {
        const given = await service.round(signal)
        if (service.isToldApart !== true) part.ok()
        retries.reset()
        if (given === finished) return
        pauseMs = typeof given === 'number' ? given : restMs()
      } catch (thrown) {
        if (signal.aborted) return
        const error = thrown instanceof Error ? thrown : new Error(String(thrown))
        if (service.isToldApart !== true) part.failed(error)
        pauseMs = (await service.onFailed?.(error)) ?? (msOf(service.everyMs) > 0 ? restMs() : retries.next())
      }
    }
  }
}

/** The time between two rounds, which `end` cuts short: also the next one, when none is under way. */
class Pause {
  #wake = new AbortController()

  async of(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, this.#wake.signal).catch(() => {})
    this.#wake = new AbortController()
  }

  end(): void {
    this.#wake.abort()
  }
}

const msOf = (ms: Ms): number => (typeof ms === 'number' ? ms : ms())
