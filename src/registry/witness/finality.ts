import { z } from 'zod'
import { peerIdText } from '../../identity/keys.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { maxStepMs } from '../../runtime/steady-clock.ts'
import type { Replica } from '../log/replica.ts'
import type { Member, NetworkState } from '../log/state/network-state.ts'
import { comparePositions, type LogPosition } from '../log/state/position.ts'
import type { Meta } from '../store/node-values.ts'
import type { Cosignatures } from './cosignatures.ts'
import { witnessesOf } from './entitled.ts'

const key = 'witness.final'
/** Written so often at most; what a crash loses is heard again from the witnesses. */
const saveMs = 1_000

/** The part of the policy at the last final place that decides what comes after it. */
interface Demand {
  readonly needed: number
  readonly graceMs: number
  /** PeerIds of those whose words count. */
  readonly witnesses: readonly string[]
}

interface Final extends LogPosition {
  readonly demand: Demand
}

const stored = z.object({
  epoch: z.int().min(0),
  n: z.int().min(0),
  demand: z.object({ needed: z.int().min(0), graceMs: z.int().min(0), witnesses: z.array(z.string()) })
})

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
 * only while they are younger than the grace of the policy. What is asked of a place is what the policy of the last final place asks, or more, so that
 * nobody who writes the log alone can ask for less.
 */
export class Finality {
  readonly #init: FinalityInit
  #final: Final
  #saving: NodeJS.Timeout | undefined
  #sinceMs: number | undefined
  /** The policy asked for witnesses when it was looked at last. */
  #isAsked = false

  constructor(init: FinalityInit) {
    const { replica, cosignatures } = init
    this.#init = init
    this.#final = this.#first()
    this.#look()
    for (const type of ['reset', 'entries', 'checkpoint'] as const) replica.events.addEventListener(type, this.#look)
    cosignatures.events.addEventListener('word', this.#look)
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

  /** Witnesses that the next place needs. */
  get needed(): number {
    return Math.max(this.#final.demand.needed, this.#init.replica.state.policy.witnesses)
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

  /** All of a store whose policy asks for nothing; else the place that was kept, or the genesis alone. */
  #first(): Final {
    const { replica, meta } = this.#init
    const { state, head } = replica
    const held = storedFinal(meta)
    // A store that was restored may end below it.
    if (held !== undefined && comparePositions(held, head) <= 0) return held
    const { epoch, n } = state.policy.witnesses === 0 ? head : { epoch: 0, n: 0 }
    const demand = demandAt(state, n, undefined)
    // Nobody is a witness at the genesis that names none: the head says who they are.
    const isAnswerable = demand.witnesses.length >= demand.needed
    return { epoch, n, demand: isAnswerable ? demand : { ...demand, needed: 0 } }
  }

  readonly #look = (): void => {
    const { replica, clock } = this.#init
    const before = this.#final
    this.#followAuthority()
    const place = this.needed === 0 ? replica.head : this.#witnessedPlace()
    if (place !== undefined && comparePositions(place, this.#final) > 0) this.#moveTo(place)
    const isBehind = comparePositions(this.place, replica.head) < 0
    // Where entries come all the time the head is always a little ahead: what counts is whether the place moves.
    const sinceMs = this.#final === before ? this.#sinceMs : undefined
    this.#sinceMs = isBehind ? (sinceMs ?? clock.now()) : undefined
    this.#keepFirst()
    if (this.#final === before) return
    if (this.needed === 0 && before.demand.needed === 0) return
    this.#saveSoon(saveMs)
    this.#init.onFinal()
  }

  /** Keeps the place from which on witnesses are asked for: a start without it would begin at the genesis, and hold everybody back. */
  #keepFirst(): void {
    const isAsked = this.needed > 0
    if (isAsked && !this.#isAsked) this.#saveSoon(0)
    this.#isAsked = isAsked
  }

  /** The authority outranks all witnesses: what its newest delegation stands on is final. */
  #followAuthority(): void {
    const { state, head } = this.#init.replica
    const opened = state.forkPoint(head.epoch)
    if (head.epoch > this.#final.epoch && opened !== undefined) {
      this.#moveTo({ epoch: head.epoch, n: opened.forkN + 1 })
    }
  }

  #witnessedPlace(): LogPosition | undefined {
    const { demand } = this.#final
    // Where nothing was asked before, the head itself says who the witnesses are.
    const among = demand.needed === 0 ? undefined : new Set(demand.witnesses)
    const found = this.#init.cosignatures.witnessed(this.needed, among)
    return found?.checkpoint.value
  }

  #moveTo({ epoch, n }: LogPosition): void {
    this.#final = { epoch, n, demand: demandAt(this.#init.replica.state, n, this.#final.demand) }
  }

  #saveSoon(delayMs: number): void {
    this.#saving ??= setTimeout(() => inBackground(this.#save(), 'keeping what of the log is final'), delayMs).unref()
  }

  async #save(): Promise<void> {
    this.#saving = undefined
    await this.#init.meta.set(key, Buffer.from(JSON.stringify(this.#final)))
  }
}

/** The place that was kept; undefined: there is none, or it cannot be read. */
function storedFinal(meta: Pick<Meta, 'get'>): Final | undefined {
  const bytes = meta.get(key)
  if (bytes === undefined) return undefined
  try {
    return stored.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return undefined
  }
}

/**
 * Demand of a state at a place that is not above its head. A policy, and registries, of later entries are left out; not one that was a witness before
 * and was only entered anew, as after a change of the root.
 */
function demandAt(state: NetworkState, n: number, before: Demand | undefined): Demand {
  const { policy, n: policyN } = state.policyRow
  if (policyN > n && before !== undefined) return before
  const isIn = (publicKey: Uint8Array): boolean =>
    policy.witnessKeys.length > 0 ||
    (state.registry(publicKey)?.n ?? 0) <= n ||
    before?.witnesses.includes(peerIdText(publicKey)) === true
  return {
    needed: policy.witnesses,
    graceMs: policy.witnessGraceMs,
    witnesses: witnessesOf(state).filter(isIn).map(peerIdText)
  }
}
