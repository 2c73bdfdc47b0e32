/**
 * The registry of a TrustNet network without any networking: the signed log and what it says, node records, liveness, admission, and
 * the store of all that.
 *
 * ```ts
 * await createNetwork({ path, domain: 'example.org', name: 'example', policy, authority, nextAuthorityDigest, logKey, rootKey, rootName })
 * await using registry = await openRegistry({ path, role: 'root', nodeKey: rootKey, logKey })
 * const { grant, inviteKey } = await registry.admission.invite({ role: 'integrated' })
 * ```
 *
 * @packageDocumentation
 */
export { memberAddress, ulaPrefix } from './addrs.ts'
export {
  Admission,
  type AdmissionComponents,
  type AdmissionInit,
  type JoinBundle
} from './admission.ts'
export type { Alarm, Alarms } from './alarms.ts'
export { type Checkpoint, openCheckpoint } from './checkpoint.ts'
export { type CreateNetworkInit, createNetwork } from './create-network.ts'
export { type Admit, type EntryKind, type LogEntry, openEntry, type Renew, type Revoke } from './entry.ts'
export type { Signed } from './envelope.ts'
export * from './errors.ts'
export type { PendingJoin, RegistryEvents } from './events.ts'
export { type ForgetRequest, openForgetRequest, sealForgetRequest } from './forget.ts'
export {
  type AdmissionPolicy,
  type Genesis,
  matchesFingerprint,
  networkFingerprint,
  networkIdText,
  openGenesis,
  type Policy,
  parseNetworkId
} from './genesis.ts'
export { type Grant, openGrant } from './grant.ts'
export { decodeInvite, encodeInvite, type Invite, type InviteRegistry } from './invite.ts'
export type { InviteOptions, IssuedInvite } from './invites.ts'
export { type Join, type JoinInit, makeJoin, openJoin } from './join.ts'
export { createKey, loadKey, loadOrCreateKey } from './key-file.ts'
export { peerIdText, publicKeyOf, publicKeyOfPeerId, SigningKey } from './keys.ts'
export { defaultLimits, type RegistryLimits } from './limits.ts'
export {
  defaultTimings,
  type Hint,
  isUp,
  type Lease,
  type Liveness,
  type LivenessTimings,
  type MemberView,
  type State
} from './liveness.ts'
export type { LookupPage, LookupQuery, LookupRow } from './lookup.ts'
export { type Clock, type Logger, silentLogger, systemClock } from './ports.ts'
export type { Forward, RootRequest } from './queue.ts'
export { type NodeRecord, openRecord, type Reach, sealRecord } from './record.ts'
export type { PutResult, RecordEvent, Records } from './records.ts'
export { adoptGenesis, openRegistry, peekGenesis, type Registry, type RegistryInit } from './registry.ts'
export { openRenewRequest, type RenewRequest, sealRenewRequest } from './renew.ts'
export type { Replica } from './replica.ts'
export { isRegistryRole, type Role, servesRegistry } from './role.ts'
export { type EntryDraft, type Root, sealAuthority, sealDelegation } from './root.ts'
export type { Head, Member, NetworkState } from './state.ts'
export type { Meta } from './store-values.ts'
