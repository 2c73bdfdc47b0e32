import type { Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { LookupPage, LookupQuery } from '../../registry/records/lookup.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import type { ConnectionTrust } from '../engine/connection-trust.ts'
import { DeadlineError, RateLimitedError } from '../engine/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { type Exchange, type Served, serve } from '../engine/protocol.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import { statuses } from '../engine/status.ts'
import { lookupProtocol } from './descriptor.ts'
import { decodeQuery, toRowMessage } from './messages.ts'
import { LookupAnswer, type LookupRow as RowMessage } from './pb/lookup.ts'

/** What lookup serves. */
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
  #served: Served | undefined

  constructor(components: LookupServerComponents, init: LookupServerInit) {
    this.#components = components
    this.#init = init
    this.#rate = new Gcra(init.limits.lookup.questions, init.clock === undefined ? {} : { clock: init.clock })
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
  async #handle({ frames, remoteId }: Exchange): Promise<void> {
    for (;;) {
      const bytes = await this.#next(frames)
      if (bytes === undefined) return
      const waitMs = this.#rate.take(remoteId)
      if (waitMs > 0) throw new RateLimitedError('too many lookups', waitMs)
      await frames.write(this.#answer(bytes))
    }
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

  #answer(bytes: Uint8Array): Uint8Array {
    const { source, limits } = this.#init
    const page = source.lookup(decodeQuery(bytes, source.networkId, limits.lookup))
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
    return LookupAnswer.encode({
      status: statuses.OK,
      rows,
      ...(next !== undefined && { next }),
      replicaAgeMs: Math.round(source.replicaAgeMs())
    })
  }
}

/** The service that answers lookups from a registry. */
export function lookupServer(init: LookupServerInit): (components: LookupServerComponents) => Startable {
  return (components) => new LookupService(components, init)
}
