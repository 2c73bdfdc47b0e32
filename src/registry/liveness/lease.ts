import { DuplicateInstanceError } from '../../runtime/errors.ts'

/** Content of a heartbeat besides that its sender is alive. */
export interface Beat {
  readonly connected?: readonly Uint8Array[]
  /** As the member measured it. */
  readonly rttMs?: number
}

export interface BeatAnswer {
  /** From now on. */
  readonly leaseMs: number
  readonly heartbeatMs: number
  /** Another instance of the same key was refused since the last heartbeat: there may be a clone of this machine. */
  readonly contested: boolean
}

/** The registry's side of one session, as the state machine keeps it. Monotonic times, `beatAt` in awake time. */
export interface Session {
  readonly id: string
  /** undefined: remembered from before a restart. */
  readonly instance: Uint8Array | undefined
  beatAt: number
  heardAt: number | undefined
  unanswered: number
  lost: string | undefined
  /** The loss counts from then on (awake time): the stream ended because this registry stood still. */
  excusedUntil: number
  left: string | undefined
  lapsedAt: number | undefined
  /** The member moved its lease to another registry, which speaks for it as soon as it does (awake time). */
  releasedAt: number | undefined
  contested: boolean
}

/** Questions of a lease to the state machine that gave it. */
export interface LeaseKeeper {
  holds(session: Session): 'yes' | 'no' | 'replaced'
  beat(session: Session, beat: Beat): BeatAnswer
  answered(session: Session, rttMs: number): void
  unanswered(session: Session): void
  lost(session: Session, reason: string): void
  left(session: Session, reason: string): void
  released(session: Session): void
}

/**
 * A member's claim to be online, held by one session. When a newer session of the same instance took over (it reconnected), what is
 * still said through the older one is ignored: the end of an old stream must not end the new one.
 */
export class Lease {
  readonly publicKey: Uint8Array
  readonly #keeper: LeaseKeeper
  readonly #session: Session

  constructor(publicKey: Uint8Array, keeper: LeaseKeeper, session: Session) {
    this.publicKey = publicKey
    this.#keeper = keeper
    this.#session = session
  }

  /** False once it was left, lost, or taken over by another session. */
  get active(): boolean {
    return this.#keeper.holds(this.#session) === 'yes' && this.#session.lost === undefined
  }

  /**
   * A heartbeat came: the lease begins anew, also after it had run out.
   *
   * @throws DuplicateInstanceError when another instance of the key has the lease by now
   */
  beat(beat: Beat = {}): BeatAnswer {
    if (this.#keeper.holds(this.#session) === 'replaced') {
      throw new DuplicateInstanceError('another instance of this key took over after this one fell silent')
    }
    return this.#keeper.beat(this.#session, beat)
  }

  /** A ping was answered. It clears the suspicion of unanswered ones; only heartbeats renew the lease. */
  probeAnswered(rttMs: number): void {
    if (this.#holds()) this.#keeper.answered(this.#session, rttMs)
  }

  /** One ping was not answered in its time; the second in a row makes the member suspect. */
  probeUnanswered(): void {
    if (this.#holds()) this.#keeper.unanswered(this.#session)
  }

  /** The session's stream ended without a word: suspect at once. */
  lost(reason = 'stream lost'): void {
    if (this.#holds()) this.#keeper.lost(this.#session, reason)
  }

  /** The member said goodbye. */
  left(reason: string): void {
    if (this.#holds()) this.#keeper.left(this.#session, reason)
  }

  /** The member holds its lease at another registry now. */
  released(): void {
    if (this.#holds()) this.#keeper.released(this.#session)
  }

  #holds(): boolean {
    return this.#keeper.holds(this.#session) === 'yes'
  }
}
