import { keyId } from '../../identity/key-id.ts'
import type { NodeRow } from '../store/node-table.ts'
import type { Session } from './lease.ts'
import type { Observation } from './observation.ts'
import { initialReputation, reputationAfterUptime, Uptime } from './score.ts'
import { stateOf, states } from './states.ts'

/** Speaker for a member: the registry that its record with this seq names; undefined: none yet. */
export interface Named {
  readonly seq: number
  readonly holder: Uint8Array | undefined
}

/** Everything that is kept about one member. */
export class ObservedMember {
  readonly publicKey: Uint8Array
  readonly id: string
  readonly firstSeenMs: number
  session: Session | undefined
  /** Speaker that its own record names; undefined: to be looked up. */
  named: Named | 'nobody' | undefined
  /** Observation made here, and those of others by their ids. `word` is the one of them that counts, `shown` what becomes of it. */
  own: Observation | undefined
  readonly words = new Map<string, Observation>()
  word: Observation | undefined
  /** When it came up last, as whoever observes it says: a goodbye from before is void. */
  upSince = Number.NEGATIVE_INFINITY
  /** The highest of those that stand on a record which is not here yet. */
  ahead: Observation | undefined
  shown: Observation | undefined
  /** Since when it says to be connected to whom, wall clock ms. */
  connected = new Map<string, { toKey: Uint8Array; sinceMs: number }>()
  /** Those changed since the last hint, since the last batch. */
  connectedUntold = false
  connectedUnsaved = false
  /** Monotonic, of the last hint that went out. */
  toldAt = Number.NEGATIVE_INFINITY
  learnedFrom: string = ''
  reputation = initialReputation
  uptime: Uptime
  /** AwakeTime time up to which the uptime is counted. */
  countedAt: number
  lastAddress: string | null = null
  lastConnectedMs: number | null = null
  lastError: string | null = null
  lastErrorMs: number | null = null

  constructor(publicKey: Uint8Array, init: { firstSeenMs: number; uptimeWindowMs: number; countedAt: number }) {
    this.publicKey = Uint8Array.from(publicKey)
    this.id = keyId(publicKey)
    this.firstSeenMs = init.firstSeenMs
    this.uptime = new Uptime(init.uptimeWindowMs)
    this.countedAt = init.countedAt
  }

  /** Counts the time since the last call in the state that was shown, before it changes. */
  count(awake: number, silentMs = 0): void {
    const before = this.uptime.upMs
    if (this.shown !== undefined) this.uptime.add(this.shown.state, awake - this.countedAt, silentMs)
    this.countedAt = awake
    this.reputation = reputationAfterUptime(this.reputation, Math.max(0, this.uptime.upMs - before))
  }

  /** @param wallOffset wall clock minus monotonic clock */
  toRow(wallOffset: number): NodeRow {
    const { shown } = this
    const heardAt = shown?.heardAt
    return {
      publicKey: this.publicKey,
      firstSeenMs: this.firstSeenMs,
      lastHeartbeatMs: heardAt === undefined ? null : Math.round(heardAt + wallOffset),
      state: states[shown?.state ?? 'unknown'],
      stateSinceMs: Math.round(shown === undefined ? this.firstSeenMs : shown.since + wallOffset),
      source: shown?.source ?? null,
      reason: shown?.reason ?? '',
      learnedFrom: this.learnedFrom,
      uptimeMs: Math.round(this.uptime.upMs),
      observedMs: Math.round(this.uptime.observedMs),
      reputation: this.reputation,
      rttMs: shown?.rttMs ?? null,
      lastAddress: this.lastAddress,
      lastConnectedMs: this.lastConnectedMs,
      lastError: this.lastError,
      lastErrorMs: this.lastErrorMs
    }
  }

  /** The history of a row, without its state: that is judged by the caller. */
  static fromRow(row: NodeRow, init: { uptimeWindowMs: number; countedAt: number }): ObservedMember {
    const member = new ObservedMember(row.publicKey, { firstSeenMs: row.firstSeenMs, ...init })
    member.uptime = new Uptime(init.uptimeWindowMs, row.uptimeMs, row.observedMs)
    member.learnedFrom = row.learnedFrom
    member.reputation = row.reputation
    member.lastAddress = row.lastAddress
    member.lastConnectedMs = row.lastConnectedMs
    member.lastError = row.lastError
    member.lastErrorMs = row.lastErrorMs
    return member
  }
}

/** State that a row had of the member, in the times of this process and below all that is said now. */
export const rememberedObservation = (row: NodeRow, wallOffset: number, now: number): Observation | undefined => {
  const state = stateOf(row.state)
  if (state === undefined || row.source === null) return undefined
  return {
    state,
    source: row.source,
    seq: 0,
    start: 0,
    count: 0,
    since: Math.min(now, row.stateSinceMs - wallOffset),
    heardAt: row.lastHeartbeatMs === null ? undefined : Math.min(now, row.lastHeartbeatMs - wallOffset),
    reason: row.reason,
    rttMs: row.rttMs ?? undefined,
    connected: []
  }
}
