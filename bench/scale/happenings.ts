import { changeDelayMs, refreshDelayMs } from '../../src/protocols/announce/schedule.ts'
import { eventTimes } from './random.ts'

/** What the members of a network do. */
export interface Life {
  readonly nodes: number
  readonly seconds: number
  readonly restartsPerNodeAndDay: number
  /** Admissions a day as a part of the members. */
  readonly admittedPerDay: number
  readonly membershipDays: number
  /** A record is refreshed no more often. */
  readonly refreshMs: number
}

/** When it happens: seconds from the start. */
export interface Happenings {
  /** A record is announced: refreshed, or changed by a restart. */
  readonly records: readonly number[]
  readonly restarts: readonly number[]
  readonly entries: readonly { readonly at: number; readonly kind: 'admitEntry' | 'renewEntry' }[]
  /** A new checkpoint is announced. */
  readonly heads: readonly number[]
  /** Records announced a second, in the long run. */
  readonly recordRate: number
}

const daySeconds = 86_400
const checkpointSeconds = 60
const ascending = (times: Iterable<number>): number[] => [...times].toSorted((a, b) => a - b)

export function makeHappenings(life: Life, random: () => number): Happenings {
  const { nodes, seconds, restartsPerNodeAndDay, admittedPerDay, membershipDays, refreshMs } = life
  const restartRate = (nodes * restartsPerNodeAndDay) / daySeconds
  const restarts = eventTimes(restartRate, seconds, random)
  // Those that are held back beyond the end stand for those that were held back from before the start.
  const changes = restarts.map((at) => (at + changeDelayMs(nodes, random()) / 1_000) % seconds)
  const refreshRate = (nodes * 1_000) / refreshDelayMs(refreshMs, nodes, 0.5)
  const admitted = eventTimes((nodes * admittedPerDay) / daySeconds, seconds, random)
  const renewed = eventTimes(nodes / ((membershipDays / 2) * daySeconds), seconds, random)
  const minutes = Array.from({ length: Math.floor(seconds / checkpointSeconds) }, (_, i) => i * checkpointSeconds)
  return {
    records: [...changes, ...eventTimes(refreshRate, seconds, random)],
    restarts,
    entries: [
      ...admitted.map((at) => ({ at, kind: 'admitEntry' as const })),
      ...renewed.map((at) => ({ at, kind: 'renewEntry' as const }))
    ],
    // A checkpoint comes with each commit, and is announced once a second at most.
    heads: ascending(new Set([...minutes, ...[...admitted, ...renewed].map(Math.ceil)])),
    recordRate: restartRate + refreshRate
  }
}
