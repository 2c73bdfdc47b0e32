import { z } from 'zod'
import { EtcdFailure } from './etcd-failure.ts'

/** Requests of etcd's JSON gateway, and what is taken of its answers. Numbers of 64 bits are strings there, bytes are base64. */

export interface Range {
  readonly key: string
  /** First key behind; default: that key alone. */
  readonly end?: string
  readonly limit?: number
  readonly keysOnly?: boolean
}

export const path = {
  range: '/v3/kv/range',
  txn: '/v3/kv/txn',
  grant: '/v3/lease/grant',
  keepAlive: '/v3/lease/keepalive',
  timeToLive: '/v3/lease/timetolive',
  members: '/v3/cluster/member/list',
  alarms: '/v3/maintenance/alarm'
} as const

const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString('base64')

export const rangeOf = ({ key, end, limit, keysOnly }: Range): object => ({
  key: base64(key),
  ...(end !== undefined && { range_end: base64(end) }),
  ...(limit !== undefined && { limit: String(limit) }),
  ...(keysOnly === true && { keys_only: true })
})

/** Steps of a transaction. */
export const read = (range: Range): object => ({ request_range: rangeOf(range) })
export const put = (key: string, value: string | Uint8Array, lease?: string): object => ({
  request_put: { key: base64(key), value: base64(value), ...(lease !== undefined && { lease }) }
})
export const drop = (key: string, end?: string): object => ({
  request_delete_range: { key: base64(key), ...(end !== undefined && { range_end: base64(end) }) }
})

/** Conditions of a transaction. undefined: the key is not there. */
export const isValue = (key: string, value: string | undefined): object =>
  value === undefined
    ? { key: base64(key), target: 'VERSION', result: 'EQUAL', version: '0' }
    : { key: base64(key), target: 'VALUE', result: 'EQUAL', value: base64(value) }

const int64 = z.string().regex(/^-?\d{1,20}$/)
const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'))
const pair = z.object({
  key: bytes.transform((key) => key.toString('utf8')),
  value: bytes.default(() => Buffer.alloc(0)),
  lease: int64.default('0')
})
const pairs = z.object({ kvs: z.array(pair).default([]) })
const response = z.object({ response_range: pairs.optional() })
const txn = z.object({ succeeded: z.boolean().default(false), responses: z.array(response).default([]) })
const grant = z.object({ ID: int64 })
const keptAlive = z.object({ result: z.object({ TTL: int64.default('0') }) })
const timeToLive = z.object({ TTL: int64.default('0') })
const members = z.object({ members: z.array(z.object({ isLearner: z.boolean().default(false) })).default([]) })
const alarms = z.object({ alarms: z.array(z.object({ alarm: z.string().max(64).default('NONE') })).default([]) })

export type Pair = z.infer<typeof pair>

export interface TxnAnswer {
  readonly succeeded: boolean
  /** Pairs of each `read`, in order; none for the other steps. */
  readonly found: readonly (readonly Pair[])[]
}

export const txnAnswer = (value: unknown): TxnAnswer => {
  const { succeeded, responses } = taken(txn, value)
  return { succeeded, found: responses.map((each) => each.response_range?.kvs ?? []) }
}
export const pairsIn = (value: unknown): readonly Pair[] => taken(pairs, value).kvs
export const leaseIn = (value: unknown): string => taken(grant, value).ID
/** Seconds that a lease was extended by; 0: it is gone. */
export const keptAliveIn = (value: unknown): number => Number(taken(keptAlive, value).result.TTL)
export const secondsIn = (value: unknown): number => Math.max(0, Number(taken(timeToLive, value).TTL))
export const votersIn = (value: unknown): number =>
  taken(members, value).members.filter((each) => !each.isLearner).length
export const alarmsIn = (value: unknown): string[] => taken(alarms, value).alarms.map(({ alarm }) => alarm)

function taken<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`
  throw new EtcdFailure(`etcd gave an answer of another form${where}: is it an etcd 3.4 or newer?`, {
    outcome: 'unknown'
  })
}
