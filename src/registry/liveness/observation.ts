import { keyId } from '../../identity/key-id.ts'
import type { State } from './states.ts'

/**
 * Place of an observation in the one order of all that is said of a member. `seq` is that of the member's own signed record which names
 * the source as its registry; `start` and `count` tell what one source says one after the other, over its restarts.
 */
export interface Position {
  readonly seq: number
  readonly start: number
  readonly count: number
}

/** This process as a source of observations. */
export interface OwnSource {
  /** Own key. */
  readonly self: Uint8Array
  /** Place of the next thing that this process says. */
  readonly next: () => Omit<Position, 'seq'>
}

/** Statement of one registry about one member. Times are monotonic ms of this process. */
export interface Observation extends Position {
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
}

/** The same as it travels: times are ages at the moment it was made. */
export interface Hint extends Position {
  readonly publicKey: Uint8Array
  readonly source: Uint8Array
  readonly heardMs: number | undefined
  readonly state: State
  readonly sinceMs: number
  readonly reason: string
  readonly rttMs: number | undefined
  readonly connected: readonly Uint8Array[]
}

/** The total order: the newer record, then the later start and word of its registry. The key parts those that no honest registry makes equal. */
export const compareObservations = (
  a: Position & { readonly source: Uint8Array },
  b: Position & { readonly source: Uint8Array }
): number => a.seq - b.seq || compareWords(a, b) || Buffer.compare(a.source, b.source)

/** Order of what one source says. */
export const compareWords = (a: Omit<Position, 'seq'>, b: Omit<Position, 'seq'>): number =>
  a.start - b.start || a.count - b.count

/** Keys of connected members that one heartbeat or hint can name. */
export const maxConnected = 32
const maxReasonChars = 120
const keyBytes = 32
/** An age beyond it is no age but an attempt to overflow something. */
const maxAgeMs = 10 * 365 * 86_400_000

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
  seq: hint.seq,
  start: hint.start,
  count: hint.count,
  since: now - age(hint.sinceMs),
  heardAt: hint.heardMs === undefined ? undefined : now - age(hint.heardMs),
  reason: plainReason(hint.reason),
  rttMs: hint.rttMs !== undefined && hint.rttMs > 0 && hint.rttMs < maxAgeMs ? hint.rttMs : undefined,
  connected: plainKeys(hint.connected)
})

export const hintOf = (publicKey: Uint8Array, observation: Observation, now: number): Hint => {
  const { since, heardAt, ...said } = observation
  const heardMs = heardAt === undefined ? undefined : Math.max(0, now - heardAt)
  return { ...said, publicKey, heardMs, sinceMs: Math.max(0, now - since) }
}
