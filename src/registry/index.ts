/**
 * The registry of a TrustNet network without any networking: the signed log and what it says, node records, liveness, admission, and
 * the store of all that.
 *
 * ```ts
 * await createNetwork({ path, domain: 'example.org', name: 'example', policy, authority, nextAuthorityDigest, founder: { key, name: 'root', logKey } })
 * await using registry = await openRegistry({ path, role: 'root', nodeKey: key, root: { logKey } })
 * const { grant, inviteKey } = await registry.admission.invite({ role: 'integrated' })
 * ```
 *
 * @packageDocumentation
 */
export { memberAddress, ulaPrefix } from '../address/multiaddr.ts'
export { createKey, loadKey, loadOrCreateKey } from '../identity/key-file.ts'
export { peerIdText, publicKeyOf, publicKeyOfPeerId, SigningKey } from '../identity/keys.ts'
export { isRegistryRole, type Role, servesRegistry } from '../identity/role.ts'
export { type Clock, type Logger, silentLogger, systemClock } from '../runtime/clock-and-logger.ts'
export * from '../runtime/errors.ts'
export {
  Admission,
  type AdmissionComponents,
  type AdmissionInit,
  type JoinBundle
} from './admission/admission.ts'
export type { InviteOptions, IssuedGrant, IssuedInvite } from './admission/invites.ts'
export { defaultLimits, type RegistryLimits } from './admission/limits.ts'
export type { Forward, RootRequest } from './admission/root-request-queue.ts'
export type { Alarm, Alarms } from './alarms.ts'
export { type CreateNetworkInit, createNetwork, type Founder } from './create-network.ts'
export type { PendingJoin, RegistryEvents } from './events.ts'
export {
  defaultTimings,
  type Hint,
  isUp,
  type Lease,
  type Liveness,
  type LivenessTimings,
  type MemberView,
  type State
} from './liveness/liveness.ts'
export { type EntryDraft, type Root, sealAuthority, sealDelegation } from './log/log-writer.ts'
export type { Replica } from './log/replica.ts'
export type { Head, Member, NetworkState } from './log/state/network-state.ts'
export { type Checkpoint, openCheckpoint } from './objects/checkpoint.ts'
export { type Admit, type EntryKind, type LogEntry, openEntry, type Renew, type Revoke } from './objects/entry.ts'
export type { Signed } from './objects/envelope.ts'
export { type ForgetRequest, openForgetRequest, sealForgetRequest } from './objects/forget-request.ts'
export {
  type Genesis,
  matchesFingerprint,
  networkFingerprint,
  networkIdText,
  openGenesis,
  parseNetworkId
} from './objects/genesis.ts'
export type { Grant } from './objects/grant.ts'
export { decodeInvite, encodeInvite, type Invite, type InviteGrant, type InviteRegistry } from './objects/invite.ts'
export { type Join, type JoinInit, makeJoin, openJoin } from './objects/join.ts'
export { type AdmissionPolicy, defaultPolicy, type Policy } from './objects/policy/policy.ts'
export { type NodeRecord, openRecord, type Reach, sealRecord } from './objects/record.ts'
export { openRenewRequest, type RenewRequest, sealRenewRequest } from './objects/renew-request.ts'
export { openStoreManifest, type StoreManifest, sealStoreManifest } from './objects/store-manifest.ts'
export type { LookupPage, LookupQuery, LookupRow } from './records/lookup.ts'
export type { PutResult, RecordEvent, Records } from './records/records.ts'
export {
  openRegistry,
  peekGenesis,
  type Registry,
  type RegistryComponents,
  type RegistryInit
} from './registry.ts'
export type { Meta } from './store/node-values.ts'
