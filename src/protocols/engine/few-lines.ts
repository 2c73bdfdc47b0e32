import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import type { Rate } from './rate-limiter.ts'
import { Gcra } from './rate-limiter.ts'

/** Lines that strangers cause: more say nothing more, and would fill the disk of whoever is asked by many. */
export const strangerLines: Rate = { count: 30, perMs: 60_000 }

/** A log of what strangers cause, who come under new keys as often as they like. The line after some that are left out says how many. */
export class FewLines {
  readonly #logger: Logger
  readonly #rate: Gcra
  #leftOut = 0

  constructor(logger: Logger, clock?: Clock) {
    this.#logger = logger
    this.#rate = new Gcra(strangerLines, clock === undefined ? {} : { clock })
  }

  info(fields: object, message: string): void {
    if (this.#rate.take('') > 0) {
      this.#leftOut++
      return
    }
    const leftOut = this.#leftOut > 0 && { left_out: this.#leftOut }
    this.#leftOut = 0
    this.#logger.info({ ...fields, ...leftOut }, message)
  }
}
