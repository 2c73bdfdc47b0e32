import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { isUp, type State } from './states.ts'

/** What one registry says of one member. Times are monotonic ms of this process. */
export interface Observation {
  readonly state: State
  /** Key of the registry that says so. */
  readonly source: Uint8Array
  /** When the state began. */
  readonly since: number
  /** When the source last heard the member; undefined: never. */
  readonly heardAt: number | undefined
  readonly reason: string
  readonly rttMs: number | undefined
  /** Keys of members that it said to be connected to. */
  readonly connected: readonly Uint8Array[]
  /** Of our own: when the member moved its lease, so that another registry that heard it later speaks. */
  readonly movedAt?: number
}

/** The same as it travels: times are ages at the moment it was made. */
export interface Hint {
  readonly publicKey: Uint8Array
  readonly source: Uint8Array
  readonly heardMs: number | undefined
  readonly state: State
  readonly sinceMs: number
  readonly reason: string
  readonly rttMs: number | undefined
  readonly connected: readonly Uint8Array[]
}

/** Keys of connected members that one heartbeat or hint can name. */
export const maxConnected = 32
const maxReasonChars = 120
const keyBytes = 32
/** An age beyond it is no age but an attempt to overflow something. */
const maxAgeMs = 10 * 365 * 86_400_000
/** A hint that took a longer way looks younger by the time it travelled. What differs by less than this is the same. */
const travelMs = 50
const refreshedAfterMs = 5_000
const slowTravelMs = 1_000

const age = (ms: number | undefined): number =>
  ms === undefined || !Number.isFinite(ms) ? maxAgeMs : Math.min(Math.max(0, ms), maxAgeMs)

/** A text from a remote: one line, no control characters, bounded. */
export const plainReason = (text: string): string =>
  text
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, maxReasonChars)

/** Bounded, without repetition, whole keys only. */
export const plainKeys = (keys: readonly Uint8Array[]): Uint8Array[] => {
  const kept = new Map<string, Uint8Array>()
  for (const key of keys.slice(0, maxConnected)) if (key.length === keyBytes) kept.set(keyId(key), key)
  return [...kept.values()]
}

export const observationOf = (hint: Hint, now: number): Observation => ({
  state: hint.state,
  source: hint.source,
  since: now - age(hint.sinceMs),
  heardAt: hint.heardMs === undefined ? undefined : now - age(hint.heardMs),
  reason: plainReason(hint.reason),
  rttMs: hint.rttMs !== undefined && hint.rttMs > 0 && hint.rttMs < maxAgeMs ? hint.rttMs : undefined,
  connected: plainKeys(hint.connected)
})

export const hintOf = (publicKey: Uint8Array, observation: Observation, now: number): Hint => {
  const { state, source, since, heardAt, reason, rttMs, connected } = observation
  const heardMs = heardAt === undefined ? undefined : Math.max(0, now - heardAt)
  return { publicKey, source, heardMs, state, sinceMs: Math.max(0, now - since), reason, rttMs, connected }
}

const never = Number.NEGATIVE_INFINITY
const heard = (observation: Observation): number => observation.heardAt ?? never

/** Whether one source says the same of a member that it heard again. */
export const isLater = (incoming: Observation, current: Observation): boolean =>
  equals(incoming.source, current.source) && incoming.state === current.state && heard(incoming) > heard(current)

/** Whether somebody who hears a member speaks for it in place of its own word: whoever holds its lease says also when it is gone. */
export const speaksFor = (incoming: Observation, word: Observation, member: Uint8Array): boolean =>
  equals(word.source, member) && !equals(incoming.source, member) && isUp(word.state) && isUp(incoming.state)

/** Whether `incoming` takes the place of `current`, both from other registries. */
export const supersedes = (incoming: Observation, current: Observation): boolean => {
  if (current.state === 'unknown' && incoming.state !== 'unknown') {
    return heard(incoming) >= heard(current) - slowTravelMs
  }
  if (!equals(incoming.source, current.source)) return heard(incoming) > heard(current)
  if (incoming.state === current.state) return heard(incoming) > heard(current) + refreshedAfterMs
  if (incoming.since > current.since + travelMs) return true
  // Two changes at one moment: when it is up after all its source hears that it is doubted, and says so; not so the other way round.
  return isUp(current.state) && !isUp(incoming.state) && incoming.since >= current.since - travelMs
}

/** Whether a registry that lost a registry outweighs that one's own last word, which others still pass on. */
export const overrules = (verdict: Observation, word: Observation, member: Uint8Array): boolean =>
  (verdict.state === 'suspect' || verdict.state === 'offline') &&
  equals(word.source, member) &&
  !equals(verdict.source, member) &&
  verdict.since > heard(word) - slowTravelMs

/** Which of our own observation of a member and that of another registry speaks: the one that heard the member last. */
export const speaker = (
  own: Observation | undefined,
  other: Observation | undefined,
  member: Uint8Array
): Observation | undefined => {
  if (own === undefined || other === undefined) return own ?? other
  // A live session here outweighs whatever anybody says; one that was moved, whoever was not heard any more when that happened.
  const { movedAt } = own
  if (isUp(own.state) && (movedAt === undefined || (other.state === 'unknown' && other.since <= movedAt))) return own
  return heard(other) > heard(own) && !overrules(own, other, member) ? other : own
}

/** Whether members would see a difference. */
export const sameToOthers = (a: Observation, b: Observation): boolean =>
  a.state === b.state && a.reason === b.reason && equals(a.source, b.source)
