import { randomUUID } from 'node:crypto'
import { equals } from 'uint8arrays/equals'
import { toString as text } from 'uint8arrays/to-string'
import { at } from '../../identity/bytes.ts'
import { encodeQuestion, type Question } from '../../protocols/admin/index.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import type { WaitingActs } from '../../registry/admission/orders/waiting-orders.ts'
import { type LogEntry, openEntry } from '../../registry/objects/entry.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import { actOf } from '../../registry/objects/orders/act.ts'
import { aborted, onAbort } from '../../runtime/abort.ts'
import { InvalidPayloadError, NotFoundError, UnavailableError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { OrderedView } from '../api/registry-views.ts'
import type { NetworkNode } from '../network-node.ts'
import { carryOut } from '../root/carry-out.ts'
import { bytesOf } from './base64.ts'
import type { LateAnswers } from './late/late-answers.ts'

/** An operator somewhere else, in whose name a call runs here. */
export interface RemoteAuthor extends Author {
  /** Acts and joins that wait at the root for an operator. */
  waiting(): Promise<readonly WaitingActs[]>
  /** Takes back the acts that wait with this id. */
  withdraw(id: string): Promise<void>
  /** Turns away the one that waits with this request, by the hash of its payload. */
  reject(join: Uint8Array, reason: string): Promise<void>
}

/** Something that the operator has to sign: an act, or a question as kind 0. */
interface ToSign {
  kind: number
  body: Uint8Array
}

export interface BeginOptions {
  /** The request and whose key signs: its answer is kept when nobody hears it. */
  request?: string | undefined
  signal?: AbortSignal | undefined
}

/** A person reads, and types a passphrase. */
const signMs = 120_000
const maxCalls = 16
const heldMs = 5_000
const heldEveryMs = 20

/**
 * Calls that an operator has begun: the call runs here, and what it enters into the log is signed by the command, whose key this process
 * never sees. Between the two steps the call waits.
 */
export class OrderedCalls {
  readonly #calls = new Map<string, OrderedCall>()
  readonly #late: LateAnswers | undefined

  constructor(late?: LateAnswers) {
    this.#late = late
  }

  /** Begins a call; gives what is to be signed, or its answer. A request whose answer nobody has heard is answered with that. */
  async begin(
    network: NetworkNode,
    self: Uint8Array,
    run: (author: RemoteAuthor) => Promise<object>,
    { request, signal }: BeginOptions = {}
  ): Promise<OrderedView> {
    const unheard = request === undefined ? undefined : this.#late?.take(request)
    if (request !== undefined && unheard !== undefined) {
      const answer = await this.#late?.heard(request, unheard, signal)
      return { ticket: '', ...placeIn(network), sign: [], answer: { ...answer } }
    }
    if (this.#calls.size >= maxCalls) throw new UnavailableError('too many orders wait for a signature here', heldMs)
    const ticket = randomUUID()
    const call = new OrderedCall(network, self, request)
    this.#calls.set(ticket, call)
    call.start(run, () => this.#calls.delete(ticket))
    return await this.#next(ticket, call, signal)
  }

  /** Goes on with the orders. @throws NotFoundError for a call that is over */
  async goOn(ticket: string, orders: readonly string[], signal?: AbortSignal): Promise<OrderedView> {
    const call = this.#calls.get(ticket)
    if (call === undefined) throw new NotFoundError('this order has waited for its signature for too long: begin anew')
    call.sign(orders.map(bytesOf))
    return await this.#next(ticket, call, signal)
  }

  /** Waits for what comes next. A call that was signed goes on when nobody waits for it any more. */
  async #next(ticket: string, call: OrderedCall, signal: AbortSignal | undefined): Promise<OrderedView> {
    const first = call.next(ticket)
    const { request, answer } = call
    if (request === undefined || this.#late === undefined || !call.isSigned) return await first
    using _ = onAbort(signal, () => call.abandon())
    return await this.#late.shown(request, answer, { signal, first })
  }
}

const placeIn = ({ registry: { networkId, replica } }: NetworkNode) => ({
  networkId: text(networkId, 'base16'),
  epoch: replica.head.epoch,
  seenN: replica.head.n
})

class OrderedCall implements RemoteAuthor {
  readonly asksPerson = true
  readonly #network: NetworkNode
  readonly #self: Uint8Array
  readonly #signal = AbortSignal.timeout(signMs)
  #toSign = Promise.withResolvers<readonly ToSign[]>()
  #signed = Promise.withResolvers<readonly Uint8Array[]>()
  #answer: Promise<object> = Promise.resolve({})
  #isSigned = false
  #isAbandoned = false
  /** The call as it was asked for, and by whose key; undefined: it is carried out each time. */
  readonly request: string | undefined

  constructor(network: NetworkNode, self: Uint8Array, request: string | undefined) {
    this.#network = network
    this.#self = self
    this.request = request
  }

  get answer(): Promise<object> {
    return this.#answer
  }

  get isSigned(): boolean {
    return this.#isSigned
  }

  /** Nobody signs anything more. */
  abandon(): void {
    this.#isAbandoned = true
  }

  start(run: (author: RemoteAuthor) => Promise<object>, over: () => void): void {
    this.#answer = run(this).finally(over)
    // Told by whoever asks next, or by nobody.
    this.#answer.catch(() => {})
  }

  async next(ticket: string): Promise<OrderedView> {
    const found = await Promise.race([this.#answer, this.#toSign.promise])
    const view = { ticket, ...placeIn(this.#network) }
    if (!isToSign(found)) return { ...view, sign: [], answer: { ...found } }
    return { ...view, sign: found.map(({ kind, body }) => ({ kind, body: text(body, 'base64') })), answer: null }
  }

  sign(orders: readonly Uint8Array[]): void {
    this.#isSigned = true
    this.#toSign = Promise.withResolvers()
    this.#signed.resolve(orders)
  }

  async #ask(what: readonly ToSign[]): Promise<readonly Uint8Array[]> {
    if (this.#isAbandoned) throw new UnavailableError('nobody is there any more who signs', heldMs)
    this.#signed = Promise.withResolvers()
    this.#toSign.resolve(what)
    await Promise.race([this.#signed.promise, aborted(this.#signal)])
    if (this.#signal.aborted) throw new UnavailableError('nobody has signed the order in time', heldMs)
    const orders = await this.#signed.promise
    if (orders.length === what.length) return orders
    throw new InvalidPayloadError('another number of orders than there is to sign')
  }

  async append(bodies: Parameters<Author['append']>[0]): Promise<Signed<LogEntry>[]> {
    const acts = bodies.map(actOf)
    const orders = await this.#ask(acts)
    const call = { acts: acts.map((act, i) => ({ ...act, order: at(orders, i) })) }
    const { entries } = await this.#carryOut(call)
    const { networkId, replica } = this.#network.registry
    const opened = entries.map((bytes) => openEntry(bytes, networkId))
    const isOurs =
      opened.every((entry) => replica.state.keys.isOfLog(entry)) &&
      orders.every((order) => opened.some(({ value }) => value.orders?.some((each) => equals(each, order))))
    if (!isOurs) throw new InvalidPayloadError('the root answered with other entries than were ordered')
    await this.#held(opened)
    return opened
  }

  async waiting(): Promise<readonly WaitingActs[]> {
    return (await this.#question({ what: 'waiting' })).waiting
  }

  async reject(join: Uint8Array, reason: string): Promise<void> {
    await this.#question({ what: 'reject', join, reason })
  }

  async withdraw(id: string): Promise<void> {
    await this.#question({ what: 'withdraw', id })
  }

  async #question(question: Question) {
    const bytes = encodeQuestion(question)
    const [order] = await this.#ask([{ kind: 0, body: bytes }])
    return await this.#carryOut({ question: bytes, order: order ?? new Uint8Array() })
  }

  #carryOut(call: Parameters<typeof carryOut>[1]): ReturnType<typeof carryOut> {
    return carryOut(this.#network, call, this.#self, { signal: this.#signal })
  }

  /** Waits for a moment until the entries are here, too: what is shown next is of this replica. */
  async #held(entries: readonly Signed<LogEntry>[]): Promise<void> {
    const { replica } = this.#network.registry
    const n = Math.max(...entries.map(({ value }) => value.n))
    const until = performance.now() + heldMs
    while (replica.head.n < n && performance.now() < until) await sleep(heldEveryMs)
  }
}

const isToSign = (found: object): found is readonly ToSign[] => Array.isArray(found)
