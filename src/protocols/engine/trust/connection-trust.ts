import type { Connection } from '@libp2p/interface'
import type { Clock, Logger } from '../../../runtime/clock-and-logger.ts'
import { silentLogger, systemClock } from '../../../runtime/clock-and-logger.ts'
import { UnavailableError } from '../../../runtime/errors.ts'
import { Culprits, culpritOf } from '../culprits.ts'
import { FewLines } from '../few-lines.ts'
import type { ProtocolLimits } from '../limits.ts'
import { oneTooMany } from './eviction.ts'
import { type TrackedConnection, TrackedConnections, type TrustedMember } from './tracked-connections.ts'

/** Until the peer is connected again. */
const endedRetryMs = 1_000

export type { TrustedMember } from './tracked-connections.ts'

export type ConnectionListener = (connection: Connection, member: TrustedMember) => void

export interface ConnectionTrustInit {
  limits: ProtocolLimits['strangers']
  /** Time for which a stream waits for the verdict on its connection, from the opening of the connection. */
  settleMs: number
  /** Tells whether the key is revoked. */
  isRevoked?: (publicKey: Uint8Array) => boolean
  clock?: Clock
  logger?: Logger
  culprits?: Culprits
}

/**
 * Knows the connections that have proved membership of this network. Every other one is a stranger's: bounded in number and in time.
 * Trust belongs to a connection, not to a peer: each connection brings its own proof.
 */
export class ConnectionTrust {
  /** Those who exceed a limit on one of these connections. */
  readonly culprits: Culprits
  readonly #init: ConnectionTrustInit
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #strangerLog: FewLines
  readonly #tracked = new TrackedConnections()
  readonly #memberListeners = new Set<ConnectionListener>()
  readonly #mutualListeners = new Set<ConnectionListener>()
  readonly #goneListeners = new Set<ConnectionListener>()
  #isCleared = false

  constructor(init: ConnectionTrustInit) {
    this.#init = init
    this.#clock = init.clock ?? systemClock
    this.#logger = init.logger ?? silentLogger
    this.#strangerLog = new FewLines(this.#logger, this.#clock)
    this.culprits = init.culprits ?? new Culprits(init)
  }

  /** Connections that have not proved membership, whatever they wait for. */
  get strangers(): number {
    return this.#tracked.count('young') + this.#tracked.count('stranger') + this.#tracked.count('waiting')
  }

  /** Begins to watch a connection whose hello is due. Closes it when there are too many. Repeating it does nothing. */
  track(connection: Connection): void {
    if (this.#tracked.has(connection) || this.#isEnded(connection)) return
    const entry = this.#tracked.add(connection, this.#clock.monotonic(), this.isRevoked(connection))
    connection.addEventListener('close', () => this.#gone(entry))
    // Apart from the strangers: after an outage all members come back at once, and none of them has said hello yet.
    if (this.#isFull(entry, 'young')) return
    this.#tracked.setDeadline(entry, this.#init.settleMs, () => this.judgedStranger(connection))
  }

  /** The other side of the connection showed that it is this member of our network. `mutual`: it takes us for one, too. */
  prove(connection: Connection, member: TrustedMember, { mutual }: { mutual: boolean } = { mutual: true }): void {
    this.track(connection)
    const entry = this.#tracked.get(connection)
    if (entry === undefined) return
    entry.member = member
    entry.provenAt = this.#clock.monotonic()
    if (entry.phase !== 'member') {
      this.#tracked.enter(entry, 'member')
      clearTimeout(entry.deadline)
      for (const listener of this.#memberListeners) listener(connection, member)
      entry.settled.resolve()
    }
    if (!mutual || entry.mutual) return
    entry.mutual = true
    for (const listener of this.#mutualListeners) listener(connection, member)
  }

  /** The other side showed no membership in time. It is a stranger, and whoever waits for the verdict learns it. */
  judgedStranger(connection: Connection): void {
    const entry = this.#tracked.get(connection)
    if (entry?.phase !== 'young') return
    this.#tracked.enter(entry, 'stranger')
    entry.settled.resolve()
    if (this.#isFull(entry, 'stranger')) return
    const ms = entry.refused || this.isRevoked(connection) ? this.#init.settleMs : this.#init.limits.ms
    this.#tracked.setDeadline(entry, ms, () => this.#close(entry, `no proof of membership after ${ms} ms`))
  }

  /** The other side is told for good that it gets nothing here: its connection stays for as long as that answer takes. */
  refuse(connection: Connection): void {
    const entry = this.#tracked.get(connection)
    if (entry === undefined) return
    entry.refused = true
    this.judgedStranger(connection)
  }

  isRefused(connection: Connection): boolean {
    return this.#tracked.get(connection)?.refused === true
  }

  /**
   * A joiner whose verified join waits in the queue may wait for the answer on its connection.
   * false: too many do; it is closed like any stranger and comes back by itself.
   */
  keepWaiting(connection: Connection): boolean {
    const entry = this.#tracked.get(connection)
    if (entry === undefined) return false
    if (entry.phase === 'member' || entry.phase === 'waiting') return true
    const { waiting, waitingMs } = this.#init.limits
    if (this.#tracked.count('waiting') >= waiting && !this.#givesWay(entry)) return false
    this.#tracked.enter(entry, 'waiting')
    entry.settled.resolve()
    this.#tracked.setDeadline(entry, waitingMs, () => this.#close(entry, `its join was not decided in ${waitingMs} ms`))
    return true
  }

  /** Closes one of those that wait for the newcomer: the last of the /48 that has most, unless that is the newcomer itself. */
  #givesWay(newcomer: TrackedConnection): boolean {
    const uninvited = [...this.#tracked.inbound('waiting'), newcomer].filter(({ spared }) => !spared)
    const tooMany = oneTooMany(uninvited)
    if (tooMany === undefined || tooMany === newcomer) return false
    this.culprits.exceeded('strangers.waiting', culpritOf(tooMany.connection))
    this.#close(tooMany, `more than ${this.#init.limits.waiting} connections wait for the answer to a join`)
    return true
  }

  /** Keeps the connection of somebody who shows a good invite until it is admitted, or the invite turns out to be none. */
  spare(connection: Connection, isGood: boolean): void {
    const entry = this.#tracked.get(connection)
    if (entry !== undefined) entry.spared = isGood
  }

  state(connection: Connection): 'stranger' | 'proven' {
    return this.memberOf(connection) === undefined ? 'stranger' : 'proven'
  }

  memberOf(connection: Connection): TrustedMember | undefined {
    return this.#tracked.get(connection)?.member
  }

  isMember(connection: Connection): boolean {
    return this.memberOf(connection) !== undefined
  }

  /**
   * Before a request is refused because its connection is no member's: what has ended is known no longer, and may have been one's.
   * @throws UnavailableError
   */
  refuseEnded(connection: Connection): void {
    if (this.#isEnded(connection)) throw new UnavailableError('the connection is at its end', endedRetryMs)
  }

  /** The other side has a key that is revoked: it is told so by hello, and given nothing else. */
  isRevoked({ remotePeer }: Connection): boolean {
    const raw = remotePeer.publicKey?.raw
    return raw !== undefined && this.#init.isRevoked?.(raw) === true
  }

  /** Both sides take each other for members. */
  isMutual(connection: Connection): boolean {
    return this.#tracked.get(connection)?.mutual === true
  }

  /** Waits for the verdict on a young connection, `settleMs` from its opening at most; then says whether it is a member's. */
  async settled(connection: Connection): Promise<boolean> {
    this.track(connection)
    const entry = this.#tracked.get(connection)
    if (entry === undefined) return false
    const leftMs = entry.openedAt + this.#init.settleMs - this.#clock.monotonic()
    if (entry.phase === 'young' && leftMs > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, leftMs)
      timer.unref()
      await Promise.race([entry.settled.promise, promise])
      clearTimeout(timer)
    }
    return entry.member !== undefined
  }

  /** All connections that are proven now. */
  *members(): Generator<{ connection: Connection; member: TrustedMember }> {
    for (const { connection, member } of this.#tracked.values()) if (member !== undefined) yield { connection, member }
  }

  /** Age of a connection, ms; 0 for one that is not known. */
  openForMs(connection: Connection): number {
    const entry = this.#tracked.get(connection)
    return entry === undefined ? 0 : this.#clock.monotonic() - entry.openedAt
  }

  /** Calls the listener once per connection, when it is proven. Returns how to stop. */
  onMember(listener: ConnectionListener): () => void {
    this.#memberListeners.add(listener)
    return () => this.#memberListeners.delete(listener)
  }

  /** The same, when the other side takes us for a member as well: what was opened before, it reset. */
  onMutual(listener: ConnectionListener): () => void {
    this.#mutualListeners.add(listener)
    return () => this.#mutualListeners.delete(listener)
  }

  /** Calls the listener when a proven connection is closed. */
  onGone(listener: ConnectionListener): () => void {
    this.#goneListeners.add(listener)
    return () => this.#goneListeners.delete(listener)
  }

  /** Closes every connection that a key had when its membership ended, proven or not. Takes effect at once, not when the close is done. */
  ended(publicKey: Uint8Array): void {
    for (const entry of this.#tracked.values()) {
      if (!entry.isBarred && isKeyOf(entry.connection, publicKey))
        this.#close(entry, 'the key was revoked, or its membership ended')
    }
  }

  /**
   * Closes the connections of members who are none any more: expired, or void after a rollback of the log. Ask it after each change of
   * the replica. A member that proved itself by entries which the replica has not got yet is left alone until it had them once, or
   * for `unconfirmedMs`: entries that were made void by a new epoch never come.
   */
  recheck(
    isMember: (publicKey: Uint8Array) => boolean,
    newest: (publicKey: Uint8Array) => TrustedMember | undefined = () => undefined
  ): void {
    for (const entry of this.#tracked.values()) {
      const { member } = entry
      if (member === undefined) continue
      // A promotion changes the role of a member whose connection stays.
      entry.member = newest(member.publicKey) ?? member
      if (isMember(member.publicKey)) entry.confirmed = true
      else if (entry.confirmed) this.#close(entry, 'the membership has ended')
      else if (this.#clock.monotonic() - (entry.provenAt ?? 0) > this.#init.limits.unconfirmedMs) {
        this.#close(entry, 'the log has no such member')
      }
    }
  }

  /** Forgets everything and stops all timers, at the end of the host; closes nothing. */
  clear(): void {
    this.#isCleared = true
    for (const entry of this.#tracked.values()) {
      this.#tracked.remove(entry)
      entry.settled.resolve()
    }
  }

  #isEnded({ status }: Connection): boolean {
    return this.#isCleared || status !== 'open'
  }

  /**
   * Closes one connection when their phase is full; says whether it was this one. Only what others open to us is bounded here.
   */
  #isFull(entry: TrackedConnection, phase: 'young' | 'stranger'): boolean {
    const { young, open } = this.#init.limits
    const most = phase === 'young' ? young : open
    if (entry.connection.direction === 'outbound' || this.#tracked.count(phase) <= most) return false
    // Idle strangers go, since an honest one joins within a second; all whose hello is due may be members.
    const idle = [...this.#tracked.inbound(phase)].filter((each) => phase === 'young' || !each.spared)
    const tooMany = oneTooMany(idle, phase === 'young' ? 'last' : 'first') ?? entry
    this.culprits.exceeded(`strangers.${phase === 'young' ? 'young' : 'open'}`, culpritOf(tooMany.connection))
    this.#close(tooMany, `more than ${most} connections without proof of membership`)
    return tooMany === entry
  }

  #close(entry: TrackedConnection, reason: string): void {
    const { connection } = entry
    const log = entry.member === undefined ? this.#strangerLog : this.#logger
    log.info(
      { peer: connection.remotePeer.toString(), reason },
      'a connection is closed: the other side is no member here; it may connect again with an invite or a valid membership'
    )
    connection.abort(new Error(reason))
    this.#gone(entry)
  }

  #gone(entry: TrackedConnection): void {
    if (!this.#tracked.remove(entry)) return
    const { member } = entry
    if (member !== undefined) for (const listener of this.#goneListeners) listener(entry.connection, member)
    entry.settled.resolve()
  }
}

function isKeyOf(connection: Connection, publicKey: Uint8Array): boolean {
  const raw = connection.remotePeer.publicKey?.raw
  return raw !== undefined && Buffer.compare(raw, publicKey) === 0
}
