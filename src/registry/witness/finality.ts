import type { z } from 'zod'
import { peerIdText } from '../../identity/keys.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { maxStepMs } from '../../runtime/steady-clock.ts'
import type { Replica } from '../log/replica.ts'
import type { Member } from '../log/state/network-state.ts'
import { comparePositions, type LogPosition } from '../log/state/position.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Meta } from '../store/node-values.ts'
import type { Cosignatures } from './cosignatures.ts'
import { type Demand, Demands, renamed, storedPlace } from './demands.ts'

const key = 'witness.final'
/** Written so often at most; what a crash loses is heard again from the witnesses. */
const saveMs = 1_000

interface Final extends LogPosition {
  /** Asked of the places behind it. */
  readonly demand: Demand
}

export interface FinalityInit {
  replica: Replica
  cosignatures: Cosignatures
  meta: Meta
  clock: Clock
  /** More of the log is final than before. */
  onFinal: () => void
}

/**
 * The part of the log for which as many witnesses stand as the policy asks. What comes after it is provisional: revokes in it count, and admissions
 * only while they are younger than the grace of the policy. A place is final when as many witnesses stand for it as the last final place asks, among
 * those of that place, and as many as the newest policy asks, among those of now. So nobody who writes the log alone can ask for less, and a change of
 * the witnesses is final when both the old and the new ones have seen it.
 */
export class Finality {
  readonly #init: FinalityInit
  #final: Final
  readonly #demands: Demands
  #saving: NodeJS.Timeout | undefined
  #sinceMs: number | undefined
  #needed = 0
  /** The policy asked for witnesses when it was looked at last. */
  #isAsked = false

  constructor(init: FinalityInit) {
    const { cosignatures } = init
    this.#init = init
    const { replica, meta } = init
    const held = storedFinal(meta)
    // A store that was restored may end below it.
    const isHeld = held !== undefined && comparePositions(held, replica.head) <= 0
    this.#final = isHeld ? held : firstFinal(replica)
    this.#demands = new Demands(this.#final.n, isHeld ? held.coming : [])
    this.#look()
    replica.ledger.applied = this.#demands.note
    replica.events.addEventListener('reset', () => this.#look())
    replica.events.addEventListener('checkpoint', () => this.#look())
    replica.events.addEventListener('entries', ({ detail }) => this.#take(detail.entries))
    cosignatures.events.addEventListener('word', () => this.#look())
  }

  async close(): Promise<void> {
    if (this.#saving === undefined) return
    clearTimeout(this.#saving)
    await this.#save()
  }

  /** The newest final place. */
  get place(): LogPosition {
    return this.needed === 0 ? this.#init.replica.head : this.#final
  }

  /** Witnesses that the head needs: as many as the last final place asks, or the newest policy, or one between them. */
  get needed(): number {
    return this.#needed
  }

  get graceMs(): number {
    return this.#final.demand.graceMs
  }

  /** Since when there is something provisional and nothing became final, ms since 1970; undefined: all is final. */
  get provisionalSinceMs(): number | undefined {
    return this.#sinceMs
  }

  /**
   * False for a member whose admission is provisional and older than the grace. The founder counts: without it no witness could come. It is asked
   * for each message of a member, and reading the admission takes the store: where all is final, that is not touched.
   */
  counts(member: Pick<Member, 'admitN' | 'admit'>): boolean {
    if (member.admitN <= this.place.n) return true
    const { value } = member.admit
    if (value.kind === 'admit' && value.body.via === 'founder') return true
    const { replica, clock } = this.#init
    const ageMs = Math.max(replica.timeMs, clock.now()) - value.timeMs
    // One of a time that has not come would be young for as long as its writer likes.
    return ageMs <= this.graceMs && ageMs >= -maxStepMs
  }

  #take(entries: readonly Signed<LogEntry>[]): void {
    for (const { value } of entries) {
      if (value.kind !== 'rotate') continue
      const { oldKey, newKey } = value.body
      const names = [peerIdText(oldKey), peerIdText(newKey)] as const
      this.#final = { ...this.#final, demand: renamed(this.#final.demand, ...names) }
      this.#demands.rename(...names)
    }
    this.#look()
  }

  #look(): void {
    const { replica, clock, cosignatures } = this.#init
    const before = { final: this.#final, coming: this.#demands.coming }
    this.#followAuthority()
    this.#demands.settle(replica.state)
    for (let place = this.#nextPlace(); place !== undefined; place = this.#nextPlace()) this.#moveTo(place)
    // Some may be no witnesses any more by the head.
    cosignatures.ask(new Set(this.#open().flatMap(({ witnesses }) => witnesses)))
    this.#needed = Math.max(replica.state.policy.witnesses, ...this.#open().map(({ needed }) => needed))
    const isBehind = comparePositions(this.place, replica.head) < 0
    const hasMoved = this.#final !== before.final
    // Where entries come all the time the head is always a little ahead: what counts is whether the place moves.
    const sinceMs = hasMoved ? undefined : this.#sinceMs
    this.#sinceMs = isBehind ? (sinceMs ?? clock.now()) : undefined
    this.#keepFirst()
    if (this.needed === 0 && before.final.demand.needed === 0) return
    if (hasMoved || this.#demands.coming !== before.coming) this.#saveSoon(saveMs)
    if (hasMoved) this.#init.onFinal()
  }

  /** Keeps the place from which on witnesses are asked for: a start without it would begin at the genesis, and hold everybody back. */
  #keepFirst(): void {
    const isAsked = this.needed > 0
    if (isAsked && !this.#isAsked) this.#saveSoon(0)
    this.#isAsked = isAsked
  }

  /** Demands of the last final place and of those behind it. */
  #open(): Demand[] {
    return [this.#final.demand, ...this.#demands.coming.map(({ demand }) => demand)]
  }

  /** The authority outranks all witnesses: what its newest delegation stands on is final. */
  #followAuthority(): void {
    const { state, head } = this.#init.replica
    const opened = state.forkPoint(head.epoch)
    if (head.epoch <= this.#final.epoch || opened === undefined) return
    this.#demands.cutAfter(opened.forkN)
    this.#demands.settle(state)
    this.#moveTo({ epoch: head.epoch, n: opened.forkN + 1 })
  }

  /** The next place that is final; undefined: none. The newest policy is asked, too, also where it needs more witnesses than there are. */
  #nextPlace(): LogPosition | undefined {
    const { policy } = this.#init.replica.state
    const now = policy.witnesses === 0 ? this.#init.replica.head : this.#witnessed(policy.witnesses)
    const place = now && lower(now, this.#reached())
    return place !== undefined && comparePositions(place, this.#final) > 0 ? place : undefined
  }

  /** As far as what was asked goes: an entry that changes it, and what follows that, needs those who were asked before and those who are from there on. */
  #reached(): LogPosition {
    const reached = this.#answered(this.#final.demand)
    const [first, second] = this.#demands.coming
    if (first === undefined || reached.n < first.n) return reached
    const before = { ...reached, n: first.n - 1 }
    const both = lower(reached, this.#answered(first.demand))
    if (comparePositions(both, before) <= 0) return before
    return second === undefined ? both : lower(both, { ...reached, n: second.n - 1 })
  }

  #answered({ needed, witnesses }: Demand): LogPosition {
    return needed === 0 ? this.#init.replica.head : (this.#witnessed(needed, witnesses) ?? this.#final)
  }

  #witnessed(needed: number, among?: readonly string[]): LogPosition | undefined {
    return this.#init.cosignatures.witnessed(needed, among)?.checkpoint.value
  }

  #moveTo({ epoch, n }: LogPosition): void {
    this.#final = { epoch, n, demand: this.#demands.pass(n) ?? this.#final.demand }
  }

  #saveSoon(delayMs: number): void {
    this.#saving ??= setTimeout(() => inBackground(this.#save(), 'keeping what of the log is final'), delayMs).unref()
  }

  async #save(): Promise<void> {
    this.#saving = undefined
    await this.#init.meta.set(key, Buffer.from(JSON.stringify({ ...this.#final, coming: this.#demands.coming })))
  }
}

/** The place that was kept; undefined: there is none, or it cannot be read. */
function storedFinal(meta: Pick<Meta, 'get'>): z.infer<typeof storedPlace> | undefined {
  const bytes = meta.get(key)
  if (bytes === undefined) return undefined
  try {
    return storedPlace.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return undefined
  }
}

/** All of a store whose policy asks for nothing; else the genesis alone, with the witnesses that it names. */
function firstFinal({ state, head, genesis }: Replica): Final {
  const isAll = state.policy.witnesses === 0
  const { witnesses: needed, witnessKeys, witnessGraceMs: graceMs } = genesis.value.policy
  const witnesses = witnessKeys.map(peerIdText)
  const isAsked = !isAll && witnesses.length > 0
  const { epoch, n } = isAll ? head : { epoch: 0, n: 0 }
  return { epoch, n, demand: { needed: isAsked ? needed : 0, graceMs, witnesses } }
}

const lower = (a: LogPosition, b: LogPosition): LogPosition => (comparePositions(a, b) < 0 ? a : b)
