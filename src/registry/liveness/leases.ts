import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { DuplicateInstanceError } from '../../runtime/errors.ts'
import { type Beat, type BeatAnswer, Lease, type LeaseKeeper, type Session } from './lease.ts'
import { LocalHealth } from './local-health.ts'
import type { ObservedMember } from './member.ts'
import { hasMoved, type Judgement, judge, judgeHeld, judgeLapsed, restarted } from './member-state.ts'
import { plainKeys, plainReason } from './observation.ts'
import type { Observations, ObservationsInit } from './observations.ts'
import { isUp } from './states.ts'

/** Fields of a session that was just heard. */
const fresh = {
  unanswered: 0,
  lost: undefined,
  excusedUntil: Number.NEGATIVE_INFINITY,
  left: undefined,
  lapsedAt: undefined,
  releasedAt: undefined
}

/** The sessions that members hold here, judged by their signs of life. It has no timers: time passes when `tick` is called. */
export class Leases implements LeaseKeeper {
  readonly doubt: LocalHealth
  readonly #init: ObservationsInit
  readonly #observations: Observations
  /** Members whose session is not yet judged for good. */
  readonly #held = new Map<string, ObservedMember>()
  /** Recently judged offline, in case the same moment turns out to be our own fault. */
  #settled: { member: ObservedMember; session: Session; at: number }[] = []

  #isClosed = false
  /** AwakeTime time. */
  #excusedUntil = Number.NEGATIVE_INFINITY

  constructor(init: ObservationsInit, observations: Observations) {
    this.#init = init
    this.#observations = observations
    this.doubt = new LocalHealth(init.timings)
  }

  /** This process ends its sessions itself: what is said through them from now on tells nothing of the members. */
  close(): void {
    this.#isClosed = true
  }

  /** Sessions that are not yet judged for good. */
  get size(): number {
    return this.#held.size
  }

  /**
   * @throws DuplicateInstanceError while another instance of the key has the lease through a session that lives. One whose stream is
   * lost does not count: a process that crashed and starts again is a new instance and must not wait for its old lease.
   */
  open(publicKey: Uint8Array, instance: Uint8Array): Lease {
    const now = this.#init.time.now()
    const at = this.#init.time.awake.at(now)
    const member = this.#observations.member(publicKey)
    const held = member.session
    if (held?.instance !== undefined && this.#isLive(held, at) && !equals(held.instance, instance)) {
      held.contested = true
      throw new DuplicateInstanceError(
        'another process with this key is online: stop one of them; a cloned machine needs a key of its own'
      )
    }
    const session: Session = {
      ...fresh,
      id: member.id,
      instance: Uint8Array.from(instance),
      beatAt: at,
      heardAt: now,
      contested: held?.contested ?? false
    }
    member.session = session
    member.learnedFrom ||= 'session'
    this.doubt.proof(at, 'new')
    this.#heard(member, session)
    return new Lease(member.publicKey, this, session)
  }

  holds(session: Session): 'yes' | 'no' | 'replaced' {
    if (this.#isClosed) return 'no'
    const current = this.#observations.members.get(session.id)?.session
    if (current === session) return session.left === undefined ? 'yes' : 'no'
    if (current?.instance === undefined || session.instance === undefined || current.left !== undefined) return 'no'
    return equals(current.instance, session.instance) ? 'no' : 'replaced'
  }

  beat(session: Session, beat: Beat): BeatAnswer {
    const { leaseMs, heartbeatMs } = this.#init.timings
    const { contested } = session
    session.contested = false
    const member = this.#observations.members.get(session.id)
    if (member !== undefined && this.holds(session) === 'yes') {
      const at = this.#init.time.awake.at(this.#init.time.now())
      this.doubt.proof(at, session.lapsedAt === undefined ? 'continuous' : 'new')
      Object.assign(session, fresh, { beatAt: at })
      if (beat.connected !== undefined) this.#connect(member, plainKeys(beat.connected))
      this.#heard(member, session, beat.rttMs)
    }
    return { leaseMs, heartbeatMs, contested }
  }

  answered(session: Session, rttMs: number): void {
    const member = this.#observations.members.get(session.id)
    if (member === undefined || session.lapsedAt !== undefined) return
    session.unanswered = 0
    this.doubt.proof(this.#init.time.awake.at(this.#init.time.now()), 'continuous')
    this.#heard(member, session, rttMs)
  }

  unanswered(session: Session): void {
    session.unanswered++
    this.#rejudge(session)
  }

  lost(session: Session, reason: string): void {
    this.#excuse()
    session.lost ??= plainReason(reason)
    session.excusedUntil = this.#excusedUntil
    this.#rejudge(session)
  }

  left(session: Session, reason: string): void {
    session.left = plainReason(reason)
    session.lapsedAt = undefined
    session.heardAt = this.#init.time.now()
    this.#rejudge(session)
    this.#held.delete(session.id)
  }

  /** The registry that the member's newer record names speaks for it. When that one is not heard, nobody knows how it is. */
  released(session: Session): void {
    session.releasedAt = this.#init.time.awake.at(this.#init.time.now())
  }

  /** A member that had a lease here before a restart gets the time of one to come back. */
  remember(member: ObservedMember, heardAt: number | undefined): void {
    const now = this.#init.time.now()
    const at = this.#init.time.awake.at(now)
    const session: Session = {
      ...fresh,
      id: member.id,
      instance: undefined,
      beatAt: at,
      heardAt,
      contested: false
    }
    this.#observations.members.set(member.id, member)
    member.session = session
    this.#held.set(member.id, member)
    this.doubt.begin('it restarted')
    this.#observe(member, session, { state: 'unknown', reason: restarted })
  }

  /** Members whose lease has run out and who are held back all the same: not called offline, or unconfirmed. */
  heldBack(): ObservedMember[] {
    return [...this.#held.values()].filter(({ session }) => session?.lapsedAt !== undefined)
  }

  /** An operator's word that those who are held back are gone. */
  evict(): void {
    this.doubt.trust(this.#init.time.awake.at(this.#init.time.now()))
    this.tick()
  }

  /** Looks at every lease. */
  tick(): void {
    this.#excuse()
    this.#init.time.awake.tick(this.#init.time.now())
    const at = this.#init.time.awake.at(this.#init.time.now())
    const lapsed: { member: ObservedMember; session: Session }[] = []
    for (const member of this.#held.values()) {
      const { session } = member
      if (session === undefined) continue
      const judgement = judge(session, at, this.#init.timings)
      if (judgement === undefined) lapsed.push({ member, session })
      else this.#observe(member, session, judgement)
      if (hasMoved(session, at, this.#init.timings)) this.#held.delete(member.id)
    }
    this.#doubtMass(
      lapsed.map(({ session }) => session).filter(({ lapsedAt }) => lapsedAt === undefined),
      at
    )
    for (const { member, session } of lapsed) this.#judgeLapsed(member, session, at)
  }

  /** Excuses losses after a standstill: whoever gives this registry up because it stood still has the time to come back that many who fall silent at once have. */
  #excuse(): void {
    const {
      timings,
      time: { awake, now }
    } = this.#init
    if (awake.stalled(now())) this.#excusedUntil = awake.at(now()) + timings.massWindowMs
  }

  forget(publicKey: Uint8Array): void {
    this.#held.delete(keyId(publicKey))
  }

  #isLive(session: Session, at: number): boolean {
    if (session.left !== undefined || session.lost !== undefined || session.releasedAt !== undefined) return false
    return at - session.beatAt < this.#init.timings.leaseMs
  }

  #connect(member: ObservedMember, keys: readonly Uint8Array[]): void {
    const before = member.connected
    const after = new Map<string, { toKey: Uint8Array; sinceMs: number }>()
    const sinceMs = this.#init.time.wall()
    for (const toKey of keys) after.set(keyId(toKey), before.get(keyId(toKey)) ?? { toKey, sinceMs })
    if (after.size === before.size && [...after.keys()].every((id) => before.has(id))) return
    member.connected = after
    member.connectedUntold = true
    member.connectedUnsaved = true
  }

  #heard(member: ObservedMember, session: Session, rttMs?: number): void {
    const {
      timings,
      onDirty,
      time: { now, awake }
    } = this.#init
    session.heardAt = now()
    this.#held.set(member.id, member)
    const judgement = judge(session, awake.at(now()), timings)
    if (judgement === undefined) return
    this.#put(member, session, judgement, rttMs)
    const refreshMs = timings.refreshMs * Math.max(1, this.#observations.members.size / 1000)
    const isRefreshDue = member.connectedUntold && now() - member.toldAt >= refreshMs
    if (isRefreshDue) this.#observations.tellAgain(member)
    onDirty(member)
  }

  #rejudge(session: Session): void {
    const member = this.#observations.members.get(session.id)
    if (member === undefined || session.lapsedAt !== undefined) return
    const judgement = judge(session, this.#init.time.awake.at(this.#init.time.now()), this.#init.timings)
    if (judgement !== undefined) this.#observe(member, session, judgement)
  }

  #doubtMass(lapsed: readonly Session[], at: number): void {
    if (lapsed.length === 0) return
    for (const session of lapsed) session.lapsedAt = at
    const others = [...this.#held.values()].filter(({ session }) => session?.lapsedAt === undefined)
    const { leaseMs, massWindowMs } = this.#init.timings
    const dueSoon = others.filter(({ own, session }) => {
      return own?.state === 'suspect' && session !== undefined && at - session.beatAt >= leaseMs - massWindowMs
    })
    if (this.doubt.lapse({ at, lapsed: lapsed.length, dueSoon: dueSoon.length, others: others.length })) {
      this.#unsettle(at)
    }
  }

  /** Takes back what was judged in the same window, before doubt began. */
  #unsettle(now: number): void {
    for (const { member, session, at } of this.#settled) {
      if (now - at >= this.#init.timings.massWindowMs || member.session !== session) continue
      if (session.lapsedAt === undefined || session.left !== undefined) continue
      this.#held.set(member.id, member)
      this.#observe(member, session, judgeHeld(session, this.doubt.reason))
    }
    this.#settled = []
  }

  #judgeLapsed(member: ObservedMember, session: Session, at: number): void {
    const { timings } = this.#init
    const verdict = this.doubt.verdict(at, session.lapsedAt ?? at)
    if (verdict === 'hold') {
      // One that was called offline (unconfirmed) stays that until it is confirmed or heard.
      if (member.own?.state !== 'offline') this.#observe(member, session, judgeHeld(session, this.doubt.reason))
      return
    }
    this.#observe(member, session, judgeLapsed(session, timings, verdict))
    if (verdict === 'unconfirmed') return
    this.#held.delete(member.id)
    this.#settled = this.#settled.filter((entry) => at - entry.at < timings.massWindowMs)
    this.#settled.push({ member, session, at })
  }

  #observe(member: ObservedMember, session: Session, judgement: Judgement): void {
    const { own } = member
    if (own?.state === judgement.state && own.reason === judgement.reason && own.heardAt === session.heardAt) return
    const isGone = !isUp(judgement.state) && judgement.state !== 'suspect'
    if (isGone && member.connected.size > 0) this.#connect(member, [])
    this.#put(member, session, judgement)
  }

  #put(member: ObservedMember, session: Session, judgement: Judgement, rttMs?: number): void {
    const { own } = member
    this.#observations.observe(member, {
      ...judgement,
      since: own?.state === judgement.state ? own.since : this.#init.time.now(),
      heardAt: session.heardAt,
      rttMs: rttMs ?? own?.rttMs,
      connected: [...member.connected.values()].map((peer) => peer.toKey)
    })
  }
}
