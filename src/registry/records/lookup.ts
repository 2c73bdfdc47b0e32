import { compareBytes } from '../../identity/hash.ts'
import type { Role } from '../../identity/role.ts'
import type { State } from '../liveness/states.ts'
import type { MemberView } from '../liveness/view.ts'

/** All filters that are given must match; none: every member. */
export interface LookupQuery {
  readonly publicKey?: Uint8Array
  readonly name?: string
  readonly role?: Role
  /** A service that its record names. */
  readonly service?: string
  readonly state?: State
  /** Key of the last row of the page before. */
  readonly after?: Uint8Array
  /** Rows of this page; 100 unless said, 500 at most. */
  readonly limit?: number
}

export interface LookupRow {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
  /** Envelope of its record; undefined when none was seen yet. */
  readonly record: Uint8Array | undefined
  /** Envelope of its admit entry. */
  readonly admit: Uint8Array
  readonly liveness: MemberView
}

/** `next` is the `after` of the following page, which may be asked for also when this one has few rows or none. */
export interface LookupPage {
  readonly rows: LookupRow[]
  readonly next?: Uint8Array
  /** Members that were looked at for it. */
  readonly looked: number
}

/** A member as the log has it. */
export interface LookupMember {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
  /** Position of its admit entry. */
  readonly admitN: number
}

/** Sources that lookup reads. */
export interface LookupSource {
  /** Members only, those whose membership is over left out. */
  member(publicKey: Uint8Array): LookupMember | undefined
  memberByName(name: string): LookupMember | undefined
  /** Keys of members above `after`, ascending. */
  keysAfter(after: Uint8Array | undefined, limit: number): Uint8Array[]
  /** The same of one role. */
  keysOfRole(role: Role, after: Uint8Array | undefined, limit: number): Uint8Array[]
  /** Envelope of an entry of the log. */
  entryBytes(n: number): Uint8Array
  readonly records: {
    envelopeOf(publicKey: Uint8Array): Uint8Array | undefined
    offers(publicKey: Uint8Array, service: string): boolean
    offering(service: string, after: Uint8Array, limit: number): Uint8Array[]
  }
  readonly liveness: {
    view(publicKey: Uint8Array): MemberView
    readonly states: {
      stateOf(publicKey: Uint8Array): State
      /** undefined: there is no list of that state. */
      keysIn(state: State, after: Uint8Array | undefined, limit: number): Uint8Array[] | undefined
    }
  }
}

export const lookupLimits = {
  defaultRows: 100,
  maxRows: 500,
  /** Members looked at for one page: a rare match must not hold the event loop; the next page goes on from there. */
  scannedRows: 1_000
} as const

/** Members that are fetched at a time where a filter may leave most of them out. */
const scanStep = 250

/**
 * One page, ascending by key. Who follows `next` to its end sees every member that is there throughout exactly once, whatever is
 * written meanwhile.
 */
export const lookup = (query: LookupQuery, source: LookupSource): LookupPage => {
  const limit = Math.max(1, Math.min(query.limit || lookupLimits.defaultRows, lookupLimits.maxRows))
  const single = singleMember(query, source)
  if (single !== undefined) {
    return { rows: single.filter((member) => matches(member, query, source)).map(rowOf(source)), looked: 1 }
  }
  const rows: LookupRow[] = []
  let after = query.after
  const isFiltered = query.role !== undefined || query.service !== undefined || query.state !== undefined
  let looked = 0
  while (looked < lookupLimits.scannedRows) {
    const step = isFiltered ? scanStep : Math.min(scanStep, limit - rows.length)
    const keys = candidates(query, after, step, source)
    for (const key of keys) {
      after = key
      looked++
      const member = source.member(key)
      if (member !== undefined && matches(member, query, source)) rows.push(rowOf(source)(member))
      if (rows.length === limit) return { rows, looked, ...nextPage(query, after, source) }
    }
    if (keys.length < step) return { rows, looked }
  }
  return { rows, looked, ...nextPage(query, after, source) }
}

/** The only member that a query by key or name can find; undefined for other queries. */
const singleMember = (query: LookupQuery, source: LookupSource): LookupMember[] | undefined => {
  const { publicKey, name, after } = query
  if (publicKey === undefined && name === undefined) return undefined
  const member = publicKey === undefined ? source.memberByName(name ?? '') : source.member(publicKey)
  if (member === undefined) return []
  const isBehind = after !== undefined && compareBytes(member.publicKey, after) <= 0
  return isBehind ? [] : [member]
}

/** By the filter that usually leaves out most. */
const candidates = (
  { service, state, role }: LookupQuery,
  after: Uint8Array | undefined,
  limit: number,
  source: LookupSource
): Uint8Array[] => {
  if (service !== undefined) return source.records.offering(service, after ?? new Uint8Array(0), limit)
  const inState = state === undefined ? undefined : source.liveness.states.keysIn(state, after, limit)
  if (inState !== undefined) return inState
  return role === undefined ? source.keysAfter(after, limit) : source.keysOfRole(role, after, limit)
}

const nextPage = (query: LookupQuery, after: Uint8Array | undefined, source: LookupSource): { next?: Uint8Array } => {
  const more = candidates(query, after, 1, source).length > 0
  return more && after !== undefined ? { next: after } : {}
}

const matches = (member: LookupMember, query: LookupQuery, source: LookupSource): boolean => {
  const { name, role, service, state } = query
  if (name !== undefined && member.name !== name) return false
  if (role !== undefined && member.role !== role) return false
  if (service !== undefined && !source.records.offers(member.publicKey, service)) return false
  return state === undefined || source.liveness.states.stateOf(member.publicKey) === state
}

const rowOf =
  (source: LookupSource) =>
  (member: LookupMember): LookupRow => ({
    publicKey: member.publicKey,
    name: member.name,
    role: member.role,
    record: source.records.envelopeOf(member.publicKey),
    admit: source.entryBytes(member.admitN),
    liveness: source.liveness.view(member.publicKey)
  })
