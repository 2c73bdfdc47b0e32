import type { TypedEventTarget } from 'main-event'
import { peerIdText } from '../../identity/keys.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { PendingError, UnavailableError } from '../../runtime/errors.ts'
import { isDecided } from '../../runtime/failures.ts'
import type { JoinEvents, PendingJoin } from '../events.ts'
import { grantIdShown, readStoredJoin } from '../objects/join.ts'
import type { RotateProofs } from '../objects/rotate.ts'
import { type QueueInput, type QueueRow, QueueTable } from '../store/admission-tables.ts'
import type { Database } from '../store/database.ts'
import type { GroupCommit } from '../store/group-commit.ts'
import { fullRetryMs, type RegistryLimits } from './limits.ts'
import { WaitingAskers } from './waiting-askers.ts'

/** A request that goes to the root: all verified here, and signed by the one it is about. */
export type RootRequest =
  | { kind: 'join'; join: Uint8Array; receipt?: Uint8Array }
  | { kind: 'renew'; request: Uint8Array }
  | { kind: 'forget'; request: Uint8Array }
  | ({ kind: 'rotate' } & RotateProofs)

/**
 * Sends a request to the root and gives the log entry that came of it. Rejects with the root's refusal, or with UnavailableError
 * when there is no root to ask.
 */
export type Forward = (request: RootRequest) => Promise<{ entry: Uint8Array }>

/** A join that waits for the root to be back. */
export interface QueuedJoin extends PendingJoin {
  withInvite: boolean
}

/** Requests in flight during a replay. */
const replayWindow = 32

export interface RequestQueueComponents {
  db: Database
  commit: GroupCommit
  clock: Clock
  logger: Logger
  limits: RegistryLimits
  events: TypedEventTarget<JoinEvents>
}

/** Requests that wait for the root, over restarts: the latest of each peer and kind. */
export class RootRequestQueue {
  readonly #components: RequestQueueComponents
  readonly #table: QueueTable
  readonly #askers = new WaitingAskers()
  #replay: Promise<number> | undefined

  constructor(components: RequestQueueComponents) {
    this.#components = components
    this.#table = new QueueTable(components.db)
  }

  get size(): number {
    return this.#table.count()
  }

  /** Joins that wait, oldest first. */
  joins(): QueuedJoin[] {
    const rows = this.#table.after(0, this.#components.limits.queuedRequests).filter(({ kind }) => kind === 'join')
    return rows.map(({ envelope, withInvite, sinceMs }) => {
      const { publicKey, name, role } = readStoredJoin(envelope)
      return { publicKey, name, role, sinceMs, withInvite: withInvite === 1 }
    })
  }

  /**
   * `asker`: from where a join came. Of joins without an invite the oldest gives way of the asker that has most here.
   * @throws UnavailableError when it is full of others
   */
  async add(publicKey: Uint8Array, request: RootRequest, asker?: string): Promise<void> {
    const { clock, commit, events } = this.#components
    const row = rowOf(publicKey, request, clock.now())
    await commit.write(() => {
      if (!this.#table.has(publicKey, row.kind)) this.#makeRoom(row)
      this.#table.put(row)
    })
    this.#askers.set(publicKey, asker)
    events.dispatchEvent(new CustomEvent('queued'))
  }

  #makeRoom(row: QueueInput): void {
    const { clock, limits } = this.#components
    this.#table.expireJoins(clock.now() - limits.waitingMs)
    const isFull = this.#table.count() >= limits.queuedRequests
    const isStranger = row.kind === 'join' && row.withInvite === 0
    if (!isFull && !isStranger) return
    const strangers = this.#table.strangers()
    if (!isFull && strangers.length < limits.queuedStrangers) return
    const oldest = this.#askers.givesWay(strangers)
    if (oldest !== undefined) {
      this.#table.deleteJoin(oldest)
      this.#askers.delete(oldest)
    } else throw new UnavailableError('the root is away and too many wait for it already: try later', fullRetryMs)
  }

  /**
   * Sends all that waits, oldest first; what the root decided leaves the queue, and what it cannot decide stays and holds up nothing. Stops
   * when the root is away again. Gives the number of decisions. A second call joins the first.
   */
  replay(send: Forward, isAway: () => boolean): Promise<number> {
    this.#replay ??= this.#run(send, isAway).finally(() => {
      this.#replay = undefined
    })
    return this.#replay
  }

  async #run(send: Forward, isAway: () => boolean): Promise<number> {
    let decided = 0
    let place = 0
    for (;;) {
      const rows = this.#table.after(place, replayWindow)
      const last = rows.at(-1)
      if (last === undefined) return decided
      const outcomes = await Promise.all(rows.map((row) => this.#send(row, send)))
      const done = outcomes.filter(Boolean).length
      decided += done
      if (done < rows.length && isAway()) return decided
      place = last.place
    }
  }

  async #send(row: QueueRow, send: Forward): Promise<boolean> {
    const { commit, logger } = this.#components
    try {
      await send(requestOf(row))
    } catch (error) {
      if (!isDecided(error)) {
        logger.debug(
          { peer: peerIdText(row.publicKey), error: String(error) },
          'a queued request waits on for the root'
        )
        return false
      }
      this.#tellRefusal(row, error)
    }
    await commit.write(() => this.#table.delete(row.place))
    return true
  }

  #tellRefusal({ publicKey, kind }: QueueRow, error: unknown): void {
    const { events, logger } = this.#components
    if (error instanceof PendingError) return
    const reason = reasonOf(error)
    logger.warn(
      { peer: peerIdText(publicKey), request: kind, error: reason },
      'the root refused a queued request: dropped'
    )
    if (kind === 'join') events.dispatchEvent(new CustomEvent('rejected', { detail: { publicKey, reason } }))
  }
}

function rowOf(publicKey: Uint8Array, request: RootRequest, sinceMs: number): QueueInput {
  const row = { publicKey, kind: request.kind, withInvite: 0, receipt: null, sinceMs }
  if (request.kind === 'join') {
    const withInvite = grantIdShown(request.join) === undefined ? 0 : 1
    return { ...row, envelope: request.join, withInvite, receipt: request.receipt ?? null }
  }
  // A rotation is two envelopes: that of the new key has the place of a receipt.
  if (request.kind === 'rotate') return { ...row, envelope: request.proofOld, receipt: request.proofNew }
  return { ...row, envelope: request.request }
}

function requestOf({ kind, envelope, receipt }: QueueRow): RootRequest {
  if (kind === 'join') return { kind, join: envelope, ...(receipt !== null && { receipt }) }
  if (kind === 'rotate') return { kind, proofOld: envelope, proofNew: receipt ?? new Uint8Array(0) }
  return { kind, request: envelope }
}
