import type { HealthView, StatsView } from '../../../src/node/api/process-views.ts'
import type { PreparedView } from '../../../src/node/api/registry-views.ts'

const part = { status: 'ok', sinceMs: 1_790_000_000_000, errors: 0, lastError: null } as const

export const healthView: HealthView = {
  ok: true,
  phase: 'autonomous',
  startedMs: 1_790_000_000_000,
  uptimeMs: 1000,
  parts: { key: part, store: part, listener: part, log: part, sync: part, gossip: part, dns: part }
}

export const statsView: StatsView = {
  uptimeMs: 1000,
  phase: 'autonomous',
  members: { online: 3, late: 0, suspect: 0, offline: 0, left: 0, unknown: 0 },
  log: { epoch: 0, head: 7, checkpointMs: 1_790_000_000_000 },
  records: 3,
  connections: { members: 2, strangers: 0, inbound: 1, outbound: 1 },
  limits: {},
  alarms: 0,
  process: { rssBytes: 100_000_000, heapBytes: 30_000_000, cpuMs: 900, storeBytes: 100_000 }
}

export const preparedView: PreparedView = {
  networkId: '00',
  epoch: 0,
  n: 19,
  headHash: '00',
  timeMs: 1,
  authorityKey: '00',
  nextAuthorityDigest: '00',
  logKey: null
}

export const movedRootView = {
  applied: false,
  from: 'sqlite',
  to: 'sqlite',
  isRoot: true,
  epoch: 0,
  head: 20,
  there: null
}

export const reloadView = {
  changed: ['logging.level'],
  restart: ['listen.port'],
  message: 'in force now: logging.level; needs a restart: listen.port'
}
