import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { at } from '../../../identity/bytes.ts'
import { keyId } from '../../../identity/key-id.ts'
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

  /** Keeps acts; the same ones of before give way, and on a full list the oldest of whoever has most. @throws LimitError for that one */
  async keep(acts: readonly Act[]): Promise<WaitingActs> {
    const waiting = { id: idOfActs(acts), sinceMs: this.#components.clock.now(), acts }
    await this.#components.commit.write(() => {
      const others = this.list().filter(({ id }) => id !== waiting.id)
      this.#put([...(others.length < maxWaiting ? others : withRoom(others, waiting)), waiting])
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

/** @throws LimitError when nobody has more on the list than who asks for room */
const withRoom = (full: readonly WaitingActs[], { acts }: WaitingActs): WaitingActs[] => {
  const by = Map.groupBy(full, signerOf)
  const [most = []] = [...by.values()].toSorted((a, b) => b.length - a.length)
  const own = by.get(signerOf({ acts }))?.length ?? 0
  if (most.length <= own + 1) {
    throw new LimitError(`${maxWaiting} acts wait for a second operator already: \`trustnet operator pending\``)
  }
  return full.filter((each) => each !== most[0])
}

const signerOf = ({ acts }: Pick<WaitingActs, 'acts'>): string => keyId(readStoredOrder(at(acts, 0).order).publicKey)

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
