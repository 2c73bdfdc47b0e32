import { type Clock, type Logger, momentOf } from '../../runtime/clock-and-logger.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { type Checked, CheckState } from './check-state.ts'
import { checkEveryMs, type Offered } from './offered.ts'
import { type CheckResult, runCheck } from './run-check.ts'

export interface ServiceCheckInit {
  readonly service: Offered
  readonly clock: Clock
  readonly logger: Logger
  /** Its state is another one. */
  readonly onChange: () => void
}

/** The check of one service, again and again. */
export class ServiceCheck {
  readonly #init: ServiceCheckInit
  readonly #state = new CheckState()
  readonly counts = { passed: 0, failed: 0 }
  #running: Running | undefined
  /** The last one, with its moment. */
  last: (CheckResult & { readonly at: number }) | undefined

  constructor(init: ServiceCheckInit) {
    this.#init = init
  }

  get service(): Offered {
    return this.#init.service
  }

  get state(): Checked {
    return this.#state.state
  }

  run(supervisor: Supervisor): void {
    const { name, everyMs = checkEveryMs } = this.service
    const round = (signal: AbortSignal): Promise<number | undefined> => this.#round(everyMs, signal)
    this.#running = supervisor.run(`check of ${name}`, { everyMs, firstMs: 0, round, isPassing: true })
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  async #round(everyMs: number, signal: AbortSignal): Promise<number | undefined> {
    const { clock, logger, onChange } = this.#init
    const { name, port, check } = this.service
    if (check === undefined) return undefined
    const result = await runCheck({ check, port }, signal)
    this.last = { ...result, at: momentOf(clock) }
    this.counts[result.passed ? 'passed' : 'failed']++
    const before = this.state
    const pauseMs = this.#state.note(result.passed, clock.monotonic())
    if (this.state !== before) {
      const fields = { service: name, check: result.detail }
      if (this.state === 'failing')
        logger.warn(fields, 'a service of this node fails its check; the others see it as failing')
      else logger.info(fields, 'a service of this node passes its check')
      onChange()
    }
    return pauseMs === undefined ? undefined : Math.min(pauseMs, everyMs)
  }
}
