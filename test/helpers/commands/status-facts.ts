import type { NetworkFacts, StatusFacts } from '../../../src/node/status/status-facts.ts'

export const day = 86_400_000
export const now = 1_800_000_000_000

/** Facts of a network with a root, a secondary and three nodes, all up. */
export const networkFacts = (change: Partial<NetworkFacts> = {}): NetworkFacts => ({
  counts: { online: 5, late: 0, suspect: 0, offline: 0, left: 0, unknown: 0 },
  total: 5,
  up: { members: 4, sources: 4, carriers: 3 },
  root: { name: 'root', state: 'online', sinceMs: now - day },
  alarms: [],
  refusal: undefined,
  fenced: false,
  restoredHead: undefined,
  rootStore: undefined,
  store: { failure: undefined, folder: '/data' },
  replicaAgeMs: 20_000,
  clocks: undefined,
  checkpointMs: now - 20_000,
  isForked: false,
  doubt: undefined,
  pending: 0,
  queued: 0,
  announced: 1,
  tnr: undefined,
  listenHost: '::',
  kit: { state: 'none', path: '/data/recovery.kit' },
  backup: undefined,
  notAfterMs: now + 80 * day,
  membershipMs: 90 * day,
  records: 5,
  exceeded: [],
  ...change
})

/** Facts of a node that has been up for an hour and lacks nothing. */
export const statusFacts = (change: Partial<StatusFacts> = {}): StatusFacts => ({
  stopping: false,
  now,
  upMs: 3_600_000,
  logFailure: undefined,
  role: 'integrated',
  name: 'hal',
  failures: [],
  membership: 'member',
  toldOfItsEnd: false,
  trouble: undefined,
  session: true,
  hadSession: true,
  phase: { name: 'autonomous', ageMs: 3_000_000 },
  phaseFacts: { member: true, session: true, replica: true, mesh: 3, sources: 4, cachedPeers: 3 },
  gossip: true,
  network: networkFacts(),
  ...change
})
