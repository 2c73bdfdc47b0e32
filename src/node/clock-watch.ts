import type { Registry } from '../registry/registry.ts'
import { ageOf, type Clock, type Logger, momentOf } from '../runtime/clock-and-logger.ts'
import { durationText, maxStepMs } from '../runtime/steady-clock.ts'
import type { Running, Supervisor } from '../runtime/supervisor.ts'

export interface ClockWatchInit {
  registry: Registry
  clock: Clock
  logger: Logger
}

const lookMs = 1_000
/** Time in which members come, or a time service sets the clock of a machine that has just started. */
const patienceMs = 60_000

/**
 * Says when the wall clock steps while the process runs. Any node but the root follows it again when the root's checkpoints agree with it; the
 * root, whom nobody corrects, when it comes back or an operator says that it is right.
 */
export class ClockWatch {
  readonly #init: ClockWatchInit
  #isStepped = false
  /** A moment: the clock has been in doubt since then, and nobody has said that it is wrong. */
  #doubtedSince: number | undefined
  #looking: Running | undefined

  constructor(init: ClockWatchInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    const { registry } = this.#init
    registry.replica.events.addEventListener('checkpoint', this.#onCheckpoint)
    this.#looking = services.run('clock', { everyMs: lookMs, round: () => this.#look() })
  }

  async stop(): Promise<void> {
    this.#init.registry.replica.events.removeEventListener('checkpoint', this.#onCheckpoint)
    await this.#looking?.stop()
  }

  #look(): void {
    const { registry, clock, logger } = this.#init
    const { stepMs } = clock
    if (stepMs === undefined) {
      this.#doubt()
      if (this.#isStepped) logger.info({}, 'the clock of this machine is followed again')
      this.#isStepped = false
      return
    }
    this.#isStepped = true
    const next =
      registry.root === undefined
        ? 'the time before goes on here until checkpoints of the root agree with the clock'
        : 'the time before goes on here and nothing is signed until it is set back, or `trustnet registry clock --accept` says that it is right'
    registry.alarms.raise(
      'clock_step',
      `the clock of this machine has stepped by ${durationText(stepMs)} ${stepMs > 0 ? 'forward' : 'back'} while it ran: ${next}`,
      { step_seconds: Math.round(stepMs / 1000) }
    )
  }

  /** Raises the alarm when the clock may have been wrong at the start: at once where members say so. */
  #doubt(): void {
    const { registry, clock } = this.#init
    const doubted = registry.root?.clock
    const refusal = doubted?.refusal()
    if (doubted === undefined || refusal === undefined) {
      this.#doubtedSince = undefined
      return
    }
    this.#doubtedSince ??= momentOf(clock)
    if (doubted.others().differ === 0 && ageOf(clock, this.#doubtedSince) < patienceMs) return
    registry.alarms.raise('clock_doubt', refusal.message)
  }

  readonly #onCheckpoint = ({ detail }: CustomEvent<{ checkpoint: { value: { timeMs: number } } }>): void => {
    const { registry, clock } = this.#init
    const { stepMs } = clock
    if (stepMs === undefined || registry.root !== undefined) return
    const wallMs = clock.now() + stepMs
    if (Math.abs(detail.checkpoint.value.timeMs - wallMs) <= maxStepMs) clock.accept?.()
  }
}
