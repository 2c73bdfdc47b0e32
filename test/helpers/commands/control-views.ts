import type {
  BackupView,
  HappeningRow,
  IdentityView,
  InvitesView,
  InviteView,
  LogView,
  PeerRow,
  PeersView,
  RegistryNodesView,
  RegistryStatusView,
  StatusView,
  WhyView
} from '../../../src/node/api/control-api.ts'
import { syncView } from './sync-view.ts'

/** Valid PeerIds that differ in their last characters. */
export const peerIds = [
  '12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1aaaa',
  '12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1bbbb',
  '12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1cccc',
  '12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1dddd'
] as const

const now = 1_800_000_000_000
const survived = { survives: true, needs: null }
export const network = { id: 'tnexample', name: 'example.org', domain: 'example.org', fingerprint: 'aaaa bbbb' }
export const root = { peerId: peerIds[0], name: 'root' }
export const origin = { ...root, epoch: 0, head: 12, ageMs: 2000 }

export const peerRow = (changes: Partial<PeerRow> = {}): PeerRow => ({
  peerId: peerIds[1],
  name: 'hal',
  self: false,
  role: 'integrated',
  state: 'online',
  stateSinceMs: now - 180_000,
  reason: null,
  confirmed: true,
  stateSource: root,
  direction: 'out',
  relay: null,
  rttUs: 1250,
  seenAgeMs: 3000,
  uptimePercent: 99.95,
  uptimeWindowMs: 86_400_000,
  source: 'registry',
  version: '0.1.0',
  address: '/ip6/2001:db8::5/tcp/9000',
  addresses: ['/ip6/2001:db8::5/tcp/9000'],
  reach: 'direct',
  services: [{ name: 'web', port: 80, protocol: 'tcp', tags: [], state: 'unknown' }],
  maintenance: null,
  tags: [],
  seq: 4,
  registry: root,
  membershipExpiresMs: now + 86_400_000,
  lastError: null,
  reputation: 50,
  streams: 3,
  bytesIn: 2048,
  bytesOut: 10,
  ...changes
})

export const happening = (changes: Partial<HappeningRow> = {}): HappeningRow => ({
  id: 1_800_000_000_000,
  atMs: now,
  type: 'state',
  member: { peerId: peerIds[1], name: 'hal' },
  state: 'suspect',
  before: 'online',
  source: root,
  reason: 'connection lost',
  ...changes
})

/** Everything that may be unknown is. */
export const unknownRow = (changes: Partial<PeerRow> = {}): PeerRow =>
  peerRow({
    peerId: peerIds[2],
    name: null,
    role: null,
    state: 'unknown',
    stateSinceMs: null,
    stateSource: null,
    direction: null,
    rttUs: null,
    seenAgeMs: null,
    uptimePercent: null,
    uptimeWindowMs: null,
    source: null,
    version: null,
    address: null,
    addresses: [],
    reach: 'unknown',
    services: [],
    seq: null,
    registry: null,
    membershipExpiresMs: null,
    reputation: null,
    streams: null,
    bytesIn: null,
    bytesOut: null,
    ...changes
  })

export const peersView = (peers: PeerRow[]): PeersView => {
  const counts = { online: 0, late: 0, suspect: 0, offline: 0, left: 0, unknown: 0 }
  for (const { state } of peers) counts[state]++
  return {
    self: { ...root, role: 'root', version: '0.1.0' },
    network,
    counts,
    total: peers.length,
    peers
  }
}

export const statusView = (changes: Partial<StatusView> = {}): StatusView => ({
  word: 'healthy',
  summary: '4 of 4 members online',
  self: {
    ...root,
    role: 'root',
    version: '0.1.0',
    pid: 42,
    startedMs: now - 60_000,
    configFile: null,
    dataFolder: '/d'
  },
  network,
  phase: {
    name: 'federated',
    number: 2,
    sinceMs: now - 30_000,
    missing: ['1 more cached peer'],
    reachedAfterMs: { bootstrap: 0, trusted: 350, federated: 1200, autonomous: null }
  },
  membership: { state: 'member', expiresMs: now + 90 * 86_400_000, renewsMs: now + 45 * 86_400_000, message: null },
  registry: {
    lease: root,
    sinceMs: now - 50_000,
    expiresMs: now + 80_000,
    rttUs: 800,
    lastHeartbeatAgeMs: 4000,
    known: 2,
    connected: 2,
    message: null
  },
  sync: syncView(now, root),
  dns: {
    name: 'tnr.example.org',
    state: 'no-domain',
    addresses: [],
    checkedMs: now - 10_000,
    ttlSeconds: null,
    port: 8000,
    resolvers: [],
    message: null
  },
  resilience: { root: survived, dns: survived, both: { survives: false, needs: '1 more cached peer' } },
  connections: { members: 3, strangers: 0, inbound: 2, outbound: 1 },
  limits: [],
  http: 'http://[::1]:8080',
  names: '[::1]:5335',
  link: null,
  listen: ['/ip6/::/tcp/8000'],
  announced: ['/ip6/2001:db8::1/tcp/8000'],
  maintenance: null,
  forwards: { exposed: 0, listeners: 0, in: 0, out: 0, most: [] },
  relay: { relays: [], trouble: null, serves: null },
  reach: 'direct',
  pinholes: [],
  parts: [
    { name: 'lease', state: 'ok', sinceMs: now - 60_000, errors: 1, lastError: 'no registry answered' },
    { name: 'sync', state: 'ok', sinceMs: now - 60_000, errors: 0, lastError: null }
  ],
  warnings: [],
  ...changes
})

const upToDate = { shown: { epoch: 0, head: 12, ageMs: 12_000 }, behind: 0 }

export const registryStatusView: RegistryStatusView = {
  self: { ...root, role: 'root', version: '0.1.0' },
  network,
  storeId: '00ff',
  log: { epoch: 0, head: 12, headHash: 'ab'.repeat(32), floor: 0, checkpointMs: now, ageMs: 0 },
  members: 4,
  revoked: 1,
  records: 4,
  sessions: 3,
  subscribers: 3,
  pending: 0,
  queued: 0,
  appends: true,
  appendsMessage: null,
  admission: 'invite',
  registries: [{ ...root, ...upToDate, role: 'root', state: 'online', connected: true, address: null, addresses: [] }],
  store: { path: '/d/registry.db', bytes: 40_960, lastBackupMs: null },
  rootStore: null,
  parts: [{ name: 'store', state: 'ok', sinceMs: now - 60_000, errors: 0, lastError: null }],
  warnings: []
}

export const registryNodesView: RegistryNodesView = {
  nodes: [
    {
      peerId: peerIds[1],
      name: 'hal',
      role: 'integrated',
      state: 'suspect',
      stateSinceMs: now - 4000,
      reason: 'stream lost',
      confirmed: true,
      here: true,
      registry: root,
      heartbeatAgeMs: 40_000,
      rttUs: null,
      uptimePercent: null,
      seq: 1,
      address: null,
      version: null,
      firstSeenMs: now - 100_000,
      membershipExpiresMs: null,
      connected: null
    }
  ]
}

export const logView: LogView = {
  entries: [
    { n: 1, epoch: 0, kind: 'admit', timeMs: now, hash: 'cd'.repeat(32), subject: root, by: [], detail: 'founder' }
  ],
  next: null,
  missing: 0,
  floor: 0
}

export const identityView: IdentityView = {
  ...root,
  role: 'root',
  publicKeyHex: 'ab'.repeat(32),
  keyFile: '/d/node.key',
  network,
  multiaddrs: [`/ip6/2001:db8::1/tcp/8000/p2p/${root.peerId}`],
  version: '0.1.0'
}

export const inviteView: InviteView = {
  line: 'tnet1line',
  id: 'ff',
  role: 'integrated',
  name: null,
  replaces: null,
  uses: 1,
  expiresMs: now,
  network,
  looksLike: [],
  registries: 2
}

export const invitesView: InvitesView = {
  invites: [
    {
      id: 'ff00',
      state: 'open',
      reason: null,
      role: 'integrated',
      name: null,
      replaces: null,
      uses: 2,
      taken: 1,
      expiresMs: now,
      note: 'the lab',
      groups: [],
      ephemeralMs: null,
      entry: 7,
      members: [root]
    }
  ]
}

export const whyView: WhyView = {
  peerId: peerIds[1],
  name: 'hal',
  summary: 'hal is offline: its lease lapsed',
  checks: [
    { what: 'member', ok: true, detail: 'admitted' },
    { what: 'lease', ok: false, detail: 'lapsed 3m ago' },
    { what: 'dial', ok: null, detail: 'no address known' }
  ],
  addresses: [],
  retry: { failures: 2, atMs: 1_800_000_000_000 },
  record: { way: 'sync', from: null, atMs: 1_700_000_000_000 },
  next: null
}

export const backupView: BackupView = {
  path: '/var/lib/trustnet/root/backups/registry-20260101T000000Z.db',
  manifest: '/var/lib/trustnet/root/backups/registry-20260101T000000Z.db.json',
  createdMs: 1_767_225_600_000,
  bytes: 131_072,
  sha256: 'ab'.repeat(32),
  head: { epoch: 0, n: 12, hash: 'cd'.repeat(32) },
  rows: { log: 13, records: 4 },
  lacks: ['node.key: without it the machine comes back as another node']
}
