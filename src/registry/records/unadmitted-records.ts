import { keyId } from '../../identity/key-id.ts'
import { LimitError, NotMemberError, StaleRecordError, UnavailableError } from '../../runtime/errors.ts'
import type { Signed } from '../objects/envelope.ts'
import type { NodeRecord } from '../objects/record.ts'

export interface HeldLimits {
  /** Time for which a record waits for the admit entry of its key. */
  readonly holdMs: number
  /** Records that wait at the same time. Anybody can make keys, so it is a small number of small records. */
  readonly heldRecords: number
}

export const defaultHeldLimits: HeldLimits = { holdMs: 10_000, heldRecords: 1_000 }

/** Until it runs again, or another one was found. */
const closedRetryMs = 1_000

/** Part of the room that one asker may take: who sends records of keys that nobody admits takes nobody else's. */
const shareOfOne = 1 / 4

interface Waiting {
  readonly asker: string
  readonly record: Signed<NodeRecord>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Records that came before the admit entry of their key: log and records travel on different ways. One per key. */
export class UnadmittedRecords {
  readonly #limits: HeldLimits
  readonly #waiting = new Map<string, Waiting>()
  /** Number that waits of each asker. */
  readonly #shares = new Map<string, number>()

  constructor(limits: HeldLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#waiting.size
  }

  /**
   * Resolves when the key is admitted.
   *
   * @throws NotMemberError when that does not happen in time
   * @throws LimitError when too many wait already, UnavailableError at the end of this process: neither says who is a member
   * @throws StaleRecordError when a newer record of the key came meanwhile
   */
  wait(record: Signed<NodeRecord>, asker: string): Promise<void> {
    const id = keyId(record.value.publicKey)
    const before = this.#waiting.get(id)
    if (before !== undefined && before.record.value.seq >= record.value.seq) {
      return Promise.reject(new StaleRecordError('a newer record of this key is waiting already', before.record.bytes))
    }
    if (before === undefined && !this.#hasRoom(asker)) {
      return Promise.reject(new LimitError('too many records wait for their admission already'))
    }
    this.#end(id)?.reject(new StaleRecordError('a newer record of this key came', record.bytes))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(id)?.reject(new NotMemberError(`not a member, nor admitted within ${this.#limits.holdMs / 1000} s`))
      }, this.#limits.holdMs)
      this.#shares.set(asker, this.#shareOf(asker) + 1)
      this.#waiting.set(id, { asker, record, resolve, reject, timer: timer.unref() })
    })
  }

  /** The key is a member now. */
  admitted(publicKey: Uint8Array): void {
    this.#end(keyId(publicKey))?.resolve()
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const id of this.#waiting.keys())
      this.#end(id)?.reject(new UnavailableError('this registry stops', closedRetryMs))
  }

  #shareOf(asker: string): number {
    return this.#shares.get(asker) ?? 0
  }

  #hasRoom(asker: string): boolean {
    const { heldRecords } = this.#limits
    return this.#waiting.size < heldRecords && this.#shareOf(asker) < Math.ceil(heldRecords * shareOfOne)
  }

  #end(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    clearTimeout(waiting.timer)
    this.#waiting.delete(id)
    const share = this.#shareOf(waiting.asker) - 1
    if (share > 0) this.#shares.set(waiting.asker, share)
    else this.#shares.delete(waiting.asker)
    return waiting
  }
}
