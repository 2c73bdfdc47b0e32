import type { Role } from '../../identity/role.ts'
import type { NetworkRef, PeerRef, PeerState, View, ViewOrigin, Warning } from './views.ts'

// What `registry status|nodes|pending|log` answer; the rules of views.ts hold here too.

/** What a member has of log and records, fetched into a store. */
export interface FetchView extends View {
  peerId: string
  name: string
  path: string
  /** Why not all that it sent was taken; null: it was. */
  refused: string | null
}

export interface RegistryStatusView extends View {
  self: PeerRef & { role: Role; version: string }
  network: NetworkRef | null
  storeId: string
  log: {
    epoch: number
    head: number
    headHash: string
    floor: number
    checkpointMs: number | null
    ageMs: number | null
  }
  members: number
  revoked: number
  records: number
  /** Sessions whose lease this registry holds; subscribers of its sync. */
  sessions: number
  subscribers: number
  pending: number
  queued: number
  /** Whether this process appends to the log, and if it is the root but does not, why. */
  appends: boolean
  appendsMessage: string | null
  admission: 'invite' | 'approve' | 'open'
  registries: (PeerRef & {
    role: Role
    state: PeerState
    connected: boolean
    address: string | null
    addresses: string[]
  })[]
  store: { path: string; bytes: number | null; lastBackupMs: number | null }
  warnings: Warning[]
}

export interface RegistryNodeRow extends PeerRef {
  role: Role | null
  state: PeerState
  stateSinceMs: number | null
  reason: string | null
  confirmed: boolean
  /** Whether this registry holds the lease. */
  here: boolean
  registry: PeerRef | null
  heartbeatAgeMs: number | null
  rttMs: number | null
  uptimePercent: number | null
  seq: number | null
  address: string | null
  version: string | null
  firstSeenMs: number | null
  membershipExpiresMs: number | null
  connected: number | null
}

export interface RegistryNodesView extends View {
  view: ViewOrigin
  nodes: RegistryNodeRow[]
}

export interface ClockView extends View {
  /** The time that this process goes by. */
  nowMs: number
  /** The clock of this machine. */
  wallMs: number
  /** How far the two are apart; null: they are one. */
  stepMs: number | null
  /** Time of the newest checkpoint. */
  checkpointMs: number | null
  /** Whether the root signs; null: this process is not the root. */
  appends: boolean | null
  message: string
}

/** A revoke by the log key of an older epoch, which waits for the operator's word. */
export interface VoidRevokeRow {
  /** Whom it would hit. */
  member: PeerRef
  reason: string
  epoch: number
  n: number
  /** As its signer says. */
  claimedMs: number
  /** Who handed it over; null: this root cut it off itself. */
  from: PeerRef | null
  seenMs: number
}

export interface VoidRevokesView extends View {
  offered: VoidRevokeRow[]
}

export interface PendingRow extends PeerRef {
  role: Role
  askedMs: number
  /** approve: waits for the operator. root: waits for the root to be back. */
  waitsFor: 'approve' | 'root'
  address: string | null
  withInvite: boolean
  /** Names of members, and of others who wait, that people would take for this one. */
  looksLike: string[]
}

export interface PendingView extends View {
  pending: PendingRow[]
}

export interface LogRow {
  n: number
  epoch: number
  kind: string
  timeMs: number
  hash: string
  subject: PeerRef | null
  /** What the entry says beyond kind and subject: "secondary, until 2027-01-01, by invite 3f…"; empty when nothing. */
  detail: string
}

export interface LogView extends View {
  view: ViewOrigin
  entries: LogRow[]
  /** `after` of the next page; null at the head. */
  next: number | null
}

export interface BackupView extends View {
  path: string
  manifest: string
  createdMs: number
  bytes: number
  /** Of the file, base16. */
  sha256: string
  head: { epoch: number; n: number; hash: string }
  /** By table. */
  rows: Record<string, number>
  /** What the file does not hold, and what is lost without it. */
  lacks: string[]
}
