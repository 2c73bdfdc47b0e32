import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { KeyGroups } from '../records/key-groups.ts'
import type { LivenessTime } from './awake-time.ts'
import type { ChangeLog } from './change-log.ts'
import type { FailureDetector, Silence } from './failure-detector.ts'
import { type Named, ObservedMember } from './member.ts'
import {
  compareObservations,
  compareWords,
  type Hint,
  type Observation,
  type OwnSource,
  observationOf,
  type Position
} from './observation.ts'
import { isUp, type State } from './states.ts'
import type { LivenessTimings } from './timings.ts'

export interface ObservationsInit {
  readonly own: OwnSource
  readonly time: LivenessTime
  readonly timings: LivenessTimings
  readonly log: ChangeLog
  readonly isRegistry: (publicKey: Uint8Array) => boolean
  /** The registry that a member's own signed record names to speak for it. */
  readonly namedBy: (publicKey: Uint8Array) => Named | undefined
  /** A member looks different than before, or has something to be told. Called for every change; the caller coalesces. */
  readonly onChange: (member: ObservedMember) => void
  /** A member has something to persist. */
  readonly onDirty: (member: ObservedMember) => void
}

/** Observation made here, before it has its place in the order. */
export type Observed = Omit<Observation, keyof Position | 'source'>

/** It will not be otherwise without anybody saying so. */
const isSettled = (state: State): boolean => state === 'left' || state === 'offline'

/**
 * Knowledge about each member, and who has it. Of all that is said of a member the highest in the order counts, so it does not matter
 * when and by which way it came. It stands while its source is heard.
 */
export class Observations {
  readonly members = new Map<string, ObservedMember>()
  /** Members by the state that is shown; those of whom nothing was heard are in none. */
  readonly #byState = new KeyGroups<State>()
  readonly #init: ObservationsInit
  readonly #selfId: string
  readonly #detector: Pick<FailureDetector, 'spoke' | 'silenceOf' | 'wordOf' | 'heardItselfAt'>
  /** Members that a source said something of. */
  readonly #bySource = new Map<string, Set<ObservedMember>>()

  constructor(
    init: ObservationsInit,
    detector: Pick<FailureDetector, 'spoke' | 'silenceOf' | 'wordOf' | 'heardItselfAt'>
  ) {
    this.#init = init
    this.#detector = detector
    this.#selfId = keyId(init.own.self)
    this.#byState.put(init.own.self, 'online')
  }

  get(publicKey: Uint8Array): ObservedMember | undefined {
    return this.members.get(keyId(publicKey))
  }

  stateOf(publicKey: Uint8Array): State {
    const id = keyId(publicKey)
    return id === this.#selfId ? 'online' : (this.members.get(id)?.shown?.state ?? 'unknown')
  }

  /** Keys of those in a state, ascending, above `after`. undefined: nobody keeps a list of those of whom nothing was heard. */
  keysIn(state: State, after: Uint8Array | undefined, limit: number): Uint8Array[] | undefined {
    return state === 'unknown' ? undefined : this.#byState.after(state, after, limit)
  }

  /** Known or new. */
  member(publicKey: Uint8Array): ObservedMember {
    const known = this.get(publicKey)
    if (known !== undefined) return known
    const {
      timings,
      time: { awake, now, wall }
    } = this.#init
    const init = { firstSeenMs: wall(), uptimeWindowMs: timings.uptimeWindowMs, countedAt: awake.at(now()) }
    const member = new ObservedMember(publicKey, init)
    this.members.set(member.id, member)
    this.#init.onDirty(member)
    return member
  }

  /** Takes what is observed here. It takes a new place in the order when it says something new, stands on a newer record, or is outranked. */
  observe(member: ObservedMember, observed: Observed): void {
    const { self } = this.#init.own
    const { own, word, shown } = member
    const named = this.#named(member)
    const seq = named?.holder !== undefined && equals(named.holder, self) ? named.seq : (own?.seq ?? 0)
    const isNews = own === undefined || own !== word || own.seq !== seq || !saysSame(own, observed)
    const { start, count } = isNews ? this.#init.own.next() : own
    member.own = { ...observed, source: self, seq, start, count }
    wasUp(member, observed)
    if (isNews) this.#settle(member)
    else member.word = member.own
    if (!isNews && shown === own) member.shown = member.own
  }

  /** Takes what another registry says, first-hand or passed on. @returns whether it is what counts now */
  merge(hint: Hint): boolean {
    const member = this.member(hint.publicKey)
    const said = observationOf(hint, this.#init.time.now())
    if (said.start > 0) this.#keep(member, said)
    return member.word === said
  }

  /** Its own signed record says that it left. */
  left(publicKey: Uint8Array, seq: number, since: number, reason: string): void {
    const place = { source: publicKey, seq, start: 0, count: 0 }
    this.#keep(this.member(publicKey), {
      ...place,
      state: 'left',
      reason,
      since,
      heardAt: since,
      rttMs: undefined,
      connected: []
    })
  }

  /** A newer record of the member is here. */
  recorded(publicKey: Uint8Array, named: Named): void {
    const member = this.get(publicKey)
    if (member === undefined) return
    member.named = named
    this.#settle(member)
  }

  /** A source said something of itself, and what it says of others stands from now on, or does not. */
  sourceChanged(publicKey: Uint8Array, speaks: boolean): void {
    this.#show(this.member(publicKey))
    if (speaks) for (const member of this.#bySource.get(keyId(publicKey)) ?? []) this.#show(member)
  }

  /** A member as it was before a restart. What others said of it is below all that they say now. */
  remember(member: ObservedMember, observation: Observation): void {
    this.members.set(member.id, member)
    if (keyId(observation.source) === this.#selfId) this.observe(member, observation)
    else this.#keep(member, observation)
  }

  forget(publicKey: Uint8Array): void {
    const member = this.get(publicKey)
    if (member === undefined) return
    for (const id of member.words.keys()) this.#drop(member, id)
    for (const other of this.#bySource.get(member.id) ?? []) {
      this.#drop(other, member.id)
      this.#settle(other)
    }
    this.members.delete(member.id)
    this.#byState.put(publicKey, undefined)
    this.#init.log.delete(member.id)
  }

  /** Puts the own observation in front of those who follow the changes once more. */
  tellAgain(member: ObservedMember): void {
    if (member.own === undefined) return
    member.own = { ...member.own, ...this.#init.own.next() }
    this.#settle(member)
  }

  #keep(member: ObservedMember, said: Observation): void {
    const id = keyId(said.source)
    if (said.start > 0) this.#detector.spoke(said)
    wasUp(member, said)
    const before = member.words.get(id)
    if (before !== undefined && compareObservations(said, before) <= 0) return
    member.words.set(id, said)
    const members = this.#bySource.get(id) ?? new Set()
    this.#bySource.set(id, members.add(member))
    this.#settle(member)
  }

  #drop(member: ObservedMember, sourceId: string): void {
    member.words.delete(sourceId)
    const members = this.#bySource.get(sourceId)
    members?.delete(member)
    if (members?.size === 0) this.#bySource.delete(sourceId)
  }

  /** Finds what counts by now, and tells it when it is news. */
  #settle(member: ObservedMember): void {
    const before = member.word
    const words = [...member.words.values(), ...(member.own === undefined ? [] : [member.own])]
    const word = highest(words.filter((each) => this.#counts(member, each)))
    member.word = word
    member.ahead = highest(words.filter((each) => this.#isAhead(member, each)))
    this.#show(member)
    if (word === undefined || (before !== undefined && isSameWord(before, word))) return
    member.toldAt = this.#init.time.now()
    member.connectedUntold = false
    this.#init.log.touch(member.id)
    this.#init.onChange(member)
  }

  /** The member's own record decides who speaks for it. */
  #counts(member: ObservedMember, { source, seq }: Observation): boolean {
    const named = this.#named(member)
    if (named === undefined || seq < named.seq || equals(source, member.publicKey)) return true
    return named.holder !== undefined && equals(source, named.holder)
  }

  /** A registry of the network says that a newer record names it, which is not here yet. */
  #isAhead(member: ObservedMember, { source, seq }: Observation): boolean {
    const named = this.#named(member)
    return named !== undefined && seq > named.seq && this.#init.isRegistry(source)
  }

  /** Without a record, whoever holds its session; undefined: nobody is known to. */
  #named(member: ObservedMember): Named | undefined {
    member.named ??= this.#init.namedBy(member.publicKey) ?? 'nobody'
    if (member.named !== 'nobody') return member.named
    return member.own && { seq: member.own.seq, holder: this.#init.own.self }
  }

  /** The observation that is shown: of the word that counts, one on a record on its way and its own pulse the first that stands. */
  #speaks(member: ObservedMember): Observation | undefined {
    const { own, word, ahead, upSince } = member
    const itself = this.#detector.wordOf(member.id)
    // Whoever holds the lease goes by it: a goodbye that others pass on may be forged.
    const isHeldHere = word !== undefined && word === own && isUp(word.state)
    if (itself?.state === 'left' && itself.since >= upSince && !isHeldHere) return itself
    const standing = [word, ahead].find((each) => each !== undefined && this.#stands(member, each))
    if (standing !== undefined || itself?.state === 'online') return standing ?? itself
    const last = ahead ?? word
    return last === undefined ? itself : this.#whileUnheard(last)
  }

  /** A word stands while its source is heard, speaks for the member, and knows how it is. */
  #stands(member: ObservedMember, word: Observation): boolean {
    const { state, since, seq, source } = word
    if (state === 'unknown' || this.#silenceOf(word) !== undefined) return false
    const named = this.#named(member)
    if (named?.holder !== undefined && named.seq > seq && !equals(named.holder, source)) return false
    // What is said of a registry does not come through it, so whoever heard it itself since then may never hear a new word.
    const isDown = state === 'suspect' || state === 'offline'
    return !isDown || this.#detector.heardItselfAt(member.id) <= since
  }

  #whileUnheard(word: Observation): Observation {
    const silence = isSettled(word.state) ? undefined : this.#silenceOf(word)
    return silence === undefined ? word : { ...word, state: 'unknown', ...silence, connected: [] }
  }

  #silenceOf(word: Observation): Silence | undefined {
    return equals(word.source, this.#init.own.self) ? undefined : this.#detector.silenceOf(word)
  }

  /** Puts forward what is shown by now. */
  #show(member: ObservedMember): void {
    const before = member.shown
    const next = this.#speaks(member)
    if (next === before) return
    if (before?.state !== next?.state) this.#count(member, next)
    member.shown = next
    this.#byState.put(member.publicKey, next?.state)
    if (before !== undefined && next !== undefined && looksSame(before, next)) return
    this.#init.onDirty(member)
    this.#init.onChange(member)
  }

  /** The time until the change belongs to the state before it, but for the silence that the change is about. */
  #count(member: ObservedMember, next: Observation | undefined): void {
    const now = this.#init.time.now()
    const isSilence = next?.state === 'suspect' || next?.state === 'offline'
    const silentMs = isSilence && next.heardAt !== undefined ? now - next.heardAt : 0
    member.count(this.#init.time.awake.at(now), silentMs)
  }
}

const highest = (words: Observation[]): Observation | undefined => words.toSorted(compareObservations).at(-1)

const wasUp = (member: ObservedMember, { state, since }: Observed): void => {
  if (isUp(state)) member.upSince = Math.max(member.upSince, since)
}

const saysSame = (a: Observed, b: Observed): boolean => a.state === b.state && a.reason === b.reason

const isSameWord = (a: Observation, b: Observation): boolean => compareWords(a, b) === 0 && equals(a.source, b.source)

const looksSame = (a: Observation, b: Observation): boolean => saysSame(a, b) && equals(a.source, b.source)
