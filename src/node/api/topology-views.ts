import { z } from 'zod'
import { answer, type Body, peerRef, role, rttUs, state, text, textOrNull, whole } from './parts.ts'
import { logLevels } from './words.ts'

// Answers about connections, and about the log of this process.

export const topologyView = answer('topology', 'trustnet topology --format json', {
  nodes: z.array(
    z.object({
      ...peerRef.shape,
      self: z.boolean(),
      role,
      state,
      registry: peerRef.nullable().describe('holds its lease; null: not known, or it is the root')
    })
  ),
  links: z
    .array(
      z.object({
        from: peerRef.shape.peerId.describe('the lower PeerId of the two'),
        to: peerRef.shape.peerId,
        saidBy: z.array(peerRef.shape.peerId).describe('those of the two who say so, as far as is known here'),
        oneSided: z.boolean().describe('the other one is up, says whom it is connected to, and does not name this one'),
        rttUs: rttUs.describe('measured by this node; null: it is not one of the two')
      })
    )
    .describe('connections, each once; a member tells of 32 at most')
})

export const pingView = answer('ping', 'trustnet ping NAME --json', {
  ...peerRef.shape,
  address: textOrNull.describe('of the other end of the connection; null: there is none'),
  direction: z.enum(['in', 'out']).nullable().describe('who opened the connection; null: there is none'),
  relay: peerRef
    .nullable()
    .describe('the member through which the connection goes; null: it is direct, or there is none'),
  sent: whole,
  received: whole.describe('answers'),
  pings: z.array(z.object({ rttUs })).describe('in their order; null: no answer came'),
  lastError: textOrNull.describe('why the last one that was lost had no answer')
})

export type PingView = Body<typeof pingView>

export const logLevelView = answer('log-level', 'trustnet log-level --json', {
  level: z.enum(logLevels).describe('of this process'),
  services: z.array(z.object({ name: text, level: z.enum(logLevels) })).describe('parts with a level of their own'),
  message: text
})

export const recentLogView = answer('recent-log', 'the last lines of the log, for trustnet report', {
  lines: z.array(text).describe('as they were written, without secrets, the oldest first'),
  dropped: whole.describe('lines before them that are not kept')
})

export type TopologyView = Body<typeof topologyView>
export const metricsView = answer('metrics', 'the metrics of a process, for trustnet report', {
  lines: z.array(text).describe('in the text format of Prometheus'),
  dropped: whole.describe('lines behind them that are left out')
})

export type MetricsView = Body<typeof metricsView>
export type LogLevelView = Body<typeof logLevelView>
export type RecentLogView = Body<typeof recentLogView>
