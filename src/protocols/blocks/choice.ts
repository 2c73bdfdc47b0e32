import type { ProtocolLimits } from '../engine/limits.ts'
import { digestKey } from './messages.ts'
import { Shares } from './shares.ts'
import type { Source } from './source.ts'
import type { Want } from './want.ts'

/** Blocks after which a fetch is a large one, in which each source has a share: before it, whoever has room is asked. */
const largeFetch = 16
/** A source that gave nothing for so long fetches nothing either: its share is asked of the others. */
const aliveMs = 3_000
/** Times that a source may lack a block of its share before it is asked of the others, though it gives other ones. */
const mostAbsences = 8

/** How a source has done in one fetch. */
interface Delivery {
  gaveAtMs: number
  /** It lacked a block: it fetches them itself, or has not got all. */
  isPartial: boolean
}

export interface ChoiceInit {
  /** PeerId of this node. */
  self: string
  limits: ProtocolLimits['blocks']
}

/** Chooses what to ask a source for, in one fetch. */
export class Choice {
  readonly #init: ChoiceInit
  readonly #deliveries = new Map<Source, Delivery>()
  #shares = new Shares<Source | undefined>([])
  #given = 0
  /** All wants are known, and few are left. */
  isNearEnd = false

  constructor(init: ChoiceInit) {
    this.#init = init
  }

  get sources(): readonly Source[] {
    return [...this.#deliveries.keys()]
  }

  has(source: Source): boolean {
    return this.#deliveries.has(source)
  }

  add(source: Source, nowMs: number): void {
    this.#deliveries.set(source, { gaveAtMs: nowMs, isPartial: false })
    this.#divide()
  }

  remove(source: Source): void {
    this.#deliveries.delete(source)
    this.#divide()
  }

  gave(source: Source, nowMs: number): void {
    this.#given++
    const delivery = this.#deliveries.get(source)
    if (delivery !== undefined) delivery.gaveAtMs = nowMs
  }

  lacks(source: Source): void {
    const delivery = this.#deliveries.get(source)
    if (delivery !== undefined) delivery.isPartial = true
  }

  /** The wants to ask this source for: those of its share, then those that others would not bring, then those that are late elsewhere. */
  pick(source: Source, wants: Iterable<Want>, room: number, nowMs: number): Want[] {
    const own: Want[] = []
    const others: Want[] = []
    const late: Want[] = []
    for (const want of wants) {
      if (own.length >= room) break
      if (!want.mayAsk(source, nowMs)) continue
      if (want.asked.size > 0) {
        if (this.#isLate(want)) late.push(want)
      } else if (this.#isShareOf(source, want)) own.push(want)
      else if (this.#mayTake(source, want, nowMs)) others.push(want)
    }
    return [...own, ...others, ...late].slice(0, room)
  }

  #divide(): void {
    const sources = [...this.#deliveries.keys()].map((source) => [source.peer.toString(), source] as const)
    this.#shares = new Shares<Source | undefined>([[this.#init.self, undefined], ...sources])
  }

  #isShareOf(source: Source, want: Want): boolean {
    return this.#given < largeFetch || this.#shares.firstOf(want.digest) === source
  }

  /** A block of the share of somebody who fetches it, too, is left to that one: whoever has all would send it to everybody. */
  #mayTake(source: Source, want: Want, nowMs: number): boolean {
    if (this.#isPartial(source) && this.#hasWhole()) return false
    const first = this.#shares.firstOf(want.digest)
    if (first === undefined || first.isSlow) return true
    if (!this.#isPartial(first)) return first.room === 0
    const aliveFor = this.isNearEnd ? this.#init.limits.hedgeMs : aliveMs
    const gaveAtMs = this.#deliveries.get(first)?.gaveAtMs ?? 0
    return nowMs - gaveAtMs > aliveFor || want.absencesOf(first) > mostAbsences
  }

  #isPartial(source: Source): boolean {
    return this.#deliveries.get(source)?.isPartial !== false
  }

  #hasWhole(): boolean {
    return [...this.#deliveries.values()].some(({ isPartial }) => !isPartial)
  }

  /** On its way from one source, for too long. */
  #isLate(want: Want): boolean {
    const [first] = want.asked
    return (
      want.asked.size === 1 &&
      first !== undefined &&
      first.owesForMs(digestKey(want.digest)) > this.#init.limits.hedgeMs
    )
  }
}
