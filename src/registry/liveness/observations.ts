import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { KeyGroups } from '../records/key-groups.ts'
import type { Attention } from './awake-time.ts'
import { ChangeLog } from './change-log.ts'
import { ObservedMember } from './member.ts'
import {
  type Hint,
  isLater,
  type Observation,
  observationOf,
  overrules,
  plainReason,
  sameToOthers,
  speaker,
  speaksFor,
  supersedes
} from './observation.ts'
import { isUp, type State } from './states.ts'
import type { LivenessTimings } from './timings.ts'

export interface BoardInit {
  /** Own key: the source of what is observed here. */
  readonly self: Uint8Array
  readonly timings: LivenessTimings
  readonly attention: Attention
  /** Monotonic ms, wall clock ms. */
  readonly now: () => number
  readonly wall: () => number
  /** A member looks different to others than before. Called for every change; the caller coalesces. */
  readonly onChange: (member: ObservedMember) => void
  /** A member has something to persist. */
  readonly onDirty: (member: ObservedMember) => void
}

const isSettled = (state: State): boolean => state === 'left' || state === 'offline'

/** It may be otherwise by now without anybody saying so. */
const isOpen = (state: State): boolean => !isSettled(state) && state !== 'unknown'

/** Of a registry that is not heard: for when it is. */
const keepWord = (words: Map<string, Observation>, id: string, word: Observation): void => {
  const last = words.get(id)
  if (last === undefined || supersedes(word, last)) words.set(id, word)
}

const notHeard = 'the registry that spoke for it is not heard'

export interface MergeOptions {
  /** The hint came from its source, not from somebody who passed it on. */
  readonly firstHand?: boolean
}

/** What is known of each member, by whom, and who of them speaks. */
export class Board {
  readonly members = new Map<string, ObservedMember>()
  readonly log = new ChangeLog()
  /** Members by the state that is shown; those of whom nothing was heard are in none. */
  readonly #byState = new KeyGroups<State>()
  readonly #init: BoardInit
  readonly #selfId: string
  readonly #liveSources = new Set<string>()
  /** Ids of the members that another registry spoke for last. */
  readonly #spokenFor = new Map<string, Set<string>>()
  /** Registries that are not heard: since when, and what they said last, by the id of the member. */
  readonly #muted = new Map<string, { since: number; words: Map<string, Observation> }>()
  /** Registries whose word is not taken from others either, until they are heard. */
  readonly #unheardOf = new Set<string>()

  constructor(init: BoardInit) {
    this.#init = init
    this.#selfId = keyId(init.self)
    this.#byState.put(init.self, 'online')
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
    const { timings, attention, now, wall } = this.#init
    const init = { firstSeenMs: wall(), uptimeWindowMs: timings.uptimeWindowMs, countedAt: attention.at(now()) }
    const member = new ObservedMember(publicKey, init)
    this.members.set(member.id, member)
    this.#init.onDirty(member)
    return member
  }

  /** What is observed here. */
  observe(member: ObservedMember, own: Observation): void {
    member.own = own
    this.#show(member)
  }

  /** What another registry says, first-hand or passed on. @returns whether it speaks for the member now */
  merge(hint: Hint, { firstHand = false }: MergeOptions = {}): boolean {
    const id = keyId(hint.publicKey)
    if (id === this.#selfId) return false
    const incoming = observationOf(hint, this.#init.now())
    const member = this.member(hint.publicKey)
    const { own, other } = member
    if (own !== undefined && isUp(own.state) && incoming.state !== 'online') member.contradicted = true
    const source = keyId(incoming.source)
    if (source === this.#selfId) return false
    if (incoming.state === 'unknown' && this.#liveSources.has(source)) {
      // Whoever says so has lost the source; it still answers here, so its word is passed on again.
      if (other !== undefined && member.shown === other && equals(other.source, incoming.source)) this.tell(member)
      return false
    }
    const muted = this.#unheardOf.has(source) && isOpen(incoming.state) ? this.#muted.get(source) : undefined
    if (muted !== undefined) keepWord(muted.words, member.id, incoming)
    if (other !== undefined && !this.#replaces(member, other, incoming, firstHand)) return false
    if (muted !== undefined) {
      // Somebody passes on what it said before: nobody knows whether that is still so.
      if (other?.state !== 'unknown') this.#setOther(member, this.#unheard(incoming, notHeard))
      this.#show(member)
      return false
    }
    this.#setOther(member, incoming)
    this.#show(member)
    if (member.shown !== incoming) return false
    const isRefresh = other?.state === incoming.state && equals(other.source, incoming.source)
    if (isRefresh) this.tell(member)
    return true
  }

  #replaces(member: ObservedMember, other: Observation, incoming: Observation, firstHand: boolean): boolean {
    // On its own stream a source speaks in order: a word that travelled slowly looks younger than the one that followed it.
    if (firstHand && other.state !== incoming.state && equals(other.source, incoming.source)) return true
    // One that does not speak is heard again at any time: by now it may be the one that heard the member last.
    if (other !== member.shown && isLater(incoming, other)) return true
    if (overrules(incoming, other, member.publicKey) || supersedes(incoming, other)) return true
    return speaksFor(incoming, other, member.publicKey) && !this.#unheardOf.has(keyId(incoming.source))
  }

  /** A registry left: what it said before does not stand again. */
  #sourceLeft(source: Uint8Array): void {
    const id = keyId(source)
    this.#liveSources.delete(id)
    this.#unheardOf.delete(id)
    this.#muted.delete(id)
    this.#silence(id, 'the registry that spoke for it left')
  }

  /**
   * A registry is not heard any more, perhaps for a moment: until then nobody knows how those are that it speaks for, nor how it is itself,
   * when whoever speaks for it heard it before its own last word at `saidAt`, after which more would have come.
   */
  mute(source: Uint8Array, reason: string, saidAt = Number.NEGATIVE_INFINITY): void {
    this.#unheardOf.add(keyId(source))
    this.sourceGone(source, reason)
    const member = this.get(source)
    const { other, shown } = member ?? {}
    if (member === undefined || other === undefined || other !== shown || !isUp(other.state)) return
    if ((other.heardAt ?? Number.NEGATIVE_INFINITY) >= saidAt) return
    this.#setOther(member, this.#unheard(other, reason))
    this.#show(member)
  }

  /** The session with a registry ended: what others pass on of it counts, and what it said before stands again when it is heard. */
  sourceGone(source: Uint8Array, reason: string): void {
    const id = keyId(source)
    this.#liveSources.delete(id)
    const muted = this.#muted.get(id) ?? { since: this.#init.now(), words: new Map<string, Observation>() }
    for (const { member, before } of this.#silence(id, reason)) muted.words.set(member.id, before)
    // Most members speak for nobody.
    if (muted.words.size > 0 || this.#unheardOf.has(id)) this.#muted.set(id, muted)
  }

  /**
   * A registry is heard: what it said before stands, and what it says of others who lost it does not. One that has been up only since
   * `upSince` has started anew, and tells itself what it knows.
   */
  unmute(source: Uint8Array, upSince = Number.NEGATIVE_INFINITY): void {
    const id = keyId(source)
    this.#liveSources.add(id)
    this.#unheardOf.delete(id)
    const muted = this.#muted.get(id)
    this.#muted.delete(id)
    if (muted === undefined || upSince > muted.since) return
    for (const [memberId, before] of muted.words) {
      const member = this.members.get(memberId)
      if (member?.other === undefined) continue
      const { other, publicKey } = member
      const isItsOwn = other.state === 'unknown' && keyId(other.source) === id
      const isNobodys = other.state === 'unknown' && equals(other.source, publicKey) && isUp(before.state)
      if (!isItsOwn && !isNobodys && !speaksFor(before, other, publicKey)) continue
      this.#setOther(member, before)
      this.#show(member)
    }
  }

  /** A member as it was before a restart, seen by another registry or in a state that does not end by itself. */
  remember(member: ObservedMember, observation: Observation | undefined, reason: string): void {
    this.members.set(member.id, member)
    if (observation === undefined) return
    if (keyId(observation.source) === this.#selfId) {
      member.own = observation
    } else {
      const now = this.#init.now()
      const isKept = isSettled(observation.state)
      this.#setOther(member, isKept ? observation : { ...observation, state: 'unknown', since: now, reason })
    }
    this.#show(member)
  }

  forget(publicKey: Uint8Array): void {
    const member = this.get(publicKey)
    if (member === undefined) return
    this.#setOther(member, undefined)
    this.#liveSources.delete(member.id)
    this.#unheardOf.delete(member.id)
    this.#muted.delete(member.id)
    for (const { words } of this.#muted.values()) words.delete(member.id)
    this.members.delete(member.id)
    this.#byState.put(publicKey, undefined)
    this.log.delete(member.id)
  }

  /** Puts the member in front of those who follow the changes. */
  tell(member: ObservedMember): void {
    member.toldAt = this.#init.now()
    member.contradicted = false
    member.connectedUntold = false
    this.log.touch(member.id)
    this.#init.onChange(member)
  }

  /** Nobody knows how those are by now that it spoke for; what had ended already stays as it was. */
  #silence(sourceId: string, reason: string): { member: ObservedMember; before: Observation }[] {
    const silenced: { member: ObservedMember; before: Observation }[] = []
    for (const memberId of this.#spokenFor.get(sourceId) ?? []) {
      const member = this.members.get(memberId)
      const before = member?.other
      if (member === undefined || before === undefined || !isOpen(before.state)) continue
      member.other = this.#unheard(before, reason)
      silenced.push({ member, before })
      this.#show(member)
    }
    return silenced
  }

  #unheard(before: Observation, reason: string): Observation {
    return { ...before, state: 'unknown', since: this.#init.now(), reason: plainReason(reason), connected: [] }
  }

  #setOther(member: ObservedMember, other: Observation | undefined): void {
    const before = member.other === undefined ? undefined : keyId(member.other.source)
    const after = other === undefined ? undefined : keyId(other.source)
    member.other = other
    if (before === after) return
    if (before !== undefined) {
      const members = this.#spokenFor.get(before)
      members?.delete(member.id)
      if (members?.size === 0) this.#spokenFor.delete(before)
    }
    if (after === undefined) return
    const members = this.#spokenFor.get(after) ?? new Set()
    this.#spokenFor.set(after, members.add(member.id))
  }

  /** Puts forward whoever speaks for the member by now. */
  #show(member: ObservedMember): void {
    const before = member.shown
    const next = speaker(member.own, member.other, member.publicKey)
    if (next === undefined || next === before) return
    if (before?.state !== next.state) this.#count(member, next)
    member.shown = next
    this.#byState.put(member.publicKey, next.state)
    if (before !== undefined && sameToOthers(before, next)) return
    this.#init.onDirty(member)
    this.tell(member)
    if (next.state === 'left') this.#sourceLeft(member.publicKey)
    // It may be behind a cut, and what it said stands again when that is healed.
    if (next.state === 'offline') this.sourceGone(member.publicKey, 'the registry that spoke for it is offline')
  }

  /** The time until the change belongs to the state before it, but for the silence that the change is about. */
  #count(member: ObservedMember, next: Observation): void {
    const now = this.#init.now()
    const isSilence = next.state === 'suspect' || next.state === 'offline'
    const silentMs = isSilence && next.heardAt !== undefined ? now - next.heardAt : 0
    member.count(this.#init.attention.at(now), silentMs)
  }
}
