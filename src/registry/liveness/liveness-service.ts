import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import type { NodeTable } from '../store/node-table.ts'
import { Liveness, type LivenessEffect, type ObservedNetwork } from './liveness.ts'
import { MemberRows } from './member-rows.ts'
import type { Hint } from './observation.ts'
import type { LivenessTimings } from './timings.ts'

export interface LivenessServiceInit {
  readonly network: ObservedNetwork
  readonly clock: Clock
  readonly logger: Logger
  readonly timings?: Partial<LivenessTimings>
  readonly table: Pick<NodeTable, 'all' | 'put' | 'putPeers' | 'delete'>
  readonly write: <T>(run: () => T) => Promise<T>
  /** Members that look different than before, each once, at most every `hintDelayMs` while started. */
  readonly onHints?: (hints: Hint[]) => void
  /** A registry that speaks for members said that it is there: those who follow the hints are to be told. */
  readonly onPulse?: () => void
}

/** Sources are few, and how soon one is missed depends on how often they are looked at. */
const looksPerTick = 4

/** Runs liveness in a process: gives it time, keeps its rows, and carries its effects out. */
export class LivenessService {
  readonly core: Liveness
  readonly #init: LivenessServiceInit
  readonly #rows: MemberRows
  #running: Running[] = []
  #hintTimer: NodeJS.Timeout | undefined

  constructor(init: LivenessServiceInit) {
    this.#init = init
    this.#rows = new MemberRows({
      ...init,
      current: (id) => this.core.members.get(id),
      times: () => this.core.times()
    })
    this.core = new Liveness({ ...init, rows: init.table.all(), effect: (effect) => this.#carryOut(effect) })
  }

  start(services: Supervisor): void {
    if (this.#running.length > 0) return
    const { tickMs, persistMs } = this.core.timings
    let looks = 0
    const look = (): void => (looks++ % looksPerTick === 0 ? this.core.tick() : this.core.lookAtSources())
    this.#running = [
      services.run('liveness', { everyMs: tickMs / looksPerTick, round: look }),
      services.run('liveness store', { everyMs: persistMs, round: () => this.save() })
    ]
    this.#scheduleHints()
  }

  /** Ends what `start` began and writes what was observed. */
  async stop(): Promise<void> {
    const ended = Promise.all(this.#running.map((running) => running.stop()))
    this.#running = []
    clearTimeout(this.#hintTimer)
    this.#hintTimer = undefined
    await ended
    await this.save()
  }

  /** Writes what was observed since the last time. */
  save(): Promise<void> {
    return this.#rows.save()
  }

  #carryOut(effect: LivenessEffect): void {
    if (effect.kind === 'pulse') this.#init.onPulse?.()
    else if (effect.kind === 'kept') this.#rows.changed(effect.member)
    else if (effect.kind === 'forgotten') {
      this.#rows.forgotten(effect.member)
      inBackground(this.save(), 'saving liveness')
    } else if (effect.kind === 'doubt') {
      this.#init.logger.warn(
        { leases: effect.leases, reason: effect.reason },
        'Many members fell silent at once, so this registry may be cut off itself: nobody is called offline until a session answers'
      )
    } else if (effect.kind === 'leaving') this.#sendHints()
    else if (this.#running.length > 0) this.#scheduleHints()
  }

  #scheduleHints(): void {
    this.#hintTimer ??= setTimeout(() => this.#sendHints(), this.core.timings.hintDelayMs).unref()
  }

  #sendHints(): void {
    clearTimeout(this.#hintTimer)
    this.#hintTimer = undefined
    const hints = this.core.takeChanged()
    if (hints.length > 0) this.#init.onHints?.(hints)
  }
}
