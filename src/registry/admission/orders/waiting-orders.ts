import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { at } from '../../../identity/bytes.ts'
import { keyId } from '../../../identity/key-id.ts'
import type { Clock } from '../../../runtime/clock-and-logger.ts'
import { ChangedMeanwhileError, LimitError } from '../../../runtime/errors.ts'
import { type Act, idOfActs } from '../../objects/orders/act.ts'
import { readStoredOrder } from '../../objects/orders/order.ts'
import type { GroupCommit } from '../../store/group-commit.ts'
import type { MetaTable } from '../../store/meta-table.ts'
import { clockSkewMs, secondOrderMs } from '../limits.ts'

const metaKey = 'waiting-orders'
const takenBackKey = 'orders-taken-back'
/** As many as an operator can look through. */
const maxWaiting = 64
/** Acts that one operator takes back while their orders count: the oldest of its own give way. */
const maxTakenBack = 256

/** Acts that one operator has ordered and another one has to order, too. */
export interface WaitingActs {
  /** The same for the same acts, whoever orders them. */
  readonly id: string
  readonly sinceMs: number
  /** Each with the first order. */
  readonly acts: readonly Act[]
}

export interface WaitingOrdersComponents {
  table: MetaTable
  commit: GroupCommit
  clock: Clock
}

type Stored = { id: string; sinceMs: number; acts: { kind: number; body: string; order: string }[] }

/** An act that its operator has taken back: orders of that one for it which are no newer count no more. */
interface TakenBack {
  act: string
  by: string
  timeMs: number
}

/** Acts that wait for a second operator, and those taken back, kept over restarts. Only the root has any. */
export class WaitingOrders {
  readonly #components: WaitingOrdersComponents
  readonly #table: MetaTable

  constructor(components: WaitingOrdersComponents) {
    this.#components = components
    this.#table = components.table
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

  /**
   * Keeps acts; the same ones of before give way, and on a full list the oldest of whoever has most.
   * @throws LimitError for that one, ChangedMeanwhileError as requireStanding
   */
  async keep(acts: readonly Act[]): Promise<WaitingActs> {
    const waiting = { id: idOfActs(acts), sinceMs: this.#components.clock.now(), acts }
    await this.#components.commit.write(() => {
      this.requireStanding(acts)
      const others = this.list().filter(({ id }) => id !== waiting.id)
      this.#put([...(others.length < maxWaiting ? others : withRoom(others, waiting)), waiting])
    })
    return waiting
  }

  /** Inside a commit. */
  drop(gone: string): void {
    this.#put(this.list().filter(({ id }) => id !== gone))
  }

  /** Inside a commit: takes acts back by a word of this time. */
  takeBack({ id, acts }: WaitingActs, timeMs: number): void {
    this.drop(id)
    const by = signerOf({ acts })
    const others = this.#takenBack()
    const taken = acts.map((act) => ({ act: idOfActs([act]), by, timeMs }))
    const own = [...others.filter((each) => each.by === by), ...taken]
    const kept = [...others.filter((each) => each.by !== by), ...own.slice(-maxTakenBack)]
    this.#table.put(takenBackKey, Buffer.from(JSON.stringify(kept)))
  }

  /** Refuses orders whose signer has taken back the same since. @throws ChangedMeanwhileError */
  requireStanding(acts: readonly Act[]): void {
    const by = signerOf({ acts })
    const gone = this.#takenBack().filter((each) => each.by === by)
    const isGone = acts.some((act) => {
      const [id, { timeMs }] = [idOfActs([act]), readStoredOrder(act.order)]
      return gone.some((each) => each.act === id && timeMs <= each.timeMs)
    })
    if (isGone) throw new ChangedMeanwhileError('this order was taken back since it was signed: order it anew')
  }

  /** Those whose orders are not refused for their age anyhow. */
  #takenBack(): TakenBack[] {
    const bytes = this.#table.get(takenBackKey)
    const stored: TakenBack[] = bytes === undefined ? [] : JSON.parse(Buffer.from(bytes).toString('utf8'))
    const oldestMs = this.#components.clock.now() - secondOrderMs - clockSkewMs
    return stored.filter(({ timeMs }) => timeMs >= oldestMs)
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
