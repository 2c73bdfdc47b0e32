import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import type { LivenessTime } from './awake-time.ts'
import type { ChangeLog } from './change-log.ts'
import { compareWords, type Hint, hintOf, type Observation, type OwnSource, plainReason } from './observation.ts'
import { type LivenessTimings, pulseMs, silentMs } from './timings.ts'

/** Since when a source is not heard, and why. */
export interface Silence {
  readonly since: number
  readonly reason: string
}

/** The last that is known of a registry that speaks for members. Times are monotonic, `awakeAt` in awake time. */
interface Source {
  readonly publicKey: Uint8Array
  readonly start: number
  /** Number of its last pulse; 0: it was only spoken of. */
  readonly count: number
  readonly state: 'online' | 'left'
  readonly since: number
  readonly reason: string
  /** When it said so. */
  readonly saidAt: number
  /** When it last said so to this process itself. */
  readonly toldUsAt: number
  /** Silence counts from then on. */
  readonly awakeAt: number
  /** When this start of it became known. */
  readonly startedAt: number
  readonly silence: Silence | undefined
  /** When the session with it ended here: what it said before proves nothing. */
  readonly goneAt: number
}

const pulsePrefix = 'pulse '
const never = Number.NEGATIVE_INFINITY
const nothingElse = { seq: 0, rttMs: undefined, connected: [] }

export interface FailureDetectorInit {
  readonly own: OwnSource
  readonly time: LivenessTime
  readonly timings: LivenessTimings
  readonly log: ChangeLog
  /** Members of the network. */
  readonly members: () => number
  /** There is a pulse to be told. */
  readonly onPulse: () => void
  /** A source said something new of itself. `speaks`: what it says of others stands from now on, or does not. */
  readonly onSource: (publicKey: Uint8Array, speaks: boolean) => void
}

/**
 * Decides whether the registries that speak for members are heard themselves. Each says every now and then that it is there (a pulse), and
 * whoever passes its hints on passes that on too, with its age. Nobody but the source renews it: two registries that vouch for each other
 * behind a cut cannot keep each other alive for those on this side.
 */
export class FailureDetector {
  readonly #init: FailureDetectorInit
  readonly #sources = new Map<string, Source>()
  /** Word of this process about itself. */
  #own: Observation
  #restsUntil = never

  constructor(init: FailureDetectorInit) {
    this.#init = init
    const now = init.time.now()
    this.#own = {
      ...nothingElse,
      ...init.own.next(),
      source: init.own.self,
      state: 'online',
      since: now,
      heardAt: now,
      reason: ''
    }
    init.log.touch(keyId(init.own.self))
  }

  /** A pulse, or the goodbye of a source. `isDirect`: nobody passed it on. @returns whether it is news */
  hear(hint: Hint, isDirect = false): boolean {
    const { publicKey, state, start, count, heardMs, sinceMs } = hint
    const isOwnWord = state === 'online' || state === 'left'
    if (!isOwnWord || heardMs === undefined || !(heardMs >= 0) || !(sinceMs >= 0) || count < 1) return false
    const before = this.#sources.get(keyId(publicKey))
    if (before !== undefined && compareWords(hint, before) <= 0) return false
    const now = this.#init.time.now()
    const saidAt = now - heardMs
    const toldUsAt = isDirect ? saidAt : (before?.toldUsAt ?? never)
    const { startedAt, goneAt } = before?.start === start ? before : { startedAt: now, goneAt: before?.goneAt ?? never }
    const since = now - sinceMs
    const awakeAt = this.#init.time.awake.at(now) - heardMs
    const said = { publicKey, start, count, state, since, reason: plainReason(hint.reason), saidAt, toldUsAt, awakeAt }
    const isHeard = heardMs < this.#patienceMs() && saidAt > goneAt
    const silence = isHeard ? undefined : (before?.silence ?? { since: now, reason: silentFor(heardMs) })
    this.#put({ ...said, startedAt, goneAt, silence: state === 'left' ? leftSince(since) : silence })
    this.#init.log.touch(pulsePrefix + keyId(publicKey))
    this.#init.onPulse()
    return true
  }

  /** A word of a source came: until its first pulse it is waited for as for one that was just heard. */
  spoke({ source, start }: Observation): void {
    const before = this.#sources.get(keyId(source))
    if (before === undefined || before.start < start) this.#put(this.#newSource(source, start))
  }

  /** It answers here: from now on it is waited for as for one that was just heard. */
  up(publicKey: Uint8Array): void {
    const before = this.#sources.get(keyId(publicKey))
    const awakeAt = this.#init.time.awake.at(this.#init.time.now())
    if (before === undefined) this.#put(this.#newSource(publicKey, 0))
    else this.#put({ ...before, state: 'online', awakeAt, silence: undefined, goneAt: never })
  }

  /** The session with it ended: only what it says from now on shows that it is there. */
  gone(publicKey: Uint8Array, reason: string): void {
    const now = this.#init.time.now()
    const before = this.#sources.get(keyId(publicKey)) ?? this.#newSource(publicKey, 0)
    const silence = before.silence ?? { since: now, reason: plainReason(reason) }
    this.#put({ ...before, goneAt: now, silence })
  }

  forget(publicKey: Uint8Array): void {
    const id = keyId(publicKey)
    this.#sources.delete(id)
    this.#init.log.delete(pulsePrefix + id)
  }

  /** Looks at every source, but not within one tick of a stall: what was said while this process stood still is yet to be read. */
  tick(): void {
    const {
      timings,
      time: { awake }
    } = this.#init
    const now = this.#init.time.now()
    if (awake.stalled(now)) this.#restsUntil = now + timings.tickMs
    if (this.#own.state !== 'left' && now - (this.#own.heardAt ?? now) >= this.#pulseMs()) this.#say('online', '')
    if (now < this.#restsUntil) return
    const awakeAt = awake.at(now)
    const patienceMs = this.#patienceMs()
    for (const source of this.#sources.values()) {
      const silentForMs = awakeAt - source.awakeAt
      if (source.silence !== undefined || silentForMs < patienceMs) continue
      this.#put({ ...source, silence: { since: now, reason: silentFor(silentForMs) } })
    }
  }

  /** This process goes. */
  leave(reason: string): void {
    this.#say('left', plainReason(`left: ${reason}`))
  }

  /** The reason why a word does not stand at the moment; undefined: its source is heard. */
  silenceOf({ source, start }: Observation): Silence | undefined {
    const heard = this.#sources.get(keyId(source))
    if (heard === undefined) return undefined
    if (start >= heard.start) return heard.silence
    return { since: heard.startedAt, reason: 'the registry that spoke for it has started anew' }
  }

  /** Word of a source about itself; undefined: nothing was heard of it. */
  wordOf(id: string): Observation | undefined {
    const source = this.#sources.get(id)
    if (source === undefined || source.count === 0) return undefined
    const { publicKey, start, count, state, since, reason, saidAt, silence } = source
    const said = { ...nothingElse, source: publicKey, start, count, heardAt: saidAt }
    if (state === 'left' || silence === undefined) return { ...said, state, since, reason }
    return { ...said, state: 'unknown', ...silence }
  }

  /** When a source that is heard said to this process itself that it is online. */
  heardItselfAt(id: string): number {
    const source = this.#sources.get(id)
    return source?.state === 'online' && source.silence === undefined ? source.toldUsAt : never
  }

  /** The hint that is told of a source at its place in the log of changes; undefined: that place is no pulse. */
  hintAt(id: string): Hint | undefined {
    if (id === keyId(this.#init.own.self)) return this.ownHint()
    if (!id.startsWith(pulsePrefix)) return undefined
    const source = this.#sources.get(id.slice(pulsePrefix.length))
    if (source === undefined) return undefined
    const { publicKey, start, count, state, since, reason, saidAt } = source
    const said = { ...nothingElse, source: publicKey, start, count, state, since, reason, heardAt: saidAt }
    return hintOf(publicKey, said, this.#init.time.now())
  }

  /** A process that serves others is heard by whoever hears its hints. */
  ownHint(): Hint {
    return { ...hintOf(this.#init.own.self, this.#own, this.#init.time.now()), heardMs: 0 }
  }

  #say(state: 'online' | 'left', reason: string): void {
    const now = this.#init.time.now()
    const since = state === this.#own.state ? this.#own.since : now
    this.#own = { ...this.#own, ...this.#init.own.next(), state, since, heardAt: now, reason }
    this.#init.log.touch(keyId(this.#init.own.self))
    this.#init.onPulse()
  }

  #newSource(publicKey: Uint8Array, start: number): Source {
    const now = this.#init.time.now()
    const times = {
      since: now,
      saidAt: now,
      toldUsAt: never,
      awakeAt: this.#init.time.awake.at(now),
      startedAt: now,
      goneAt: never
    }
    return { publicKey, start, count: 0, state: 'online', reason: '', silence: undefined, ...times }
  }

  #put(source: Source): void {
    if (equals(source.publicKey, this.#init.own.self)) return
    const id = keyId(source.publicKey)
    const before = this.#sources.get(id)
    this.#sources.set(id, source)
    this.#init.onSource(source.publicKey, before?.silence !== source.silence || before?.start !== source.start)
  }

  #pulseMs(): number {
    return pulseMs(this.#init.timings, this.#init.members())
  }

  #patienceMs(): number {
    return silentMs(this.#init.timings, this.#init.members())
  }
}

const silentFor = (ms: number): string => `the registry that spoke for it was not heard for ${Math.round(ms / 1000)} s`

const leftSince = (since: number): Silence => ({ since, reason: 'the registry that spoke for it left' })
