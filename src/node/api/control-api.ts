import type { Role } from '../../identity/role.ts'
import type {
  BackupView,
  ClockView,
  FetchView,
  LogView,
  PendingView,
  RegistryNodesView,
  RegistryStatusView,
  VoidRevokesView
} from './registry-views.ts'
import type {
  AckView,
  AddressView,
  ChangeView,
  ConnectView,
  DisconnectView,
  IdentityView,
  InviteEndView,
  InvitesView,
  InviteView,
  JoinView,
  LookupView,
  PeerState,
  PeersView,
  Phase,
  PolicyView,
  RejectedView,
  StatusView,
  StatusWord,
  WhyView
} from './views.ts'

export type * from './registry-views.ts'
export * from './views.ts'

/** A peer is named by its member name, its PeerId, or an unambiguous end of its PeerId of at least 6 characters. */
export type PeerName = string

export interface WaitingQuery {
  olderMs?: number | undefined
  matching?: string | undefined
}

export interface LookupQuery {
  peer?: PeerName | undefined
  role?: Role | undefined
  service?: string | undefined
  state?: PeerState | undefined
  after?: string | undefined
  /** Rows of a page; default 100, at most 500. */
  limit?: number | undefined
  /** Ask the registry that holds the lease, over the wire, instead of the own replica. */
  remote?: boolean | undefined
}

export interface InviteQuery {
  role?: Role | undefined
  name?: string | undefined
  /** Name of the member whose place is taken. */
  replaces?: string | undefined
  /** Default 1. */
  uses?: number | undefined
  /** Default 1 h. */
  ttlMs?: number | undefined
  /** For people. */
  note?: string | undefined
}

/** Values that take the place of those of the policy. */
export interface PolicyChanges {
  admission?: PolicyView['policy']['admission'] | undefined
  membershipMs?: number | undefined
  documentBytes?: number | undefined
  openGrants?: number | undefined
  grantUses?: number | undefined
  grantMs?: number | undefined
  nameHoldMs?: number | undefined
  returnGraceMs?: number | undefined
  /** Also a policy that locks everybody out. */
  force?: boolean | undefined
}

/** Sent when something changed that a view shows; who wants the new state asks for the view again. */
export type ControlEvent =
  | { schemaVersion: 1; type: 'peer'; peerId: string; state: PeerState }
  | { schemaVersion: 1; type: 'status'; word: StatusWord; phase: Phase }
  | { schemaVersion: 1; type: 'head'; epoch: number; head: number }
  | { schemaVersion: 1; type: 'pending'; peerId: string }

export interface CallOptions {
  signal?: AbortSignal
}

/**
 * What a running process can be asked and told from its own machine. Failures are thrown as the error classes of the registry:
 * NotFoundError (no such peer), NotRootError, UnavailableError, InvalidPayloadError …; the server turns the name into an answer
 * and the client throws a ControlError with that name again.
 */
export interface ControlApi {
  status(options?: CallOptions): Promise<StatusView>
  /** Everybody, unfiltered, self first, then registries, then by name: the CLI filters and sorts. */
  peers(options?: CallOptions): Promise<PeersView>
  lookup(query: LookupQuery, options?: CallOptions): Promise<LookupView>
  why(peer: PeerName, options?: CallOptions): Promise<WhyView>
  identity(options?: CallOptions): Promise<IdentityView>
  /** Without a peer: the own one. */
  address(peer?: PeerName, options?: CallOptions): Promise<AddressView>

  registryStatus(options?: CallOptions): Promise<RegistryStatusView>
  registryNodes(options?: CallOptions): Promise<RegistryNodesView>
  log(query: { after?: number | undefined; limit?: number | undefined }, options?: CallOptions): Promise<LogView>
  pending(options?: CallOptions): Promise<PendingView>
  approve(peer: PeerName, options?: CallOptions): Promise<ChangeView>
  /** What the clocks of this process, its machine and its log say. */
  clock(options?: CallOptions): Promise<ClockView>
  /** The clock of this machine is right now: it is followed, and a root signs again. */
  acceptClock(options?: CallOptions): Promise<ClockView>
  /** Revokes by log keys of older epochs that wait for the operator. */
  voidRevokes(options?: CallOptions): Promise<VoidRevokesView>
  /** Takes a member off that list, and tells everybody that it stays. */
  dismissVoid(peer: PeerName, options?: CallOptions): Promise<ChangeView>
  reject(peer: PeerName, reason: string, options?: CallOptions): Promise<ChangeView>
  /** All that wait, or those that wait for at least `olderMs` and whose name fits the pattern (`*` is any text). */
  rejectAll(which: WaitingQuery, reason: string, options?: CallOptions): Promise<RejectedView>
  /** Fetches all that a member has of log and records into a file that must not be there. */
  fetchStore(peer: PeerName, to: string, options?: CallOptions): Promise<FetchView>
  /** A backup now: to a file that must not be there, or into the folder of all. */
  backup(to?: string, options?: CallOptions): Promise<BackupView>
  /** Lets a root that was restored append, without the heads of others; `head` is the entry that its log ends at. */
  resume(head: number, options?: CallOptions): Promise<ChangeView>

  invite(query: InviteQuery, options?: CallOptions): Promise<InviteView>
  /** Open invites, or the one whose id begins so. */
  invites(id?: string, options?: CallOptions): Promise<InvitesView>
  cancelInvite(id: string, reason: string, options?: CallOptions): Promise<InviteEndView>
  policy(options?: CallOptions): Promise<PolicyView>
  /** At the root. */
  setPolicy(changes: PolicyChanges, options?: CallOptions): Promise<PolicyView>
  /** Hands an invite line to a process that is not admitted yet. */
  join(line: string, options?: CallOptions): Promise<JoinView>
  /** Says `left`; with forget it also asks for the revocation of the own key. */
  leave(query: { forget: boolean; reason?: string | undefined }, options?: CallOptions): Promise<ChangeView>
  revoke(peer: PeerName, reason: string, options?: CallOptions): Promise<ChangeView>

  connect(multiaddr: string, options?: CallOptions): Promise<ConnectView>
  disconnect(peer: PeerName, options?: CallOptions): Promise<DisconnectView>
  /** Takes a warning or alarm out of the status word, by its code. */
  acknowledge(code: string, options?: CallOptions): Promise<AckView>

  /** Ends when the signal fires or the process stops. */
  events(options?: CallOptions): AsyncIterable<ControlEvent>
}
