import type { Logger } from '../../../runtime/clock-and-logger.ts'
import { ForkError, NotRootError, UnavailableError } from '../../../runtime/errors.ts'
import type { Checkpoint } from '../../objects/checkpoint.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { Replica } from '../replica.ts'
import { comparePositions, type LogPosition } from '../state/position.ts'

const retryMs = 1000

/** Holds the root back from appending: replaced, before a fork, behind what a member holds, or fenced. */
export class AppendGate {
  readonly #replica: Replica
  readonly #logKey: Uint8Array
  readonly #logger: Logger
  #fence: string | undefined
  #opening: PromiseWithResolvers<void> | undefined
  #higher: LogPosition | undefined

  constructor({ replica, logKey, logger }: { replica: Replica; logKey: Uint8Array; logger: Logger }) {
    this.#replica = replica
    this.#logKey = logKey
    this.#logger = logger
    replica.events.addEventListener('newer', this.#onNewer)
  }

  /** Looks no more at what members hold. */
  stop(): void {
    this.#replica.events.removeEventListener('newer', this.#onNewer)
  }

  readonly #onNewer = (event: CustomEvent<{ checkpoint: Signed<Checkpoint> }>): void => {
    const { epoch, n } = event.detail.checkpoint.value
    if (this.#higher !== undefined && comparePositions({ epoch, n }, this.#higher) <= 0) return
    this.#higher = { epoch, n }
    this.#logger.error(
      { epoch, n, own: this.#replica.head.n },
      'a member holds more of the log than this root: nothing is appended until the missing entries are here'
    )
  }

  /** Appends nothing until `release`: after a start, others may hold more of the log. The reason is for people. */
  fence(reason: string): void {
    this.#fence = reason
    this.#opening ??= Promise.withResolvers()
  }

  release(): void {
    this.#fence = undefined
    this.#opening?.resolve()
    this.#opening = undefined
  }

  /** Resolves when there is no fence (any more). */
  get released(): Promise<void> {
    return this.#opening?.promise ?? Promise.resolve()
  }

  /** True when the authority gave the log key to another one: this process is not the root any more. */
  get isReplaced(): boolean {
    const { head, state } = this.#replica
    return !state.keys.isKeyOf(head.epoch, this.#logKey)
  }

  /** The reason why nothing can be appended now; undefined: it can, as far as the history goes. */
  get refusal(): Error | undefined {
    const replica = this.#replica
    const { head } = replica
    if (this.isReplaced) {
      return new NotRootError(
        `the log key of epoch ${head.epoch} is another one: this process is not the root any more`
      )
    }
    if (replica.isForked) {
      return new ForkError(
        `epoch ${head.epoch} has two histories: nothing is appended until its authority opens a new epoch; keep every registry.db, they hold the proof`
      )
    }
    if (this.#higher !== undefined && comparePositions(this.#higher, head) > 0) {
      const { n } = this.#higher
      return new UnavailableError(
        `a member holds the log up to ${n}, this root only up to ${head.n}: it is fetched first`,
        retryMs
      )
    }
    if (this.#fence !== undefined) return new UnavailableError(this.#fence, retryMs)
    return undefined
  }
}
