import type { ProtocolLimits } from '../engine/limits.ts'
import { Shares } from './shares.ts'
import type { BlockSource } from './source.ts'
import type { Want } from './want.ts'

/** Wants of a small fetch: they are asked of whoever has room, since shares would only make them late. */
const smallFetch = 16
/** Times of `hedgeMs` for which the others are waited for before whoever has all is asked for their part. */
const patience = 3

/** Deliveries of a source to one fetch. */
interface Delivery {
  readonly id: string
  /** It lacked a block: it fetches them itself, or has not got all. */
  isPartial: boolean
  /** Last time at which it gave a block; of one that has all, also the last at which it owed one. */
  movedAtMs: number
  /** Until then it has no share. */
  behindUntilMs: number
}

export interface ChoiceInit {
  /** PeerId of this node. */
  self: string
  limits: ProtocolLimits['blocks']
}

/**
 * Chooses what to ask a source for, in one fetch. Where some have all and others lack something, the shares are those of the others: whoever
 * has all is spared, and asked for the share of this node alone.
 */
export class Choice {
  readonly #init: ChoiceInit
  readonly #deliveries = new Map<BlockSource, Delivery>()
  readonly #sources = new Map<string, BlockSource>()
  /** Since when each of those is being opened that are. */
  #expected: ReadonlyMap<string, number> = new Map()
  #shares = new Shares([])
  #given = 0
  /** Some have all, others do not. */
  #isShared = false

  constructor(init: ChoiceInit) {
    this.#init = init
  }

  get sources(): readonly BlockSource[] {
    return [...this.#deliveries.keys()]
  }

  has(source: BlockSource): boolean {
    return this.#deliveries.has(source)
  }

  /** Those that are being opened: each has a share for a moment, so that nobody else is asked for it. */
  expect(ids: ReadonlySet<string>, nowMs: number): void {
    this.#expected = new Map([...ids].map((id) => [id, this.#expected.get(id) ?? nowMs]))
    this.#divide(nowMs)
  }

  add(source: BlockSource, nowMs: number): void {
    const id = source.peer.toString()
    this.#deliveries.set(source, { id, isPartial: false, movedAtMs: nowMs, behindUntilMs: nowMs })
    this.#sources.set(id, source)
    this.#divide(nowMs)
  }

  remove(source: BlockSource, nowMs: number): void {
    this.#deliveries.delete(source)
    this.#sources.delete(source.peer.toString())
    this.#divide(nowMs)
  }

  gave(source: BlockSource, nowMs: number): void {
    this.#given++
    const delivery = this.#deliveries.get(source)
    if (delivery !== undefined) delivery.movedAtMs = nowMs
  }

  lacks(source: BlockSource, nowMs: number): void {
    const delivery = this.#deliveries.get(source)
    if (delivery === undefined || delivery.isPartial) return
    delivery.isPartial = true
    this.#divide(nowMs)
  }

  /** The wants to ask this source for, by key: those of its share, then those that others would not bring, then those that are late elsewhere. */
  pick(source: BlockSource, wants: ReadonlyMap<string, Want>, room: number, nowMs: number): Want[] {
    const isSmall = this.#given + wants.size <= smallFetch
    const own: Want[] = []
    const others: Want[] = []
    const late: Want[] = []
    for (const [key, want] of wants) {
      if (own.length >= room) break
      if (!want.mayAsk(source, nowMs)) continue
      if (want.asked.size > 0) {
        if (this.#isLate(key, want, source)) late.push(want)
        continue
      }
      const first = this.#shares.firstOf(want.digest)
      if (this.#isOwn(source, first)) own.push(want)
      else if (isSmall || this.#mayTake(want, first)) others.push(want)
    }
    return [...own, ...others, ...late].slice(0, room)
  }

  /**
   * Takes the share of those who are behind for a while, where whoever has all has had nothing to send, and they are waited for: of those who
   * gave nothing in that time, or else of the one that is waited for most. Called once in a while.
   */
  look(wants: Iterable<Want>, nowMs: number): void {
    const waiting = new Map<Delivery, number>()
    for (const want of wants) {
      for (const source of want.asked) this.#owes(source, nowMs)
      const first = want.asked.size === 0 ? this.#deliveryOf(this.#shares.firstOf(want.digest)) : undefined
      if (first?.isPartial === true) waiting.set(first, (waiting.get(first) ?? 0) + 1)
    }
    const whole = [...this.#deliveries.values()].filter(({ isPartial }) => !isPartial)
    const sinceMs = nowMs - patience * this.#init.limits.hedgeMs
    const isFree = whole.some(({ movedAtMs }) => movedAtMs < sinceMs)
    if (!isFree && waiting.size > 0) return
    for (const each of whole) each.movedAtMs = nowMs
    if (waiting.size === 0) return
    const silent = [...waiting.keys()].filter(({ movedAtMs }) => movedAtMs < sinceMs)
    const [most] = [...waiting].toSorted(([, one], [, other]) => other - one).map(([each]) => each)
    for (const each of silent.length > 0 || most === undefined ? silent : [most])
      each.behindUntilMs = nowMs + this.#init.limits.restMs
    this.#divide(nowMs)
  }

  #divide(nowMs: number): void {
    const all = [...this.#deliveries.values()]
    this.#isShared = all.some(({ isPartial }) => isPartial) && all.some(({ isPartial }) => !isPartial)
    const sharers = all.filter((each) => !this.#isShared || (each.isPartial && each.behindUntilMs <= nowMs))
    const opening = [...this.#expected].filter(([, sinceMs]) => nowMs - sinceMs < this.#init.limits.hedgeMs)
    this.#shares = new Shares([this.#init.self, ...sharers.map(({ id }) => id), ...opening.map(([id]) => id)])
  }

  /** In the share of this source; or in that of this node, and the source has all. */
  #isOwn(source: BlockSource, firstId: string | undefined): boolean {
    const delivery = this.#deliveries.get(source)
    return firstId === delivery?.id || (firstId === this.#init.self && delivery?.isPartial === false)
  }

  /** A block of the share of somebody who fetches it, too, is left to that one where others have all: they would send it to everybody. */
  #mayTake(want: Want, firstId: string | undefined): boolean {
    if (this.#isShared) return false
    if (firstId === undefined || firstId === this.#init.self) return true
    const first = this.#sources.get(firstId)
    return first !== undefined && (first.room === 0 || want.absencesOf(first) > 0)
  }

  #deliveryOf(id: string | undefined): Delivery | undefined {
    const source = id === undefined ? undefined : this.#sources.get(id)
    return source && this.#deliveries.get(source)
  }

  #owes(source: BlockSource, nowMs: number): void {
    const delivery = this.#deliveries.get(source)
    if (delivery?.isPartial === false) delivery.movedAtMs = nowMs
  }

  /** On its way from one source, for too long. Whoever is spared waits longer before it sends what another one may be sending. */
  #isLate(key: string, want: Want, source: BlockSource): boolean {
    const [first] = want.asked
    const isSpared = this.#isShared && this.#deliveries.get(source)?.isPartial === false
    const lateMs = (isSpared ? patience : 1) * this.#init.limits.hedgeMs
    return want.asked.size === 1 && first !== undefined && first.owesForMs(key) > lateMs
  }
}
