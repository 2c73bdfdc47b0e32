import type { ProtocolLimits } from '../engine/limits.ts'
import { digestKey } from './messages.ts'
import { Shares } from './shares.ts'
import type { Source } from './source.ts'
import type { Want } from './want.ts'

/** Blocks after which a fetch is a large one, in which each source has a share: before it, whoever has room is asked. */
const largeFetch = 16
/** A source that gave nothing for so long fetches nothing either: its share is asked of the others. */
const aliveMs = 10_000
/** Times that a source may lack a block of its share before it is asked of the others, though it gives other ones. */
const mostAbsences = 30

/** Deliveries of a source to one fetch. */
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
  readonly #sources = new Map<string, Source>()
  /** Those that are being opened, and have a share already. */
  #expected: ReadonlySet<string> = new Set()
  #shares = new Shares([])
  #given = 0
  /** Sources that have lacked nothing so far. */
  #whole = 0
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

  expect(ids: ReadonlySet<string>): void {
    if (ids.size === this.#expected.size && [...ids].every((id) => this.#expected.has(id))) return
    this.#expected = ids
    this.#divide()
  }

  add(source: Source, nowMs: number): void {
    this.#deliveries.set(source, { gaveAtMs: nowMs, isPartial: false })
    this.#sources.set(source.peer.toString(), source)
    this.#whole++
    this.#divide()
  }

  remove(source: Source): void {
    if (!this.#isPartial(source)) this.#whole--
    this.#deliveries.delete(source)
    this.#sources.delete(source.peer.toString())
    this.#divide()
  }

  gave(source: Source, nowMs: number): void {
    this.#given++
    const delivery = this.#deliveries.get(source)
    if (delivery !== undefined) delivery.gaveAtMs = nowMs
  }

  lacks(source: Source): void {
    const delivery = this.#deliveries.get(source)
    if (delivery === undefined || delivery.isPartial) return
    delivery.isPartial = true
    this.#whole--
  }

  /** The wants to ask this source for: those of its share, then those that others would not bring, then those that are late elsewhere. */
  pick(source: Source, wants: Iterable<Want>, room: number, nowMs: number): Want[] {
    const own: Want[] = []
    const others: Want[] = []
    const late: Want[] = []
    const id = source.peer.toString()
    for (const want of wants) {
      if (own.length >= room) break
      if (!want.mayAsk(source, nowMs)) continue
      const first = this.#shares.firstOf(want.digest)
      if (want.asked.size > 0) {
        if (this.#isLate(want)) late.push(want)
      } else if (this.#given < largeFetch || first === id) own.push(want)
      else if (this.#mayTake(source, want, first, nowMs)) others.push(want)
    }
    return [...own, ...others, ...late].slice(0, room)
  }

  #divide(): void {
    this.#shares = new Shares([this.#init.self, ...this.#sources.keys(), ...this.#expected])
  }

  /** A block of the share of somebody who fetches it, too, is left to that one: whoever has all would send it to everybody. */
  #mayTake(source: Source, want: Want, firstId: string | undefined, nowMs: number): boolean {
    if (this.#whole > 0 && this.#isPartial(source)) return false
    if (firstId === undefined || firstId === this.#init.self) return true
    const first = this.#sources.get(firstId)
    if (first === undefined) return false
    if (first.isSlow && !source.isSlow) return true
    if (!this.#isPartial(first)) return first.room === 0
    if (this.#whole === 0) return want.absencesOf(first) > 0
    const aliveFor = this.isNearEnd ? 3 * this.#init.limits.hedgeMs : aliveMs
    const gaveAtMs = this.#deliveries.get(first)?.gaveAtMs ?? 0
    return nowMs - gaveAtMs > aliveFor || want.absencesOf(first) > mostAbsences
  }

  #isPartial(source: Source): boolean {
    return this.#deliveries.get(source)?.isPartial !== false
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
