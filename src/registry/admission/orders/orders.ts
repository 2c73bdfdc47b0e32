import { equals } from 'uint8arrays/equals'
import { NotFoundError, NotRootError } from '../../../runtime/errors.ts'
import type { Replica } from '../../log/replica.ts'
import type { LogEntry } from '../../objects/entry.ts'
import { payloadHash, type Signed } from '../../objects/envelope.ts'
import { readStoredJoin } from '../../objects/join.ts'
import type { Act } from '../../objects/orders/act.ts'
import type { PendingJoins } from '../pending-joins.ts'
import type { Author } from './author.ts'
import { Operators } from './operators.ts'
import type { OrderDesk } from './order-desk.ts'
import type { WaitingActs } from './waiting-orders.ts'

export interface OrdersComponents {
  replica: Replica
  /** Desk of the root; undefined elsewhere. */
  desk: OrderDesk | undefined
  pending: PendingJoins
}

/** The orders of operators, and in whose name things are done here. */
export class Orders {
  /** The people whose orders count. */
  readonly operators: Operators
  readonly #desk: OrderDesk | undefined
  readonly #pending: PendingJoins
  readonly #requireRoot: () => void

  /** `requireRoot` throws NotRootError elsewhere. */
  constructor({ replica, desk, pending }: OrdersComponents, requireRoot: () => void) {
    this.operators = new Operators(replica)
    this.#desk = desk
    this.#pending = pending
    this.#requireRoot = requireRoot
  }

  /** The operator who asks; without one, that of this machine. @throws NotRootError elsewhere than at the root */
  author(given?: Author): Author {
    return given ?? this.#atRoot().local
  }

  /**
   * Enters what an operator ordered on a machine of its own; `from`: who brings it.
   * @throws as OrderDesk.submit; NotRootError elsewhere than at the root
   */
  async submit(acts: readonly Act[], from: Uint8Array): Promise<Signed<LogEntry>[]> {
    return await this.#atRoot().submit(acts, from)
  }

  /**
   * Refuses a question that is not of an operator, or is old. `from`: who brings it.
   * @throws NotOperatorError, ChangedMeanwhileError, InvalidPayloadError; NotRootError elsewhere than at the root
   */
  requireAsker(question: Uint8Array, order: Uint8Array, from: Uint8Array): void {
    this.#atRoot().requireAsker(question, order, from)
  }

  /** Acts that wait for a second operator, then joins that wait for one, each oldest first. Only the root has any. */
  waiting(): WaitingActs[] {
    return this.#desk === undefined ? [] : [...this.#desk.waiting(), ...this.#pending.acts()]
  }

  /** Takes back acts that wait for a second operator. @throws as OrderDesk.withdraw; NotRootError elsewhere than at the root */
  async withdraw(id: string, by: { publicKey: Uint8Array; timeMs: number }): Promise<void> {
    await this.#atRoot().withdraw(id, by)
  }

  /** Refuses the join that waits with this hash of its payload. @throws NotRootError, NotFoundError */
  async rejectJoin(hash: Uint8Array, reason: string): Promise<void> {
    this.#requireRoot()
    const waiting = this.#pending.acts().flatMap(({ acts }) => acts)
    const act = waiting.find(({ body }) => equals(payloadHash(body), hash))
    if (act === undefined) throw new NotFoundError('no such join waits: it was decided, or changed, meanwhile')
    await this.#pending.reject(readStoredJoin(act.body).publicKey, reason)
  }

  #atRoot(): OrderDesk {
    this.#requireRoot()
    if (this.#desk !== undefined) return this.#desk
    throw new NotRootError('only the root enters what operators order: run this on its machine, or with --as KEYFILE')
  }
}
