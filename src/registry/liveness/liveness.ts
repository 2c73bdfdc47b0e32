import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { NotMemberError } from '../../runtime/errors.ts'
import type { NodeTable } from '../store/node-table.ts'
import { Attention } from './awake-time.ts'
import { isEntitled, type Speakers } from './entitled.ts'
import { Sources } from './failure-detector.ts'
import type { Lease } from './lease.ts'
import { Leases } from './leases.ts'
import { ObservedMember, rememberedObservation } from './member.ts'
import { restarted } from './member-state.ts'
import { type Hint, hintOf, type Observation, plainReason } from './observation.ts'
import { Board, type BoardInit, type MergeOptions } from './observations.ts'
import { reputationAfterReject, reputationAfterServed } from './score.ts'
import { type LivenessTimings, timingsOf } from './timings.ts'
import { type MemberView, selfView, unheardView, type ViewTimes, viewOf } from './view.ts'

export type { Lease } from './lease.ts'
export type { Hint } from './observation.ts'
export { isUp, type State, stateOf, states } from './states.ts'
export { defaultTimings, type LivenessTimings } from './timings.ts'
export type { MemberView } from './view.ts'

export interface LivenessInit extends Speakers {
  readonly clock: Clock
  readonly logger: Logger
  readonly timings?: Partial<LivenessTimings>
  readonly isMember: (publicKey: Uint8Array) => boolean
  /** Members of the network; without it, those of whom something is known. */
  readonly members?: () => number
  readonly table: NodeTable
  readonly write: <T>(run: () => T) => Promise<T>
  /** Members that look different than before, each once, at most every `hintDelayMs` while started. */
  readonly onHints?: (hints: Hint[]) => void
  /** A registry that speaks for members said that it is there: those who follow the hints are to be told. */
  readonly onPulse?: () => void
}

/** Rows of one transaction, so that a large network does not hold the event loop. */
const rowsPerWrite = 500
/** Characters of the last error of a dial. */
const maxAddressChars = 256

/**
 * Who is up, since when, why, and who says so. Observes the sessions that members hold here, takes hints from other registries, and
 * doubts itself first when many fall silent at once. Time passes in `tick`, which `start` calls; without it nothing moves by itself.
 */
export class Liveness {
  readonly timings: LivenessTimings
  /** States alone, and who is in which. */
  readonly states: Pick<Board, 'stateOf' | 'keysIn'>
  readonly #init: LivenessInit
  readonly #attention: Attention
  readonly #board: Board
  readonly #leases: Leases
  readonly #sources: Sources
  readonly #startedAt: number
  readonly #dirty = new Set<ObservedMember>()
  /** Former members whose rows are still there. */
  readonly #forgotten = new Map<string, ObservedMember>()
  readonly #changed = new Set<ObservedMember>()
  #timers: NodeJS.Timeout[] = []
  #hintTimer: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()
  /** What is told of this process itself. */
  #own: Pick<Observation, 'state' | 'since' | 'reason'>
  #isOwnUntold = true

  constructor(init: LivenessInit) {
    const { clock } = init
    this.#init = init
    this.timings = timingsOf(init.timings)
    this.#startedAt = clock.monotonic()
    this.#attention = new Attention(this.timings.stallMs, this.#startedAt)
    const boardInit: BoardInit = {
      self: init.self,
      timings: this.timings,
      attention: this.#attention,
      now: () => clock.monotonic(),
      wall: () => clock.now(),
      onChange: (member) => this.#changedNow(member),
      onDirty: (member) => this.#dirty.add(member)
    }
    this.#board = new Board(boardInit)
    this.states = this.#board
    this.#leases = new Leases(boardInit, this.#board)
    const { members = () => this.#board.members.size, isRegistry = () => false, onPulse = () => {} } = init
    this.#sources = new Sources({ ...boardInit, members, isRegistry, onPulse }, this.#board)
    this.#own = { state: 'online', since: this.#startedAt, reason: '' }
    this.#board.log.touch(keyId(init.self))
    this.#remember()
  }

  /** Why this registry calls nobody offline at the moment; undefined when it trusts itself. */
  get doubt(): string | undefined {
    return this.#leases.doubt.reason
  }

  /** Sessions that are held here and not yet given up. */
  get sessions(): number {
    return this.#leases.size
  }

  /** Position behind all changes of this process; it starts at 0 with it. */
  get lastChange(): number {
    return this.#board.log.last
  }

  /**
   * A member opens a session. `instance` is random per process.
   *
   * @throws NotMemberError
   * @throws DuplicateInstanceError when another living process has the same key
   */
  open(publicKey: Uint8Array, instance: Uint8Array): Lease {
    if (!this.#init.isMember(publicKey)) throw new NotMemberError('only a member holds a lease: join first')
    return this.#leases.open(publicKey, instance)
  }

  /** What somebody says who is followed: taken when both its source and its carrier are entitled. @returns as `merge` */
  hear(hint: Hint, carrier: Uint8Array): boolean {
    return isEntitled(hint, carrier, this.#init) && this.merge(hint, { firstHand: equals(hint.source, carrier) })
  }

  /** What an entitled registry says. @returns whether it speaks for the member now */
  merge(hint: Hint, options?: MergeOptions): boolean {
    return this.#init.isMember(hint.publicKey) && this.#sources.merge(hint, options)
  }

  /** Members that changed behind a position, oldest change first, each once; `change` is the position behind them. */
  hintsAfter(change: number, limit: number): { hints: Hint[]; change: number } {
    const page = this.#board.log.after(change, limit)
    const selfId = keyId(this.#init.self)
    const hints = page.ids.map((id) =>
      id === selfId ? this.#ownHint() : (this.#sources.hintAt(id) ?? this.#hintOf(this.#board.members.get(id)))
    )
    return { hints: hints.filter((hint) => hint !== undefined), change: page.change }
  }

  view(publicKey: Uint8Array): MemberView {
    const times = this.#times()
    if (equals(publicKey, this.#init.self)) return selfView(publicKey, this.#startedAt, times)
    const member = this.#board.get(publicKey)
    return member === undefined ? unheardView(publicKey) : viewOf(member, times)
  }

  /** This process first, then everybody of whom something was heard. */
  views(): MemberView[] {
    const times = this.#times()
    const others = [...this.#board.members.values()].map((member) => viewOf(member, times))
    return [selfView(this.#init.self, this.#startedAt, times), ...others]
  }

  /** A session of our own with another registry was answered: the uplink is there. */
  selfProof(): void {
    this.#leases.doubt.proof(this.#attention.at(this.#init.clock.monotonic()), 'new')
  }

  /** A registry answers here: what it says of its members stands. */
  sourceUp(source: Uint8Array): void {
    this.#sources.up(source)
  }

  /** The connection to a registry is gone, and so is what is known through it: `unknown since`. */
  sourceGone(source: Uint8Array, reason: string): void {
    this.#board.sourceGone(source, reason)
  }

  /** A record says that its node left, `ageMs` ago. */
  saidLeft(publicKey: Uint8Array, reason: string, ageMs = 0): void {
    const member = this.#board.member(publicKey)
    const { session } = member
    if (session !== undefined && this.#leases.holds(session) === 'yes') {
      this.#leases.left(session, reason)
      return
    }
    if (member.shown?.state === 'left') return
    const since = this.#init.clock.monotonic() - Math.max(0, ageMs)
    const left = { state: 'left', reason: plainReason(`left: ${reason}`), source: this.#init.self } as const
    this.#board.observe(member, { ...left, since, heardAt: since, rttMs: undefined, connected: [] })
  }

  /**
   * This process goes: those who follow its hints see that it left, and that its sessions end from now on is nobody's fault. Call it
   * before the sessions are closed.
   */
  leaving(reason: string): void {
    const { self, clock } = this.#init
    this.#leases.close()
    this.#own = { state: 'left', since: clock.monotonic(), reason: plainReason(`left: ${reason}`) }
    this.#board.log.touch(keyId(self))
    this.#isOwnUntold = true
    this.#sendHints()
  }

  /** Its membership ended. */
  forget(publicKey: Uint8Array): void {
    const member = this.#board.get(publicKey)
    this.#leases.forget(publicKey)
    this.#sources.forget(publicKey)
    this.#board.forget(publicKey)
    if (member === undefined) return
    this.#dirty.delete(member)
    this.#changed.delete(member)
    this.#forgotten.set(member.id, member)
    inBackground(this.save(), 'saving liveness')
  }

  /** How it became known, when it was not yet. */
  learned(publicKey: Uint8Array, from: string): void {
    this.#note(publicKey, (member) => {
      member.learnedFrom ||= from
    })
  }

  /** A connection was made through this address. */
  connected(publicKey: Uint8Array, address: string): void {
    this.#note(publicKey, (member) => {
      member.lastAddress = address.slice(0, maxAddressChars)
      member.lastConnectedMs = this.#init.clock.now()
    })
  }

  /** It could not be dialled. */
  failed(publicKey: Uint8Array, error: string): void {
    this.#note(publicKey, (member) => {
      member.lastError = plainReason(error)
      member.lastErrorMs = this.#init.clock.now()
    })
  }

  /** It answered a request of ours. */
  served(publicKey: Uint8Array): void {
    this.#note(publicKey, (member) => {
      member.reputation = reputationAfterServed(member.reputation)
    })
  }

  /** It sent something that had to be rejected. */
  rejected(publicKey: Uint8Array): void {
    this.#note(publicKey, (member) => {
      member.reputation = reputationAfterReject(member.reputation)
    })
  }

  /** Judges every lease, and whether those are heard who speak for others. */
  tick(): void {
    const before = this.doubt
    const stalled = this.#attention.stalled(this.#init.clock.monotonic())
    this.#leases.tick()
    this.#sources.tick({ leaving: this.#own.state === 'left', stalled })
    if (before === undefined && this.doubt !== undefined) {
      this.#init.logger.warn(
        { leases: this.#leases.size, reason: this.doubt },
        'Many members fell silent at once, so this registry may be cut off itself: nobody is called offline until a session answers'
      )
    }
  }

  start(): void {
    if (this.#timers.length > 0) return
    this.#timers = [
      setInterval(() => this.tick(), this.timings.tickMs).unref(),
      setInterval(() => inBackground(this.save(), 'saving liveness'), this.timings.persistMs).unref()
    ]
    this.#scheduleHints()
  }

  /** Ends the timers and writes what was observed. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#timers = []
    clearTimeout(this.#hintTimer)
    this.#hintTimer = undefined
    await this.save()
  }

  /** Writes what was observed since the last time. A failure is logged, and what it lost is written with the next batch. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveDirty())
    return this.#saving
  }

  async #saveDirty(): Promise<void> {
    const members = [...this.#forgotten.values(), ...this.#dirty]
    this.#forgotten.clear()
    this.#dirty.clear()
    for (let from = 0; from < members.length; from += rowsPerWrite) {
      try {
        await this.#init.write(() => this.#putRows(members.slice(from, from + rowsPerWrite)))
      } catch (error) {
        this.#keepForLater(members.slice(from))
        this.#init.logger.warn(
          { error: String(error), rows: members.length - from },
          'Observations of members could not be written; they are kept in memory and tried again with the next batch'
        )
        return
      }
    }
  }

  #keepForLater(members: readonly ObservedMember[]): void {
    for (const member of members) {
      member.connectedUnsaved = true
      if (this.#board.members.get(member.id) === member) this.#dirty.add(member)
      else this.#forgotten.set(member.id, member)
    }
  }

  #putRows(members: readonly ObservedMember[]): void {
    const { table } = this.#init
    const { now, wall, attention } = this.#times()
    for (const member of members) {
      const current = this.#board.members.get(member.id)
      if (current === undefined) table.delete(member.publicKey)
      // Forgotten, and admitted again since: the newer one has a place in a batch of its own.
      if (current !== member) continue
      member.count(attention)
      table.put(member.toRow(wall - now))
      if (!member.connectedUnsaved) continue
      table.putPeers(member.publicKey, member.connected.values())
      member.connectedUnsaved = false
    }
  }

  #remember(): void {
    const { table, isMember, self } = this.#init
    const { now, wall, attention } = this.#times()
    for (const row of table.all()) {
      if (!isMember(row.publicKey) || equals(row.publicKey, self)) continue
      const member = ObservedMember.fromRow(row, { uptimeWindowMs: this.timings.uptimeWindowMs, countedAt: attention })
      const observation = rememberedObservation(row, wall - now, now)
      const isOwn = observation !== undefined && equals(observation.source, self)
      const isOpen = observation !== undefined && observation.state !== 'left' && observation.state !== 'offline'
      if (isOwn && isOpen) this.#leases.remember(member, observation)
      else this.#board.remember(member, observation, restarted)
    }
  }

  #note(publicKey: Uint8Array, change: (member: ObservedMember) => void): void {
    if (equals(publicKey, this.#init.self) || !this.#init.isMember(publicKey)) return
    const member = this.#board.member(publicKey)
    change(member)
    this.#dirty.add(member)
  }

  #changedNow(member: ObservedMember): void {
    this.#changed.add(member)
    if (this.#timers.length > 0) this.#scheduleHints()
  }

  #scheduleHints(): void {
    this.#hintTimer ??= setTimeout(() => this.#sendHints(), this.timings.hintDelayMs).unref()
  }

  #sendHints(): void {
    clearTimeout(this.#hintTimer)
    this.#hintTimer = undefined
    const hints = [...this.#changed].map((member) => this.#hintOf(member)).filter((hint) => hint !== undefined)
    if (this.#isOwnUntold) hints.push(this.#ownHint())
    this.#isOwnUntold = false
    this.#changed.clear()
    if (hints.length > 0) this.#init.onHints?.(hints)
  }

  /** A process that serves others is heard by whoever hears its hints. */
  #ownHint(): Hint {
    const { self, clock } = this.#init
    const now = clock.monotonic()
    return hintOf(self, { ...this.#own, source: self, heardAt: now, rttMs: undefined, connected: [] }, now)
  }

  #hintOf(member: ObservedMember | undefined): Hint | undefined {
    if (member?.shown === undefined) return undefined
    return hintOf(member.publicKey, member.shown, this.#init.clock.monotonic())
  }

  #times(): ViewTimes {
    const now = this.#init.clock.monotonic()
    return { now, wall: this.#init.clock.now(), attention: this.#attention.at(now) }
  }
}
