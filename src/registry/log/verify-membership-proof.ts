import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import { LogMismatchError, NotMemberError, RevokedError } from '../../runtime/errors.ts'
import { type LogEntry, openEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { LogKeys } from './state/log-keys.ts'
import type { Member, NetworkState } from './state/network-state.ts'

export interface ShownInit {
  state: NetworkState
  /** The keys that are known, or those that shown delegations lead to. */
  keys: LogKeys
  networkId: Uint8Array
  /** The time by which memberships expire. */
  timeMs: number
  /** Hash of an entry that is held. */
  linkHash: (n: number) => Uint8Array | undefined
}

const notMember = (publicKey: Uint8Array, why: string): NotMemberError =>
  new NotMemberError(`${peerIdText(publicKey)} ${why}: sync, and show the newest entries`)

/** Opens an entry that counts: signed by its epoch's key, below the point where a later epoch branched off. @throws LogMismatchError */
function openShown(bytes: Uint8Array, { keys, networkId, linkHash }: ShownInit): Signed<LogEntry> {
  const entry = openEntry(bytes, networkId)
  const { epoch, n } = entry.value
  const logKey = keys.keyOf(epoch)
  if (logKey === undefined) throw new LogMismatchError(`the entry shown is of epoch ${epoch}, which is not known here`)
  if (!equals(logKey, entry.signer))
    throw new LogMismatchError(`the entry shown is not signed by the log key of epoch ${epoch}`)
  if (!keys.isValidAt(epoch, n)) throw new LogMismatchError(`the entry shown, ${n} of epoch ${epoch}, is void`)
  const held = linkHash(n)
  if (held !== undefined && !equals(held, entry.hash)) {
    throw new LogMismatchError(`the entry shown, ${n}, is another than the one that is held`)
  }
  return entry
}

/**
 * The member that the entries shown in a hello prove, also when the replica has not got them yet.
 *
 * @throws RevokedError, NotMemberError, LogMismatchError and what opening throws
 */
export function verifyMembershipProof(
  admitBytes: Uint8Array,
  renewBytes: Uint8Array | undefined,
  remoteKey: Uint8Array,
  init: ShownInit,
  registrySetBytes?: Uint8Array
): Member {
  const { state, timeMs } = init
  if (state.isRevoked(remoteKey)) throw new RevokedError(`${peerIdText(remoteKey)} was revoked, which holds for ever`)
  const admit = openShown(admitBytes, init)
  const known = state.member(remoteKey)
  if (known === undefined && !isAbout(admit, remoteKey)) throw notMember(remoteKey, 'shows the entry of another key')
  if (known === undefined && admit.value.n <= state.head.n) throw notMember(remoteKey, 'is not a member any more')
  const member = known ?? memberOf(admit, state, () => roleOf(registrySetBytes, admit, remoteKey, init))
  const shown = renewBytes === undefined ? undefined : openRenewal(renewBytes, admit, remoteKey, init)
  // Up to its head the log that is held says all: for a place that is compacted, the key of an ended epoch could sign anything today.
  const renew = shown !== undefined && shown.value.n > state.head.n ? shown : known?.renew
  const renewedMs = renew?.value.kind === 'renew' ? renew.value.body.notAfterMs : 0
  const notAfterMs = Math.max(member.notAfterMs, renewedMs)
  if (notAfterMs < timeMs) throw notMember(remoteKey, `was a member until ${new Date(notAfterMs).toISOString()}`)
  const { name, role, groups = [], ephemeralMs } = member
  return { publicKey: remoteKey, name, role, groups, ephemeralMs, notAfterMs, admitN: admit.value.n, admit, renew }
}

type Shown = Pick<Member, 'name' | 'role' | 'notAfterMs'> & Partial<Pick<Member, 'groups' | 'ephemeralMs'>>

/**
 * The member that the entry makes. A rotate entry says whose place the key takes; where that one is not known here, the key counts as a
 * member without a name, and serves nobody unless the set of registries has it.
 */
function memberOf({ value }: Signed<LogEntry>, state: NetworkState, role: () => Role): Shown {
  if (value.kind === 'admit') return value.body
  if (value.kind === 'rotate' && !state.isRevoked(value.body.oldKey)) {
    return state.member(value.body.oldKey) ?? { name: '', role: role(), notAfterMs: Number.POSITIVE_INFINITY }
  }
  throw new LogMismatchError('a rotation is shown of a key that was revoked')
}

/** Role by the registry-set entry that is shown beside a rotation. */
function roleOf(
  bytes: Uint8Array | undefined,
  { value: { n } }: Signed<LogEntry>,
  publicKey: Uint8Array,
  init: ShownInit
): Role {
  const shown = bytes && openShown(bytes, init).value
  const isOwn = shown?.kind === 'registrySet' && equals(shown.body.publicKey, publicKey) && shown.n > n
  return isOwn && !shown.body.removed ? shown.body.role : 'external'
}

/** True for an entry that makes the key a member. */
const isAbout = ({ value }: Signed<LogEntry>, publicKey: Uint8Array): boolean =>
  (value.kind === 'admit' && equals(value.body.publicKey, publicKey)) ||
  (value.kind === 'rotate' && equals(value.body.newKey, publicKey))

function openRenewal(
  bytes: Uint8Array,
  admit: Signed<LogEntry>,
  remoteKey: Uint8Array,
  init: ShownInit
): Signed<LogEntry> {
  const renew = openShown(bytes, init)
  const { value } = renew
  if (value.kind !== 'renew' || !equals(value.body.publicKey, remoteKey) || value.n <= admit.value.n) {
    throw notMember(remoteKey, 'shows a renewal of another membership')
  }
  return renew
}
