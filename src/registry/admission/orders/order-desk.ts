import { equals } from 'uint8arrays/equals'
import { at } from '../../../identity/bytes.ts'
import { sha256 } from '../../../identity/hash.ts'
import { keyId } from '../../../identity/key-id.ts'
import { peerIdText } from '../../../identity/keys.ts'
import type { Clock, Logger } from '../../../runtime/clock-and-logger.ts'
import {
  ChangedMeanwhileError,
  InvalidPayloadError,
  LogMismatchError,
  NotFoundError,
  NotOperatorError,
  RefusedError,
  SecondOperatorError
} from '../../../runtime/errors.ts'
import type { EntryDraft, Root } from '../../log/log-writer.ts'
import type { Replica } from '../../log/replica.ts'
import { notOperator } from '../../log/state/order-rules.ts'
import { readStoredEntry } from '../../log/state/stored-entry.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import { openJoin } from '../../objects/join.ts'
import { type Act, actOf, type OpenedAct, openAct } from '../../objects/orders/act.ts'
import { openOrder, readStoredOrder } from '../../objects/orders/order.ts'
import type { GroupCommit } from '../../store/group-commit.ts'
import { clockSkewMs } from '../limits.ts'
import type { PendingJoins } from '../pending-joins.ts'
import type { RootAdmission } from '../root-admission.ts'
import type { Author } from './author.ts'
import { OrderMemory } from './order-memory.ts'
import { type WaitingActs, WaitingOrders } from './waiting-orders.ts'

/** Entries of one request: a registry that is retired makes two. */
const maxActs = 4

export interface OrderDeskComponents {
  commit: GroupCommit
  root: Root
  replica: Replica
  pending: PendingJoins
  rootAdmission: Pick<RootAdmission, 'approve'>
  clock: Clock
  logger: Logger
}

/** Appends the orders that wait for an act, each act's own behind them. */
type Append = (ordersOf: (index: number) => Uint8Array[]) => Promise<Signed<LogEntry>[]>

/** The root's desk for what operators order, here and from their own machines. */
export class OrderDesk {
  readonly #components: OrderDeskComponents
  readonly #memory: OrderMemory
  readonly #waiting: WaitingOrders
  readonly #running = new Map<string, Promise<Signed<LogEntry>[]>>()
  /** Ids of acts that wait and are being completed, or taken back. */
  readonly #completing = new Set<string>()
  readonly #takingBack = new Set<string>()

  constructor(components: OrderDeskComponents) {
    this.#components = components
    this.#memory = new OrderMemory(components.replica)
    this.#waiting = new WaitingOrders({ ...components, table: components.replica.ledger.meta })
  }

  /** Acts that wait for a second operator, oldest first. */
  waiting(): WaitingActs[] {
    return this.#waiting.list()
  }

  /** The operator of this machine. */
  get local(): Author {
    const { root } = this.#components
    return {
      append: async (bodies, options = {}) => {
        try {
          return await root.append(bodies, { ...options, byOperator: true })
        } catch (error) {
          if (!(error instanceof SecondOperatorError)) throw error
        }
        const acts = bodies.map((body) => ({ ...actOf(body), order: at(root.ownOrders(body), 0) }))
        return await this.#complete(acts, (ordersOf) =>
          root.append(
            bodies.map((body, i) => ({ ...root.completed(body), orders: ordersOf(i) })),
            options
          )
        )
      }
    }
  }

  /**
   * Enters what an operator ordered, all or none. An order that was carried out is answered with its entry. `from`: who brings it.
   * @throws NotOperatorError, SecondOperatorError when it waits for another operator, ChangedMeanwhileError; what opening and Root.append throw
   */
  async submit(given: readonly Act[], from: Uint8Array): Promise<Signed<LogEntry>[]> {
    const { replica } = this.#components
    const acts = this.#open(given, from)
    const first = keyId(at(acts, 0).signed.hash)
    const running = this.#running.get(first)
    if (running !== undefined) return await running
    const made = await Promise.all(acts.map(({ order }) => this.#memory.entryOf(order)))
    const done = made.filter((n) => n !== undefined)
    if (done.length === acts.length) return done.map((n) => readStoredEntry(replica.ledger.bytesOf(n)))
    for (const act of acts) this.#requireLatest(act)
    const started = this.#running.get(first) ?? this.#carryOut(acts).finally(() => this.#running.delete(first))
    this.#running.set(first, started)
    return await started
  }

  /**
   * Takes back acts that wait for a second operator: by whoever ordered them, or by any operator when that one is none any more. An order that was
   * signed later stays; this one, and older ones of its signer for the same, count no more when they come again.
   * @throws NotFoundError, RefusedError for those of another operator, ChangedMeanwhileError
   */
  async withdraw(id: string, { publicKey, timeMs }: { publicKey: Uint8Array; timeMs: number }): Promise<void> {
    const waiting = this.waiting().find((each) => each.id === id)
    if (waiting === undefined) throw new NotFoundError(`nothing waits as ${id}: it was done, or taken back`)
    const order = readStoredOrder(at(waiting.acts, 0).order)
    if (keyId(order.publicKey) !== keyId(publicKey) && this.#isStanding(waiting)) {
      throw new RefusedError(`what waits as ${id} was ordered by another operator, who alone takes it back`)
    }
    if (order.timeMs > timeMs || this.#completing.has(id)) {
      throw new ChangedMeanwhileError(`what waits as ${id} was ordered since, or is being done: look again`)
    }
    const { commit } = this.#components
    await during(this.#takingBack, id, () => commit.write(() => this.#waiting.takeBack(waiting, timeMs)))
  }

  /** Refuses a question that is not of an operator, or is old. @throws NotOperatorError, ChangedMeanwhileError, InvalidPayloadError */
  requireAsker(question: Uint8Array, order: Uint8Array, from: Uint8Array): void {
    const { clock, replica } = this.#components
    const { value, signer } = openOrder(order, replica.networkId)
    if (value.kind !== 0 || !equals(value.digest, sha256(question))) {
      throw new InvalidPayloadError('the order is for something else than the question that came with it')
    }
    this.#requireOperator(signer, from)
    if (value.epoch === replica.head.epoch && Math.abs(value.timeMs - clock.now()) <= clockSkewMs) return
    throw new ChangedMeanwhileError('the question is of another time: ask again')
  }

  #open(given: readonly Act[], from: Uint8Array): OpenedAct[] {
    const { replica } = this.#components
    if (given.length === 0 || given.length > maxActs)
      throw new InvalidPayloadError(`a request has 1 to ${maxActs} acts`)
    const acts = given.map((act) => openAct(act, replica.networkId))
    const { signer } = at(acts, 0).signed
    if (acts.some(({ signed }) => keyId(signed.signer) !== keyId(signer))) {
      throw new InvalidPayloadError('the acts of a request are of one operator')
    }
    this.#requireOperator(signer, from)
    return acts
  }

  #requireOperator(signer: Uint8Array, from: Uint8Array): void {
    const { logger, replica } = this.#components
    if (this.#isOperator(signer)) return
    const fields = { key: peerIdText(signer), peer: peerIdText(from) }
    const isRevoked = replica.state.isRevoked(signer)
    logger.warn(fields, `an order was refused: its key ${isRevoked ? 'was revoked' : 'is that of no operator'}`)
    if (!isRevoked) throw notOperator(signer)
    throw new NotOperatorError(
      `${peerIdText(signer)} was revoked and orders nothing any more: \`trustnet operator remove\` takes it off the list`
    )
  }

  #isOperator(publicKey: Uint8Array): boolean {
    const { state } = this.#components.replica
    return state.operator(publicKey) !== undefined && !state.isRevoked(publicKey)
  }

  /** Refuses to enter again who was removed since the order was signed: of a removal the state keeps nothing, the log does. */
  #requireLatest({ content, signed }: OpenedAct): void {
    if (content.kind !== 'operator' && content.kind !== 'publisher') return
    const { seenN } = signed.value
    const newer = this.#components.replica.ledger.table
      .about(content.body.publicKey, seenN)
      .findLast(({ envelope }) => readStoredEntry(envelope).value.kind === content.kind)
    if (newer === undefined) return
    throw new ChangedMeanwhileError(
      `entry ${newer.n} has changed it since the operator looked: look again, and decide anew`
    )
  }

  async #carryOut(acts: readonly OpenedAct[]): Promise<Signed<LogEntry>[]> {
    const { pending, root, rootAdmission, replica } = this.#components
    const [first] = acts
    if (acts.length === 1 && first?.content.kind === 'admit' && 'join' in first.content) {
      const { publicKey } = openJoin(first.content.join, replica.networkId).value
      pending.requireSame(publicKey, first.content.join)
      return await this.#complete(acts, async (ordersOf) => {
        const append: Author['append'] = (bodies, options) =>
          root.append(
            bodies.map((body) => ({ ...body, orders: ordersOf(0) })),
            options
          )
        const entry = await rootAdmission.approve(publicKey, { append })
        return [readStoredEntry(entry)]
      })
    }
    const bodies = acts.map(({ content }) => draftOf(content))
    const inCommit = (): void => {
      for (const { kind, body } of bodies) if (kind === 'revoke') pending.clear(body.publicKey)
    }
    return await this.#complete(acts, (ordersOf) =>
      root.append(
        bodies.map((body, i) => ({ ...body, orders: ordersOf(i) })),
        { inCommit }
      )
    )
  }

  /** Appends with the orders of another operator where these wait for this one; where they need one, they wait. */
  async #complete(acts: readonly Act[], append: Append): Promise<Signed<LogEntry>[]> {
    this.#waiting.requireStanding(acts)
    const by = readStoredOrder(at(acts, 0).order).publicKey
    const found = this.#waiting.find(acts, by)
    // An order of an operator who was removed since gives way to the order of this one.
    const isThere = found !== undefined && this.#isStanding(found) && !this.#takingBack.has(found.id)
    const waiting = isThere ? found : undefined
    const appended = () =>
      append((i) => [...(waiting === undefined ? [] : [at(waiting.acts, i).order]), at(acts, i).order])
    try {
      if (waiting === undefined) return await appended()
      const entries = await during(this.#completing, waiting.id, appended)
      await this.#drop(waiting)
      return entries
    } catch (error) {
      const isVoid = error instanceof ChangedMeanwhileError || error instanceof LogMismatchError
      if (waiting !== undefined && isVoid) await this.#drop(waiting)
      if (waiting !== undefined || !(error instanceof SecondOperatorError)) throw error
    }
    const { id } = await this.#waiting.keep(acts)
    throw new SecondOperatorError(
      `the policy asks for two operators: this waits as ${id} for another one, who runs \`trustnet operator approve ${id}\`; \`trustnet operator withdraw ${id}\` takes it back`
    )
  }

  #isStanding({ acts }: WaitingActs): boolean {
    return acts.every(({ order }) => this.#isOperator(readStoredOrder(order).publicKey))
  }

  #drop({ id }: WaitingActs): Promise<void> {
    return this.#components.commit.write(() => this.#waiting.drop(id))
  }
}

/** Does something while the id stands in the set. */
async function during<T>(ids: Set<string>, id: string, work: () => Promise<T>): Promise<T> {
  ids.add(id)
  try {
    return await work()
  } finally {
    ids.delete(id)
  }
}

function draftOf(content: OpenedAct['content']): EntryDraft {
  const isOne = content.kind !== 'unknown' && content.kind !== 'delegate' && content.kind !== 'authority'
  if (!isOne || 'join' in content) throw new InvalidPayloadError('an admission is ordered alone')
  if (content.kind === 'registrySet' && !content.body.removed) {
    throw new InvalidPayloadError('registries enter the set by themselves, when they run')
  }
  return content
}
