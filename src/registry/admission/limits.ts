import type { Role } from '../../identity/role.ts'

/** Numbers of the store that others can exhaust. Config can change each. */
export interface RegistryLimits {
  /** Joins that wait for the operator at the root. 0: nobody waits, an invite is required. */
  pendingJoins: number
  /** Requests that wait here for the root, one per peer and kind. */
  queuedRequests: number
  /** Joins without an invite among these: anybody can make those, so they must not push out the others. */
  queuedStrangers: number
  /** A join that has waited for so long is dropped: who still wants in has asked again. */
  waitingMs: number
  /** Members that an open network lets in without anybody's word; the rest waits for the operator. */
  openMembers: number
  /** Members that it lets in at once, given back over `perMs`: replicas must be able to follow. */
  openJoins: { count: number; perMs: number }
  /** Refusals by the operator that are remembered, newest first. */
  rejectedJoins: number
}

const queuedRequests: Record<Role, number> = { root: 5000, secondary: 5000, integrated: 1000, external: 0 }

/** Limits that fit an operator's view, in memory, and in one replay after the root is back. */
export const defaultLimits = (role: Role): RegistryLimits => ({
  pendingJoins: 1000,
  queuedRequests: queuedRequests[role],
  queuedStrangers: queuedRequests[role] / 2,
  waitingMs: 7 * 86_400_000,
  openMembers: 10_000,
  openJoins: { count: 1000, perMs: 600_000 },
  rejectedJoins: 10_000
})

/** Time after its receipt by the first registry in which a join is still judged by the moment of that receipt. */
export const receiptValidMs = 24 * 3_600_000
/** Greatest difference between the clocks of registries. */
export const clockSkewMs = 10 * 60_000
/** Time for which the order of one operator waits for that of a second one. */
export const secondOrderMs = 24 * 3_600_000
/** A membership is renewed only when less than this part of it is left. */
export const renewableShare = 0.6
/** Hint for those who are refused because a list here is full. */
export const fullRetryMs = 60_000
/** Times that a member may change its key: the entry of each stays for ever, and what is counted for a key begins anew with the next. */
export const rotations = { count: 8, perMs: 86_400_000 }
