import type { Role } from '../../identity/role.ts'

// The JSON answers of the control socket, of `--json` and of the HTTP pages. Their shape is fixed by docs/schemas: a field is
// added with the same schemaVersion, anything else needs a new one. `null` is "unknown", never 0 and never an absent field.
// `…Ms` that ends a time is ms since 1970, `…AgeMs` how long ago that was when the answer was made.

export interface View {
  schemaVersion: 1
}

export interface PeerRef {
  peerId: string
  /** Name in the log; null when it is no member or not known yet. */
  name: string | null
}

export interface NetworkRef {
  id: string
  name: string
  domain: string
  fingerprint: string
}

export const peerStates = ['online', 'late', 'suspect', 'offline', 'left', 'unknown'] as const
export type PeerState = (typeof peerStates)[number]

/** How a peer was learned. */
export const peerSources = [
  'self',
  'registry',
  'sync',
  'gossip',
  'dht',
  'cache',
  'invite',
  'config',
  'dns',
  'inbound'
] as const
export type PeerSource = (typeof peerSources)[number]

export const phases = ['bootstrap', 'trusted', 'federated', 'autonomous'] as const
export type Phase = (typeof phases)[number]

/** What this process knows of one member, and of its connection to it. */
export interface PeerRow extends PeerRef {
  self: boolean
  role: Role | null
  state: PeerState
  stateSinceMs: number | null
  /** Why it is in that state, in the words of the source; null when online or not said. */
  reason: string | null
  /** false: the source was itself cut off lately, so "offline" is not sure. */
  confirmed: boolean
  /** The registry that says so. */
  stateSource: PeerRef | null
  /** Of the live connections; null: not connected. */
  direction: 'in' | 'out' | 'both' | null
  rttMs: number | null
  /** Since anybody trusted last heard it. */
  seenAgeMs: number | null
  uptimePercent: number | null
  /** The time over which the percentage was observed. */
  uptimeWindowMs: number | null
  source: PeerSource | null
  version: string | null
  /** The address in use, else the first of its record, as a multiaddr without /p2p. */
  address: string | null
  addresses: string[]
  reach: 'unknown' | 'direct' | 'outbound'
  services: string[]
  tags: string[]
  seq: number | null
  /** The registry that holds its lease. */
  registry: PeerRef | null
  membershipExpiresMs: number | null
  lastError: { message: string; ageMs: number } | null
  reputation: number | null
  /** Open streams and bytes over the live connections; null: not connected. */
  streams: number | null
  bytesIn: number | null
  bytesOut: number | null
}

/** Whose view an answer is, and how far behind. */
export interface ViewOrigin extends PeerRef {
  epoch: number
  head: number
  /** Age of the newest checkpoint or of the last successful sync; null: never synced. */
  ageMs: number | null
}

export interface PeersView extends View {
  self: PeerRef & { role: Role; version: string }
  network: NetworkRef | null
  view: ViewOrigin
  /** Of all members, before any filter. */
  counts: Record<PeerState, number>
  total: number
  peers: PeerRow[]
}

export interface LookupView extends View {
  view: ViewOrigin
  rows: PeerRow[]
  /** `after` of the next page; null at the end. */
  next: string | null
}

/** healthy: nothing is missing that this network can give. pending: waits for the operator or the root. isolated: no registry answers. */
export const statusWords = ['starting', 'pending', 'healthy', 'degraded', 'isolated', 'refused', 'stopping'] as const
export type StatusWord = (typeof statusWords)[number]

export interface Warning {
  /** Fixed word, as in the log line and for `status --acknowledge`. */
  code: string
  level: 'warning' | 'alarm'
  message: string
  /** The command that fixes it; null when nothing is to be done but wait. */
  fix: string | null
  sinceMs: number | null
  acknowledged: boolean
}

export interface Survival {
  survives: boolean
  /** What is needed so that it does: "1 more cached peer"; null when it does. */
  needs: string | null
}

export interface StatusView extends View {
  word: StatusWord
  /** One sentence behind the word. */
  summary: string
  self: PeerRef & {
    role: Role
    version: string
    pid: number
    startedMs: number
    configFile: string | null
    dataFolder: string
  }
  network: NetworkRef | null
  phase: {
    name: Phase
    number: number
    sinceMs: number
    /** What is missing for the next phase; empty in the last one. */
    missing: string[]
    /** How long each phase took from the start of the process; null: not reached yet. */
    reachedAfterMs: Record<Phase, number | null>
  }
  membership: {
    state: 'none' | 'pending' | 'member' | 'expired' | 'revoked' | 'left'
    expiresMs: number | null
    renewsMs: number | null
    message: string | null
  }
  registry: {
    /** The registry that holds the lease; null: none, see message. */
    lease: PeerRef | null
    sinceMs: number | null
    expiresMs: number | null
    rttMs: number | null
    lastHeartbeatAgeMs: number | null
    /** Registries in the log, and how many of them are connected. */
    known: number
    connected: number
    message: string | null
  }
  sync: {
    epoch: number | null
    head: number | null
    headHash: string | null
    checkpointMs: number | null
    ageMs: number | null
    source: PeerRef | null
    members: number
    records: number
    message: string | null
  }
  dns: {
    name: string
    state: 'found' | 'none' | 'no-domain' | 'servfail' | 'refused' | 'timeout' | 'bad-answer' | 'not-asked'
    addresses: string[]
    checkedMs: number | null
    ttlSeconds: number | null
    /** Dialled after an AAAA answer. */
    port: number
    message: string | null
  }
  resilience: { root: Survival; dns: Survival; both: Survival }
  connections: { members: number; strangers: number; inbound: number; outbound: number }
  /** Limits that were exceeded since the start, most often first. */
  limits: LimitView[]
  listen: string[]
  announced: string[]
  reach: 'unknown' | 'direct' | 'outbound'
  warnings: Warning[]
}

/** How often others went beyond a limit, and who did lately. */
export interface LimitView {
  /** Its place in the table of limits: `connection.streams`. */
  limit: string
  count: number
  culprits: {
    /** PeerId, or the address of one that has proved no key. */
    who: string
    name: string | null
    count: number
    lastMs: number
  }[]
}

export interface IdentityView extends View, PeerRef {
  role: Role
  publicKeyHex: string
  keyFile: string
  network: NetworkRef | null
  /** With /p2p, ready to be given to `peers connect` or `--peer`. */
  multiaddrs: string[]
  version: string
}

export interface AddressView extends View, PeerRef {
  /** The member's /128 in the network's /48. */
  address: string
  prefix: string
}

export interface InviteView extends View {
  /** The one line to paste. It holds the seed of a one-time key: the only secret in any of these answers. */
  line: string
  id: string
  role: Role
  name: string | null
  replaces: string | null
  uses: number
  expiresMs: number
  network: NetworkRef
  /** Names of members that people would take for the one that the invite gives. */
  looksLike: string[]
}

/** An invite of the log. */
export interface OpenInvite {
  id: string
  role: Role
  name: string | null
  replaces: string | null
  uses: number
  /** Admissions by it. */
  taken: number
  expiresMs: number
  note: string
  /** Where it stands in the log. */
  entry: number
  /** Those whom it let in and who are members still. */
  members: PeerRef[]
}

export interface InvitesView extends View {
  invites: OpenInvite[]
}

export interface InviteEndView extends View {
  id: string
  entry: number
  message: string
}

export interface PolicyView extends View {
  /** Of the log; 0: the genesis. */
  entry: number
  policy: {
    admission: 'invite' | 'approve' | 'open'
    membershipMs: number
    documentBytes: number
    openGrants: number
    grantUses: number
    grantMs: number
    nameHoldMs: number
    returnGraceMs: number
    witnesses: number
    criticalKinds: number[]
  }
}

/** What a change did: the log entry it became, or null when none was needed or it waits for the root. */
export interface ChangeView extends View, PeerRef {
  entry: number | null
  message: string
}

/** How many that waited were turned away in one step. */
export interface RejectedView extends View {
  rejected: number
}

export interface ConnectView extends View, PeerRef {
  address: string
  direction: 'in' | 'out'
  /** Whether the other proved that it is a member. */
  member: boolean
  rttMs: number | null
}

export interface DisconnectView extends View, PeerRef {
  closed: number
}

export interface WhyView extends View, PeerRef {
  /** One sentence: what it is and why. */
  summary: string
  /** In the order in which they were checked; ok null: could not be checked. */
  checks: { what: string; ok: boolean | null; detail: string }[]
  /** The next command or step; null when all is well. */
  next: string | null
}

export interface AckView extends View {
  code: string
  message: string
}

export interface JoinView extends View {
  state: 'admitted' | 'pending' | 'trying'
  network: { id: string; domain: string }
  message: string
}
