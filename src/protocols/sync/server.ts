import type { Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { pipe } from 'it-pipe'
import { isRegistryRole } from '../../identity/role.ts'
import { either, within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { measured, type Step } from '../../runtime/trace.ts'
import { AnswerTurns } from '../engine/answer-turns.ts'
import { MalformedFrameError, StalledWriteError, StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, type Exchange, type Served, serve } from '../engine/protocol.ts'
import { statuses } from '../engine/status.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { startFrame, syncProtocol } from './descriptor.ts'
import { type SyncRow, toFrames } from './frames.ts'
import { Patience } from './patience.ts'
import type { SyncRequest } from './pb/sync.ts'
import { RecordContents } from './record-content.ts'
import { RecordPlaces } from './record-places.ts'
import { readRequest, recordStart } from './request.ts'
import type { SyncEvents, SyncSource } from './source.ts'
import { Subscriber } from './subscriber.ts'
import { type Sleeper, SubscriberScheduler, topics } from './subscriber-scheduler.ts'

export interface SyncServerInit {
  source: SyncSource
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

export interface SyncServerComponents {
  registrar: Registrar
}

/** Serves the log, the records and the hints of a registry, once or as a subscription. */
export interface SyncServer {
  /** Streams that wait for changes now, and how many of them are pushed records. */
  readonly subscribers: number
  readonly recordSubscribers: number
  /** Resolves when the subscriptions of this peer were told what the log has now, or have ended. Has no deadline: a peer may read slowly. */
  tell(peer: string): Promise<void>
}

const logEvents = ['entries', 'checkpoint', 'reset', 'enforced'] as const
const hintEvents = ['hint', 'pulse'] as const

/** One who is told, and the step of a trace that this is until it has caught up. */
interface Reader {
  readonly exchange: Exchange
  readonly request: SyncRequest
  readonly subscriber: Subscriber
  readonly step: Step | undefined
}

class SyncService implements SyncServer, Startable {
  readonly #init: SyncServerInit
  readonly #components: SyncServerComponents
  readonly #wakes = new SubscriberScheduler()
  readonly #refreshes = new RecordContents()
  /** Subscribers among members that are no registries. */
  readonly #places: RecordPlaces
  readonly #turns = new AnswerTurns()
  #served: Served | undefined

  constructor(components: SyncServerComponents, init: SyncServerInit) {
    this.#components = components
    this.#init = init
    this.#places = new RecordPlaces(init.limits.sync.recordSubscribers)
  }

  get subscribers(): number {
    return this.#wakes.size
  }

  get recordSubscribers(): number {
    return this.#places.size
  }

  tell(peer: string): Promise<void> {
    return this.#wakes.tell(peer)
  }

  isStarted(): boolean {
    return this.#served !== undefined
  }

  async start(): Promise<void> {
    const { source, limits } = this.#init
    for (const type of logEvents) source.replica.events.addEventListener(type, this.#onLog)
    source.cosignatures.events.addEventListener('cosigned', this.#onLog)
    source.events.addEventListener('record', this.#onRecord)
    for (const type of hintEvents) source.events.addEventListener(type, this.#onHint)
    source.events.addEventListener('ended', this.#onEnded)
    const init = { ...this.#init, registrar: this.#components.registrar }
    this.#served = await serve(init, syncProtocol(limits), (exchange) => this.#handle(exchange))
  }

  async stop(): Promise<void> {
    const { source } = this.#init
    for (const type of logEvents) source.replica.events.removeEventListener(type, this.#onLog)
    source.cosignatures.events.removeEventListener('cosigned', this.#onLog)
    source.events.removeEventListener('record', this.#onRecord)
    for (const type of hintEvents) source.events.removeEventListener(type, this.#onHint)
    source.events.removeEventListener('ended', this.#onEnded)
    this.#wakes.stop()
    await this.#served?.close()
    this.#served = undefined
  }

  readonly #onLog = (): void => this.#wakes.touch(topics.log)

  readonly #onRecord = ({ detail }: SyncEvents['record']): void => {
    const isNew = this.#refreshes.note(detail.record.value, detail.change)
    this.#wakes.touch(isNew ? topics.records : topics.refreshes)
  }

  readonly #onEnded = ({ detail }: SyncEvents['ended']): void => this.#refreshes.forget(detail.publicKey)

  readonly #onHint = (): void => this.#wakes.touch(topics.hints)

  async #handle(exchange: Exchange): Promise<void> {
    const { source, limits } = this.#init
    const { frames, signal } = exchange
    const bytes = await frames.read({ signal: within(limits.sync.requestMs, signal) })
    if (bytes === undefined) throw new MalformedFrameError('a sync stream without a request')
    const request = readRequest(bytes, source.networkId)
    const traced = { logger: this.#init.logger, peer: exchange.remoteId, request: 'sync' }
    await answerTraced(request.trace, traced, (step) => this.#serve(exchange, request, step))
  }

  async #serve(exchange: Exchange, request: SyncRequest, step: Step | undefined): Promise<void> {
    const { source } = this.#init
    const { frames } = exchange
    if (request.digest.length > 0) await source.records.prepareDigest()
    const ageMs = Math.round(source.replicaAgeMs())
    const records = request.records ? recordStart(request, source) : { change: 0, differing: [] }
    if (records === undefined) {
      await frames.write(startFrame({ status: statuses.STALE, replicaAgeMs: ageMs }))
      return
    }
    const { remoteKey } = exchange
    const subscriber = new Subscriber({ source, refreshes: this.#refreshes, remoteKey, request, ...records })
    const { mode } = subscriber
    await frames.write(startFrame({ status: statuses.OK, mode, replicaAgeMs: ageMs }))
    await this.#send({ exchange, request, subscriber, step })
  }

  /** The writer waits for the reader: nothing is read from the store that the reader has no room for. */
  async #send(reader: Reader): Promise<void> {
    const { exchange } = reader
    const { frames } = exchange
    const controller = new AbortController()
    const patience = new Patience(this.#init.limits.sync)
    const signal = either(exchange.signal, controller.signal)
    // The reader says nothing more; its end is the only thing that can come.
    inBackground(
      frames.read({ signal }).then(
        (frame) => controller.abort(frame === undefined ? ended : new MalformedFrameError('a frame after the request')),
        () => controller.abort(ended)
      ),
      'reading on after a request'
    )
    try {
      await pipe(
        this.#inTurns(exchange.remoteId, this.#rows(reader, signal)),
        (rows) => toFrames(rows, this.#init.limits.sync),
        async (encoded) => {
          for await (const frame of encoded) await writeInTime(frames, frame, patience)
        }
      )
    } catch (error) {
      if (error !== ended) throw error
    } finally {
      controller.abort(ended)
    }
  }

  /** Reads of the store, one of each reader before the second of anybody. */
  async *#inTurns(peer: string, pages: AsyncGenerator<SyncRow[]>): AsyncGenerator<SyncRow[]> {
    try {
      for (;;) {
        const page = await this.#turns.run(peer, () => pages.next())
        if (page.done === true) return
        yield page.value
      }
    } finally {
      await pages.return(undefined)
    }
  }

  async *#rows({ exchange, request, subscriber, step }: Reader, signal: AbortSignal): AsyncGenerator<SyncRow[]> {
    const sleeper = this.#sleeper(exchange, request)
    // Before the first read: what happens while it goes on is told after it.
    const leave = request.subscribe ? this.#wakes.add(sleeper) : () => {}
    try {
      yield* subscriber.start()
      if (request.records) yield* subscriber.records({ pushed: false })
      if (request.subscribe) yield* subscriber.hints()
      yield [{ kind: 'caughtUp' }, { kind: 'flush' }]
      step?.end()
      while (request.subscribe) {
        const changed = await this.#wakes.sleep(sleeper, signal)
        if ((changed & topics.log) !== 0) yield* subscriber.log()
        if ((changed & (topics.records | topics.refreshes)) !== 0) {
          yield* subscriber.records({ pushed: (sleeper.wants & topics.refreshes) === 0 })
        }
        if ((changed & topics.hints) !== 0) yield* subscriber.hints()
        yield [{ kind: 'flush' }]
        told(sleeper)
      }
    } finally {
      leave()
      told(sleeper, ended)
      this.#places.leave(exchange.remoteId, sleeper)
    }
  }

  /** Registries are pushed all; of the others a bounded number is pushed records, and the rest learns them by gossip and pull. */
  #sleeper({ connection, remoteId }: Exchange, request: SyncRequest): Sleeper {
    const role = this.#init.trust.memberOf(connection)?.role
    const sleeper: Sleeper = {
      peer: remoteId,
      wants: topics.log | topics.hints,
      dirty: 0,
      wake: undefined
    }
    if (!request.subscribe || !request.records) return sleeper
    if (role !== undefined && isRegistryRole(role)) sleeper.wants |= topics.records | topics.refreshes
    else this.#places.take(remoteId, sleeper)
    return sleeper
  }
}

/** The other side took what had changed, or went away before that. */
function told(sleeper: Sleeper, error?: Error): void {
  const changedAt = sleeper.tellingAt ?? (error && sleeper.changedAt)
  sleeper.tellingAt = undefined
  if (changedAt !== undefined) measured('push', changedAt, {}, error)
}

/** A reader that takes a little now and then is waited for no longer than one that takes nothing. */
async function writeInTime(frames: FrameStream, frame: Uint8Array, patience: Patience): Promise<void> {
  const begunAt = performance.now()
  const late = () => frames.abort(new StalledWriteError('the other side reads too slowly'))
  const timer = setTimeout(late, patience.leftMs).unref()
  try {
    await frames.write(frame)
  } finally {
    clearTimeout(timer)
    patience.waited(performance.now() - begunAt)
    patience.moved(frame.length)
  }
}

/** The other side is done with the stream. */
const ended = new StreamEndedError('the other side ended the subscription')

/** The service that serves sync. */
export function syncServer(init: SyncServerInit): (components: SyncServerComponents) => SyncServer & Startable {
  return (components) => new SyncService(components, init)
}
