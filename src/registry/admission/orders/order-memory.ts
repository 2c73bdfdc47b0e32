import { setImmediate as nextTurn } from 'node:timers/promises'
import { keyId } from '../../../identity/key-id.ts'
import type { Replica } from '../../log/replica.ts'
import { readStoredEntry } from '../../log/state/stored-entry.ts'
import type { LogEntry } from '../../objects/entry.ts'
import { payloadHash } from '../../objects/envelope.ts'
import { clockSkewMs, secondOrderMs } from '../limits.ts'

/** Rows of the log between two turns of the event loop. */
const pageRows = 1000

/**
 * The orders of the newest entries: an order that comes again is answered with its entry, after a restart too, as the log itself is the
 * memory. Older orders are refused for their age.
 */
export class OrderMemory {
  readonly #replica: Replica
  readonly #made = new Map<string, { n: number; timeMs: number }>()
  #loading: Promise<void> | undefined

  constructor(replica: Replica) {
    this.#replica = replica
    replica.events.addEventListener('entries', ({ detail }) => {
      for (const { value } of detail.entries) this.#add(value)
    })
    replica.events.addEventListener('reset', () => {
      this.#made.clear()
      this.#loading = undefined
    })
  }

  /** Position of the entry that an order has made; undefined: none. */
  async entryOf(order: Uint8Array): Promise<number | undefined> {
    this.#loading ??= this.#load()
    await this.#loading
    return this.#made.get(keyId(payloadHash(order)))?.n
  }

  async #load(): Promise<void> {
    const { head, ledger } = this.#replica
    const oldestMs = ledger.clock.now() - secondOrderMs - clockSkewMs
    for (let after = ledger.table.newestBefore(head.n, oldestMs) ?? 0; ; ) {
      const page = ledger.table.items(after, pageRows)
      for (const { n, envelope } of page) {
        this.#add(readStoredEntry(envelope).value)
        after = n
      }
      if (page.length < pageRows) return
      await nextTurn()
    }
  }

  #add({ n, timeMs, orders = [] }: LogEntry): void {
    for (const order of orders) this.#made.set(keyId(payloadHash(order)), { n, timeMs })
    for (const [key, made] of this.#made) {
      if (made.timeMs >= timeMs - secondOrderMs - clockSkewMs) break
      this.#made.delete(key)
    }
  }
}
