import { nameOfNumber } from '../../identity/checked-bytes.ts'

/** States of a member, as far as is known. The numbers are on the wire. */
export const states = { online: 1, late: 2, suspect: 3, offline: 4, left: 5, unknown: 6 } as const
export type State = keyof typeof states

/** undefined: a state of a newer version. */
export const stateOf = (number: number): State | undefined => nameOfNumber(states, number)

/** States in which a member counts as up. */
export const isUp = (state: State): boolean => state === 'online' || state === 'late'

/** True where time counts for the uptime: not while nothing is known of a member, nor while it is away on purpose, after a goodbye. */
export const isCounted = (state: State): boolean => state !== 'unknown' && state !== 'left'
