import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { type Role, roleOf } from '../../identity/role.ts'
import type { State } from '../../registry/liveness/liveness.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import { type NodeRecord, openRecordAsync } from '../../registry/objects/record.ts'
import type { LookupQuery } from '../../registry/records/lookup.ts'
import { onAbort, within } from '../../runtime/abort.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { DeadlineError, StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame, openStream } from '../engine/protocol.ts'
import { errorOf, statuses } from '../engine/status.ts'
import { lookupProtocol } from './descriptor.ts'
import { encodeQuery, heardMsOf, stateOfRow } from './messages.ts'
import { LookupAnswer, type LookupRow as RowMessage } from './pb/lookup.ts'

export interface LookupOptions {
  networkId: Uint8Array
  limits: ProtocolLimits
  signal?: AbortSignal
}

/** A row of another registry about a member. The record is verified; state and age are its observation. */
export interface RemoteRow {
  readonly publicKey: Uint8Array
  readonly name: string
  /** undefined: a role of a newer version. */
  readonly role: Role | undefined
  readonly record: Signed<NodeRecord> | undefined
  /** Envelope of its admit entry; the own replica tells whether it counts. */
  readonly admit: Uint8Array
  readonly state: State
  /** Since it was last heard; undefined: never. */
  readonly heardMs: number | undefined
}

export interface RemotePage {
  readonly rows: RemoteRow[]
  /** `after` of the next page. */
  readonly next?: Uint8Array
  readonly replicaAgeMs: number
}

/** Questions to one registry over one stream; many may be on their way. Dispose of it when done. */
export class LookupStream implements AsyncDisposable {
  readonly #frames: FrameStream
  readonly #options: LookupOptions
  readonly #watch: Disposable | undefined
  /** Answers come in the order of the questions. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(frames: FrameStream, options: LookupOptions) {
    this.#frames = frames
    this.#options = options
    this.#watch = onAbort(options.signal, (reason) => frames.abort(reason))
  }

  static async open(connection: Connection, options: LookupOptions): Promise<LookupStream> {
    const { limits } = options
    const signal = within(limits.lookup.deadlineMs, options.signal)
    return new LookupStream(await openStream(connection, lookupProtocol(limits), { limits, signal }), options)
  }

  /**
   * One page.
   * @throws the registry's error for a refusal; DeadlineError without an answer in time, and the stream is of no use any more
   */
  async ask(query: LookupQuery): Promise<RemotePage> {
    await this.#frames.write(encodeQuery(query, this.#options.networkId))
    const answer = this.#last.then(() => this.#read())
    this.#last = answer.catch(() => {})
    return await pageOf(await answer, this.#options.networkId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.[Symbol.dispose]()
    await this.#frames.close()
  }

  async #read(): Promise<LookupAnswer> {
    const { deadlineMs } = this.#options.limits.lookup
    const late = () => this.#frames.abort(new DeadlineError(`no answer to a lookup in ${deadlineMs} ms`))
    const timer = setTimeout(late, deadlineMs)
    timer.unref()
    try {
      const bytes = await this.#frames.read()
      if (bytes === undefined) throw new StreamEndedError('the registry ended the lookup without an answer')
      const answer = decodeFrame((frame) => LookupAnswer.decode(frame, { limits: decodeLimits }), bytes)
      if (answer.status !== statuses.OK) {
        throw errorOf(answer.status, 'the registry refused the lookup', { retryAfterMs: answer.retryAfterMs })
      }
      return answer
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Rows of an answer, however small each is. */
const decodeLimits = { rows: 1_000 }

async function pageOf(answer: LookupAnswer, networkId: Uint8Array): Promise<RemotePage> {
  const rows = await Promise.all(answer.rows.map((row) => rowOf(row, networkId)))
  return { rows, ...(answer.next.length > 0 && { next: answer.next }), replicaAgeMs: answer.replicaAgeMs }
}

async function rowOf(message: RowMessage, networkId: Uint8Array): Promise<RemoteRow> {
  const { publicKey, name, admit } = message
  const record = message.record.length === 0 ? undefined : await openRecordAsync(message.record, networkId)
  if (record !== undefined && !equals(record.value.publicKey, publicKey)) {
    throw new InvalidPayloadError('the registry answered with the record of somebody else')
  }
  const state = stateOfRow(message)
  return { publicKey, name, role: roleOf(message.role), record, admit, state, heardMs: heardMsOf(message) }
}

/** One page over a stream of its own. */
export async function lookup(connection: Connection, query: LookupQuery, options: LookupOptions): Promise<RemotePage> {
  const stream = await LookupStream.open(connection, options)
  try {
    return await stream.ask(query)
  } finally {
    await stream[Symbol.asyncDispose]()
  }
}

/** Rows of one listing, several times those of the largest network: a registry that has no end would fill our memory. */
const mostRows = 50_000

/** All pages, over one stream. @throws InvalidPayloadError for more rows than a network has */
export async function* lookupAll(
  connection: Connection,
  query: LookupQuery,
  options: LookupOptions
): AsyncGenerator<RemotePage> {
  const stream = await LookupStream.open(connection, options)
  try {
    let after = query.after
    let rows = 0
    do {
      const page = await stream.ask({ ...query, ...(after !== undefined && { after }) })
      rows += page.rows.length
      if (rows > mostRows) throw new InvalidPayloadError(`the registry lists more than ${mostRows} members`)
      yield page
      after = nextOf(page, after)
    } while (after !== undefined)
  } finally {
    await stream[Symbol.asyncDispose]()
  }
}

/** A registry that gives the same place twice would keep us asking for ever. */
function nextOf({ next, rows }: RemotePage, after: Uint8Array | undefined): Uint8Array | undefined {
  if (next !== undefined && rows.length === 0)
    throw new InvalidPayloadError('the registry goes on after a page without rows')
  if (next !== undefined && after !== undefined && Buffer.compare(next, after) <= 0) {
    throw new InvalidPayloadError('the registry answered with a page that goes back')
  }
  return next
}
