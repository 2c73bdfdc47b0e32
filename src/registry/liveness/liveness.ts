import { equals } from 'uint8arrays/equals'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { NotMemberError } from '../../runtime/errors.ts'
import type { NodeRow } from '../store/node-table.ts'
import { AwakeTime } from './awake-time.ts'
import { ChangeLog } from './change-log.ts'
import { isEntitled, type Speakers } from './entitled.ts'
import { FailureDetector } from './failure-detector.ts'
import type { Lease } from './lease.ts'
import { Leases } from './leases.ts'
import { type Named, ObservedMember, rememberedObservation } from './member.ts'
import { MemberNotes } from './member-notes.ts'
import { restarted } from './member-state.ts'
import { type Hint, hintOf, plainReason } from './observation.ts'
import { Observations, type ObservationsInit } from './observations.ts'
import { type LivenessTimings, timingsOf } from './timings.ts'
import { type MemberView, selfView, unheardView, type ViewTimes, viewOf } from './view.ts'

export type { Lease } from './lease.ts'
export type { Hint } from './observation.ts'
export { isUp, type State, stateOf, states } from './states.ts'
export { defaultTimings, type LivenessTimings } from './timings.ts'
export type { MemberView } from './view.ts'

/** The network whose members are observed, as log and records have it. */
export interface ObservedNetwork extends Speakers {
  readonly isMember: (publicKey: Uint8Array) => boolean
  /** Number of members; default: of those of whom something is known. */
  readonly members?: () => number
}

/** Thing to do because of what was heard, or of time that passed. */
export type LivenessEffect =
  /** Members look different than before: `takeChanged` has their hints. */
  | { readonly kind: 'changed' }
  /** There is more to be kept of a member. */
  | { readonly kind: 'kept'; readonly member: ObservedMember }
  | { readonly kind: 'forgotten'; readonly member: ObservedMember }
  /** A registry that speaks for members said that it is there: whoever follows the hints is to be told. */
  | { readonly kind: 'pulse' }
  /** This process goes: whoever follows the hints is to be told before it has gone. */
  | { readonly kind: 'leaving' }
  /** This registry begins to doubt itself. */
  | { readonly kind: 'doubt'; readonly reason: string; readonly leases: number }

export interface LivenessInit {
  readonly network: ObservedNetwork
  readonly clock: Clock
  readonly timings?: Partial<LivenessTimings>
  /** Members as the process before this one has kept them. */
  readonly rows?: readonly NodeRow[]
  readonly effect?: (effect: LivenessEffect) => void
}

/**
 * Knows who is up, since when, why, and who says so. Observes the sessions that members hold here, takes hints from other registries, and
 * doubts itself first when many fall silent at once. It has no timers, no sockets and no store: what happens is told to it, time passes in
 * `tick`, and what follows comes out as effects.
 */
export class Liveness {
  readonly timings: LivenessTimings
  /** States alone, and who is in which. */
  readonly states: Pick<Observations, 'stateOf' | 'keysIn'>
  /** Experience with members in dials and requests. */
  readonly notes: MemberNotes
  readonly #init: LivenessInit
  readonly #awake: AwakeTime
  readonly #log = new ChangeLog()
  readonly #observations: Observations
  readonly #leases: Leases
  readonly #detector: FailureDetector
  readonly #startedAt: number
  readonly #changed = new Set<ObservedMember>()
  #isOwnUntold = true

  constructor(init: LivenessInit) {
    const { clock, network, rows = [] } = init
    this.#init = init
    this.timings = timingsOf(init.timings)
    this.#startedAt = clock.monotonic()
    this.#awake = new AwakeTime(this.timings.stallMs, this.#startedAt)
    const start = nextStart(rows, clock.now())
    let count = 0
    const { self, members = () => this.#observations.members.size, isRegistry = () => false } = network
    const common = {
      own: { self, next: () => ({ start, count: ++count }) },
      time: { awake: this.#awake, now: () => clock.monotonic(), wall: () => clock.now() },
      timings: this.timings,
      log: this.#log
    }
    const onSource = (publicKey: Uint8Array, speaks: boolean) => this.#observations.sourceChanged(publicKey, speaks)
    this.#detector = new FailureDetector({ ...common, members, onPulse: () => this.#emit({ kind: 'pulse' }), onSource })
    const observationsInit: ObservationsInit = {
      ...common,
      isRegistry,
      namedBy: (publicKey) => network.namedBy?.(publicKey),
      onChange: (member) => this.#changedNow(member),
      onDirty: (member) => this.#emit({ kind: 'kept', member })
    }
    this.#observations = new Observations(observationsInit, this.#detector)
    this.states = this.#observations
    this.notes = new MemberNotes({ clock, network, observations: this.#observations, onNote: observationsInit.onDirty })
    this.#leases = new Leases(observationsInit, this.#observations)
    this.#remember(rows)
  }

  /** The reason why this registry calls nobody offline at the moment; undefined when it trusts itself. */
  get doubt(): string | undefined {
    return this.#leases.doubt.reason
  }

  /** Members whose lease has run out here, and who are not called offline for good because the fault may be this registry's own. */
  get heldBack(): Uint8Array[] {
    return this.#leases.heldBack().map(({ publicKey }) => publicKey)
  }

  /** An operator's word that the silence is not this registry's fault: those who are held back are offline now. @returns them */
  evict(): Uint8Array[] {
    const evicted = this.heldBack
    this.#leases.evict()
    return evicted
  }

  /** Sessions that are held here and not yet given up. */
  get sessions(): number {
    return this.#leases.size
  }

  /** Position behind all changes of this process; it starts at 0 with it. */
  get lastChange(): number {
    return this.#log.last
  }

  /**
   * A member opens a session. `instance` is random per process.
   *
   * @throws NotMemberError
   * @throws DuplicateInstanceError when another living process has the same key
   */
  open(publicKey: Uint8Array, instance: Uint8Array): Lease {
    if (!this.#init.network.isMember(publicKey)) throw new NotMemberError('only a member holds a lease: join first')
    return this.#leases.open(publicKey, instance)
  }

  /** Takes what somebody says who is followed: taken when both its source and its carrier are entitled. @returns as `merge` */
  hear(hint: Hint, carrier: Uint8Array): boolean {
    return isEntitled(hint, carrier, this.#init.network) && this.merge(hint, equals(carrier, hint.publicKey))
  }

  /** Takes what an entitled registry says, of a member or of itself (`isDirect`: to us). @returns whether it is what counts now */
  merge(hint: Hint, isDirect = false): boolean {
    const { publicKey, source } = hint
    const { self, isMember } = this.#init.network
    if (equals(publicKey, self) || equals(source, self) || !isMember(publicKey)) return false
    return equals(publicKey, source) ? this.#detector.hear(hint, isDirect) : this.#observations.merge(hint)
  }

  /** Members that changed behind a position, oldest change first, each once; `change` is the position behind them. */
  hintsAfter(change: number, limit: number): { hints: Hint[]; change: number } {
    const page = this.#log.after(change, limit)
    const hints = page.ids.map((id) => this.#detector.hintAt(id) ?? this.#toldOf(id))
    return { hints: hints.filter((hint) => hint !== undefined), change: page.change }
  }

  view(publicKey: Uint8Array): MemberView {
    const times = this.times()
    if (equals(publicKey, this.#init.network.self)) return selfView(publicKey, this.#startedAt, times)
    const member = this.#observations.get(publicKey)
    return member === undefined ? unheardView(publicKey) : viewOf(member, times)
  }

  /** This process first, then everybody of whom something was heard. */
  views(): MemberView[] {
    const times = this.times()
    const others = [...this.#observations.members.values()].map((member) => viewOf(member, times))
    return [selfView(this.#init.network.self, this.#startedAt, times), ...others]
  }

  /** A session of our own with another registry was answered: the uplink is there. */
  selfProof(): void {
    this.#leases.doubt.proof(this.#awake.at(this.#init.clock.monotonic()), 'new')
  }

  /** A registry answers here: what it says of its members stands. */
  sourceUp(source: Uint8Array): void {
    this.#detector.up(source)
  }

  /** The session with a registry is gone: until it is heard again nobody knows how those are that it speaks for. */
  sourceGone(source: Uint8Array, reason: string): void {
    this.#detector.gone(source, reason)
  }

  /** A newer record of a member is here; it may name another registry. */
  recorded(publicKey: Uint8Array, named: Named): void {
    this.#observations.recorded(publicKey, named)
  }

  /** A record says that its node left, `ageMs` ago. */
  saidLeft({ publicKey, seq }: { publicKey: Uint8Array; seq: number }, reason: string, ageMs = 0): void {
    if (this.states.stateOf(publicKey) === 'left') return
    const since = this.#init.clock.monotonic() - Math.max(0, ageMs)
    this.#observations.left(publicKey, seq, since, plainReason(`left: ${reason}`))
  }

  /**
   * This process goes: those who follow its hints see that it left, and that its sessions end from now on is nobody's fault. Call it
   * before the sessions are closed.
   */
  leaving(reason: string): void {
    this.#leases.close()
    this.#detector.leave(reason)
    this.#isOwnUntold = true
    this.#emit({ kind: 'leaving' })
  }

  /** Its membership ended. */
  forget(publicKey: Uint8Array): void {
    const member = this.#observations.get(publicKey)
    this.#leases.forget(publicKey)
    this.#detector.forget(publicKey)
    this.#observations.forget(publicKey)
    if (member === undefined) return
    this.#changed.delete(member)
    this.#emit({ kind: 'forgotten', member })
  }

  /** Judges every lease, and whether those are heard who speak for others. */
  tick(): void {
    const before = this.doubt
    this.lookAtSources()
    this.#leases.tick()
    const { doubt: reason } = this
    if (before === undefined && reason !== undefined) this.#emit({ kind: 'doubt', reason, leases: this.#leases.size })
  }

  /** Looks alone whether those are heard who speak for others. */
  lookAtSources(): void {
    this.#detector.tick()
  }

  /** Hints on those who look different since the last call, each once. */
  takeChanged(): Hint[] {
    const { now } = this.times()
    const hints = [...this.#changed].flatMap(({ publicKey, shown }) => (shown ? [hintOf(publicKey, shown, now)] : []))
    if (this.#isOwnUntold) hints.push(this.#detector.ownHint())
    this.#isOwnUntold = false
    this.#changed.clear()
    return hints
  }

  /** Members of whom something is known, by the ids of their keys. */
  get members(): ReadonlyMap<string, ObservedMember> {
    return this.#observations.members
  }

  times(): ViewTimes {
    const now = this.#init.clock.monotonic()
    return { now, wall: this.#init.clock.now(), awake: this.#awake.at(now) }
  }

  #remember(rows: readonly NodeRow[]): void {
    const { isMember, self } = this.#init.network
    const { now, wall, awake } = this.times()
    for (const row of rows) {
      if (!isMember(row.publicKey) || equals(row.publicKey, self)) continue
      const member = ObservedMember.fromRow(row, { uptimeWindowMs: this.timings.uptimeWindowMs, countedAt: awake })
      this.#observations.members.set(member.id, member)
      const said = rememberedObservation(row, wall - now, now)
      if (said === undefined) continue
      if (said.state === 'left' || said.state === 'offline') this.#observations.remember(member, said)
      else if (equals(said.source, self)) this.#leases.remember(member, said.heardAt)
      else this.#observations.remember(member, { ...said, state: 'unknown', since: now, reason: restarted })
    }
  }

  #changedNow(member: ObservedMember): void {
    this.#changed.add(member)
    this.#emit({ kind: 'changed' })
  }

  #emit(effect: LivenessEffect): void {
    this.#init.effect?.(effect)
  }

  /** Nobody passes on what was said before a restart, nor what a member's own record says. */
  #toldOf(id: string): Hint | undefined {
    const { publicKey, word } = this.#observations.members.get(id) ?? {}
    if (publicKey === undefined || word === undefined || word.start === 0) return undefined
    return hintOf(publicKey, word, this.#init.clock.monotonic())
  }
}

/** Above that of every process before, also when somebody set the clock back meanwhile. */
const nextStart = (rows: readonly NodeRow[], wallMs: number): number =>
  rows.reduce((highest, row) => Math.max(highest, row.stateSinceMs + 1, (row.lastHeartbeatMs ?? 0) + 1), wallMs)
