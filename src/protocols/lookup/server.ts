import type { Connection, Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { LookupPage, LookupQuery } from '../../registry/records/lookup.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { sleep } from '../../runtime/sleep.ts'
import { AnswerTurns } from '../engine/answer-turns.ts'
import { culpritOf } from '../engine/culprits.ts'
import { DeadlineError, RateLimitedError } from '../engine/errors.ts'
import { heldMs } from '../engine/libraries/bounded-streams.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, type Exchange, type Served, serve } from '../engine/protocol.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import { statuses } from '../engine/status.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { lookupProtocol } from './descriptor.ts'
import { decodeQuery, readQuery, toRowMessage } from './messages.ts'
import { LookupAnswer, type LookupRequest, type LookupRow as RowMessage } from './pb/lookup.ts'

/** The parts of a registry that lookup serves. */
interface LookupSource {
  readonly networkId: Uint8Array
  lookup(query: LookupQuery): LookupPage
  replicaAgeMs(): number
}

export interface LookupServerInit {
  source: LookupSource
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

export interface LookupServerComponents {
  registrar: Registrar
}

/** Status, ages and the key of the next page. */
const answerHeadBytes = 128
/** Tags, lengths and numbers of a row. */
const rowHeadBytes = 48

class LookupService implements Startable {
  readonly #init: LookupServerInit
  readonly #components: LookupServerComponents
  readonly #rate: Gcra
  readonly #cost: Gcra
  readonly #waited: Gcra
  readonly #turns: AnswerTurns
  #served: Served | undefined

  constructor(components: LookupServerComponents, init: LookupServerInit) {
    this.#components = components
    this.#init = init
    const options = init.clock === undefined ? {} : { clock: init.clock }
    this.#rate = new Gcra(init.limits.lookup.questions, options)
    this.#cost = new Gcra(init.limits.lookup.cost, options)
    this.#waited = new Gcra(heldMs, options)
    this.#turns = new AnswerTurns(init.limits.lookup.answersOfPeer)
  }

  isStarted(): boolean {
    return this.#served !== undefined
  }

  async start(): Promise<void> {
    const { limits } = this.#init
    const init = { ...this.#init, registrar: this.#components.registrar }
    this.#served = await serve(init, lookupProtocol(limits), (exchange) => this.#handle(exchange))
  }

  async stop(): Promise<void> {
    await this.#served?.close()
    this.#served = undefined
  }

  /** Questions on one stream are answered one after the other, so none is read before the answer to the last has room. */
  async #handle({ frames, remoteId, connection, signal }: Exchange): Promise<void> {
    for (;;) {
      const bytes = await this.#next(frames)
      if (bytes === undefined) return
      const waitMs = this.#rate.take(remoteId)
      if (waitMs > 0) throw this.#exceeded('questions', connection, waitMs)
      await this.#afford(connection, remoteId, signal)
      const asked = decodeQuery(bytes)
      const traced = { logger: this.#init.logger, peer: remoteId, request: 'lookup' }
      await this.#turns.run(remoteId, async () => {
        const { answer, looked } = answerTraced(asked.trace, traced, () => this.#answer(asked))
        this.#cost.charge(remoteId, looked + answer.byteLength / 1024)
        await frames.write(answer)
      })
    }
  }

  /** Waits until what the peer asked before is paid for. */
  async #afford(connection: Connection, remoteId: string, signal: AbortSignal): Promise<void> {
    const waitMs = this.#cost.peek(remoteId)
    if (waitMs === 0) return
    const isLong = waitMs > this.#init.limits.lookup.waitMs
    if (this.#waited.charge(remoteId, waitMs) > 0 || isLong) {
      const error = this.#exceeded('cost', connection, waitMs)
      if (isLong) throw error
    }
    await sleep(waitMs, signal)
  }

  #exceeded(limit: string, connection: Connection, waitMs: number): RateLimitedError {
    this.#init.trust.culprits.exceeded(`lookup.${limit}`, culpritOf(connection))
    return new RateLimitedError('too many lookups', waitMs)
  }

  async #next(frames: Exchange['frames']): Promise<Uint8Array | undefined> {
    const { idleMs } = this.#init.limits.lookup
    const timer = setTimeout(() => frames.abort(new DeadlineError(`no question for ${idleMs} ms`)), idleMs)
    timer.unref()
    try {
      return await frames.read()
    } finally {
      clearTimeout(timer)
    }
  }

  #answer(asked: LookupRequest): { answer: Uint8Array; looked: number } {
    const { source, limits } = this.#init
    const page = source.lookup(readQuery(asked, source.networkId, limits.lookup))
    const rows: RowMessage[] = []
    let size = answerHeadBytes
    for (const row of page.rows) {
      const message = toRowMessage(row)
      size += rowHeadBytes + 3 * message.name.length + 32 + message.record.length + message.admit.length
      if (size > limits.lookup.answerBytes) break
      rows.push(message)
    }
    // A page that does not fit ends early; the next one begins behind its last row.
    const next = rows.length < page.rows.length ? rows.at(-1)?.publicKey : page.next
    const answer = LookupAnswer.encode({
      status: statuses.OK,
      rows,
      ...(next !== undefined && { next }),
      // Not 0: an answer in which nothing is set would be an empty frame.
      replicaAgeMs: Math.max(1, Math.round(source.replicaAgeMs()))
    })
    return { answer, looked: page.looked }
  }
}

/** The service that answers lookups from a registry. */
export function lookupServer(init: LookupServerInit): (components: LookupServerComponents) => Startable {
  return (components) => new LookupService(components, init)
}
