import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import type { Clock } from '../../../runtime/clock-and-logger.ts'
import { LimitError } from '../../../runtime/errors.ts'
import { type Act, idOfActs } from '../../objects/orders/act.ts'
import { readStoredOrder } from '../../objects/orders/order.ts'
import type { Database } from '../../store/database.ts'
import type { GroupCommit } from '../../store/group-commit.ts'
import { MetaTable } from '../../store/meta-table.ts'
import { secondOrderMs } from '../limits.ts'

const metaKey = 'waiting-orders'
/** As many as an operator can look through. */
const maxWaiting = 64

/** Acts that one operator has ordered and another one has to order, too. */
export interface WaitingActs {
  /** The same for the same acts, whoever orders them. */
  readonly id: string
  readonly sinceMs: number
  /** Each with the first order. */
  readonly acts: readonly Act[]
}

export interface WaitingOrdersComponents {
  db: Database
  commit: GroupCommit
  clock: Clock
}

type Stored = { id: string; sinceMs: number; acts: { kind: number; body: string; order: string }[] }

/** Acts that wait for a second operator, kept over restarts. Only the root has any. */
export class WaitingOrders {
  readonly #components: WaitingOrdersComponents
  readonly #table: MetaTable

  constructor(components: WaitingOrdersComponents) {
    this.#components = components
    this.#table = new MetaTable(components.db)
  }

  /** Oldest first. */
  list(): WaitingActs[] {
    const bytes = this.#table.get(metaKey)
    const stored: Stored[] = bytes === undefined ? [] : JSON.parse(Buffer.from(bytes).toString('utf8'))
    const oldestMs = this.#components.clock.now() - secondOrderMs
    return stored.filter(({ sinceMs }) => sinceMs >= oldestMs).map(fromStored)
  }

  /** Those that another operator than this one has ordered. */
  find(acts: readonly Omit<Act, 'order'>[], by: Uint8Array): WaitingActs | undefined {
    const id = idOfActs(acts)
    return this.list().find((each) => each.id === id && !isBy(each, by))
  }

  /** Keeps acts; the same ones of before give way. @throws LimitError */
  async keep(acts: readonly Act[]): Promise<WaitingActs> {
    const waiting = { id: idOfActs(acts), sinceMs: this.#components.clock.now(), acts }
    await this.#components.commit.write(() => {
      const others = this.list().filter(({ id }) => id !== waiting.id)
      if (others.length >= maxWaiting) {
        throw new LimitError(`${maxWaiting} acts wait for a second operator already: \`trustnet operator pending\``)
      }
      this.#put([...others, waiting])
    })
    return waiting
  }

  /** Inside a commit. */
  drop(gone: string): void {
    this.#put(this.list().filter(({ id }) => id !== gone))
  }

  #put(waiting: readonly WaitingActs[]): void {
    this.#table.put(metaKey, Buffer.from(JSON.stringify(waiting.map(toStored))))
  }
}

const isBy = ({ acts: [first] }: WaitingActs, by: Uint8Array): boolean =>
  first !== undefined && Buffer.compare(readStoredOrder(first.order).publicKey, by) === 0

const toStored = ({ id, sinceMs, acts }: WaitingActs): Stored => ({
  id,
  sinceMs,
  acts: acts.map(({ kind, body, order }) => ({ kind, body: text(body, 'base64'), order: text(order, 'base64') }))
})

const fromStored = ({ id, sinceMs, acts }: Stored): WaitingActs => ({
  id,
  sinceMs,
  acts: acts.map(({ kind, body, order }) => ({ kind, body: bytes(body), order: bytes(order) }))
})

const bytes = (given: string): Uint8Array => fromString(given, 'base64')
