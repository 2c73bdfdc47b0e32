import type { ObservedMember } from './member.ts'
import { isUnconfirmed } from './member-state.ts'
import { initialReputation } from './score.ts'
import { isCounted, isUp, type State } from './states.ts'

/** View of how a member is, for people and for lookups. */
export interface MemberView {
  readonly publicKey: Uint8Array
  readonly state: State
  /** False for `offline (unconfirmed)`: the registry that says so may be cut off itself. */
  readonly confirmed: boolean
  /** When the state began: wall clock ms, and how long ago. undefined: nobody ever said anything. */
  readonly sinceMs: number | undefined
  readonly sinceAgeMs: number | undefined
  /** Time since the source last heard it. */
  readonly heardAgeMs: number | undefined
  /** Key of the registry that says so. */
  readonly source: Uint8Array | undefined
  /** Observed here, not told by another registry. */
  readonly own: boolean
  readonly reason: string
  readonly rttMs: number | undefined
  /** Keys of members that it said to be connected to. */
  readonly connected: readonly Uint8Array[]
  /** Since when, wall clock ms, in the order of `connected`; empty when another registry told. */
  readonly connectedSinceMs: readonly number[]
  /** Share of the observed time; undefined when none was. */
  readonly uptime: { readonly percent: number; readonly windowMs: number } | undefined
  /** 0 to 100. */
  readonly reputation: number
  /** Way in which it became known: registry, sync, gossip, … */
  readonly learnedFrom: string
  readonly firstSeenMs: number | undefined
  readonly lastAddress: string | undefined
  readonly lastConnectedMs: number | undefined
  readonly lastError: string | undefined
  readonly lastErrorMs: number | undefined
}

export interface ViewTimes {
  readonly now: number
  readonly wall: number
  readonly awake: number
}

export const viewOf = (member: ObservedMember, times: ViewTimes): MemberView => {
  const { shown } = member
  const isOwn = shown !== undefined && shown === member.own
  return {
    publicKey: member.publicKey,
    state: shown?.state ?? 'unknown',
    confirmed: shown === undefined || !isUnconfirmed(shown.state, shown.reason),
    sinceMs: shown === undefined ? undefined : Math.round(times.wall - (times.now - shown.since)),
    sinceAgeMs: shown === undefined ? undefined : times.now - shown.since,
    heardAgeMs: shown?.heardAt === undefined ? undefined : times.now - shown.heardAt,
    source: shown?.source,
    own: isOwn,
    reason: shown?.reason ?? 'never heard',
    rttMs: shown?.rttMs,
    connected: shown?.connected ?? [],
    connectedSinceMs: isOwn ? [...member.connected.values()].map((peer) => peer.sinceMs) : [],
    uptime: uptimeOf(member, times.awake),
    reputation: member.reputation,
    learnedFrom: member.learnedFrom,
    firstSeenMs: member.firstSeenMs,
    lastAddress: member.lastAddress ?? undefined,
    lastConnectedMs: member.lastConnectedMs ?? undefined,
    lastError: member.lastError ?? undefined,
    lastErrorMs: member.lastErrorMs ?? undefined
  }
}

const uptimeOf = (member: ObservedMember, awake: number): MemberView['uptime'] => {
  const { uptime, shown } = member
  const uncounted = shown === undefined || !isCounted(shown.state) ? 0 : Math.max(0, awake - member.countedAt)
  const windowMs = uptime.observedMs + uncounted
  if (windowMs <= 0 || shown === undefined) return undefined
  return { percent: (100 * (uptime.upMs + (isUp(shown.state) ? uncounted : 0))) / windowMs, windowMs }
}

const nothing = {
  confirmed: true,
  sinceMs: undefined,
  sinceAgeMs: undefined,
  heardAgeMs: undefined,
  source: undefined,
  own: false,
  rttMs: undefined,
  connected: [],
  connectedSinceMs: [],
  uptime: undefined,
  learnedFrom: '',
  firstSeenMs: undefined,
  lastAddress: undefined,
  lastConnectedMs: undefined,
  lastError: undefined,
  lastErrorMs: undefined
}

/** A member of which nobody ever said anything. */
export const unheardView = (publicKey: Uint8Array): MemberView => ({
  ...nothing,
  publicKey,
  state: 'unknown',
  reason: 'never heard',
  reputation: initialReputation
})

/** This process: online for as long as it runs. */
export const selfView = (publicKey: Uint8Array, startedAt: number, times: ViewTimes): MemberView => {
  const age = Math.max(0, times.now - startedAt)
  const since = Math.round(times.wall - age)
  return {
    ...nothing,
    publicKey,
    state: 'online',
    sinceMs: since,
    sinceAgeMs: age,
    heardAgeMs: 0,
    source: publicKey,
    own: true,
    reason: 'this process',
    uptime: { percent: 100, windowMs: age },
    reputation: initialReputation,
    firstSeenMs: since
  }
}
