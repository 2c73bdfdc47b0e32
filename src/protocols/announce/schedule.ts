/** So that all refreshes of a network together stay at one a second, whatever its size. */
const refreshMsPerMember = 1_000

/** So that a failover, which changes the record of every node at once, makes at most 200 announcements a second. */
const changeSpreadMsPerMember = 5

const jitter = 0.2

/** Time until the own record is announced again, seldom: whoever missed it gets it by the digest pull anyway. `random` in [0, 1). */
export function refreshDelayMs(leastMs: number, members: number, random: number): number {
  const interval = Math.max(leastMs, members * refreshMsPerMember)
  return Math.round(interval * (1 - jitter + 2 * jitter * random))
}

/** Time that an announcement of a change is held back. `random` in [0, 1). */
export function changeDelayMs(members: number, random: number): number {
  return Math.round(members * changeSpreadMsPerMember * random)
}
