import { z } from 'zod'
import {
  answer,
  type Body,
  ownAnswer,
  partHealth,
  peerRef,
  phase,
  plan,
  role,
  rttUs,
  state,
  text,
  textOrNull,
  time,
  timeOrNull,
  whole,
  wholeOrNull
} from './parts.ts'

// The JSON answers about the process itself, for whoever watches over it.

export const healthView = answer('health', 'GET /health', {
  ok: z.boolean().describe('key, store, listener and log of this process; others are not asked'),
  phase,
  startedMs: time('started'),
  uptimeMs: whole,
  parts: z.object({
    key: partHealth,
    store: partHealth,
    listener: partHealth,
    log: partHealth,
    sync: partHealth,
    gossip: partHealth,
    dns: partHealth
  })
})

export const readyView = answer('ready', 'GET /ready', {
  ok: z.boolean().describe('key, store and listener are up; what it depends on never counts'),
  message: text,
  dependencies: z
    .array(z.object({ name: z.enum(['root', 'lease', 'sync', 'dns']), ok: z.boolean(), message: textOrNull }))
    .describe('what others do for this process; it works on without them')
})

export const versionView = ownAnswer('version', 'trustnet version --json', {
  version: text,
  commit: textOrNull,
  builtAt: z.iso.datetime().nullable(),
  node: text
})

export const connectionsView = answer('connections', 'GET /connections', {
  connections: z.array(
    z.object({
      ...peerRef.shape,
      member: z.boolean().describe('it proved that it is one'),
      role: role.nullable(),
      direction: z.enum(['in', 'out']),
      address: text.describe('of the other end, with /p2p'),
      openedMs: time('opened'),
      rttUs,
      streams: whole,
      bytesIn: wholeOrNull.describe('of all connections with that key; null: not known'),
      bytesOut: wholeOrNull
    })
  )
})

export const statsView = answer('stats', 'GET /stats', {
  uptimeMs: whole,
  phase,
  members: z.record(state, whole),
  log: z.object({ epoch: wholeOrNull, head: wholeOrNull, checkpointMs: timeOrNull('newest checkpoint') }),
  records: whole,
  connections: z.object({ members: whole, strangers: whole, inbound: whole, outbound: whole }),
  limits: z.record(z.string(), whole).describe('times that others went beyond a limit, by its name'),
  alarms: whole.describe('warnings and alarms that nobody acknowledged'),
  process: z.object({
    rssBytes: whole,
    heapBytes: whole,
    cpuMs: whole.describe('since the start'),
    storeBytes: wholeOrNull
  })
})

const exposed = z.object({
  name: text,
  to: text.describe('address on the machine of the service: [::1]:22 or unix:/run/app.sock')
})

const counts = z.object({
  opened: whole.describe('since the start'),
  bytesIn: whole.describe('of those that are over: came from the other side'),
  bytesOut: whole
})

export const forwardsView = answer('forwards', 'trustnet expose --json', {
  exposed: z.array(exposed).describe('services of this node that members may call'),
  listeners: z.array(
    z.object({
      address: text.describe('of this machine, at which a service of another member is reached'),
      peer: textOrNull.describe('as it was named; null: any member that has the service'),
      service: text,
      open: whole.describe('connections now'),
      taken: whole.describe('connections since it listens'),
      failed: whole.describe('of these, came to nothing')
    })
  ),
  live: z.array(
    z.object({
      ...peerRef.shape,
      service: text,
      direction: z.enum(['in', 'out']).describe('in: a service of this node is used there; out: one of theirs here'),
      sinceMs: time('since'),
      bytesIn: whole.describe('came from the other side'),
      bytesOut: whole,
      waitingBytes: whole.describe('came on either side and were not taken on the other')
    })
  ),
  totals: z.object({ in: counts, out: counts })
})

export const exposedView = answer('expose', 'trustnet expose NAME --json', { ...exposed.shape, message: text })

export const movedRootView = answer('moved-root', 'trustnet registry move-root --json', {
  applied: z.boolean().describe('false: a plan'),
  from: text.describe('what kept the log, as root.store names it; `sqlite`: the store of the root'),
  to: text.describe('what keeps it from then on'),
  isRoot: z.boolean().describe('false: a candidate, which goes after the log'),
  epoch: whole,
  head: whole.describe('newest entry of this store'),
  there: z
    .object({
      epoch: whole,
      head: whole,
      isMoved: z.boolean().describe('it gives its lease to nobody'),
      holder: text.describe('who has the lease, or where the log went')
    })
    .nullable()
    .describe('log that the database had before; null: none of this network, or it is the store of the root')
})

export const moveRootInput = {
  to: z.string().min(1).max(4096).describe('as root.store names it'),
  plan: plan.optional()
}

export type HealthView = Body<typeof healthView>
export type ReadyView = Body<typeof readyView>
export type VersionView = Body<typeof versionView>
export type ConnectionsView = Body<typeof connectionsView>
export type StatsView = Body<typeof statsView>
export type ForwardsView = Body<typeof forwardsView>
export type ExposedView = Body<typeof exposedView>
export type MovedRootView = Body<typeof movedRootView>
