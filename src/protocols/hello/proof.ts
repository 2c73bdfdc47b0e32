import { equals } from 'uint8arrays/equals'
import { followDelegations, openDelegations } from '../../registry/log/state/delegations.ts'
import type { LogKeys } from '../../registry/log/state/log-keys.ts'
import type { Checkpoint } from '../../registry/objects/checkpoint.ts'
import { openCheckpointAsync } from '../../registry/objects/checkpoint.ts'
import type { LogEntry } from '../../registry/objects/entry.ts'
import { openEntryAsync } from '../../registry/objects/entry.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { Genesis } from '../../registry/objects/genesis.ts'
import { openGenesis } from '../../registry/objects/genesis.ts'
import { InvalidPayloadError, LogMismatchError, NotMemberError, WrongNetworkError } from '../../runtime/errors.ts'
import type { TrustedMember } from '../engine/trust/connection-trust.ts'
import type { Hello as HelloMessage } from './pb/hello.ts'

/** A network that a hello proved to exist, without anything known before. */
export interface NetworkProof {
  readonly networkId: Uint8Array
  readonly genesis: Signed<Genesis>
  readonly delegations: readonly Uint8Array[]
  /** Keys that the delegations lead to. */
  readonly keys: LogKeys
  readonly checkpoint: Signed<Checkpoint>
}

/** A checkpoint further ahead of the local clock says nothing about the time. */
const maxAheadMs = 600_000

/**
 * Genesis hashes to the network id, the delegations lead from it to today's log key, and that key signed the checkpoint.
 * Says nothing yet about who sent it: all of this is public.
 * @throws the registry's errors of signed objects, LogMismatchError, LimitError
 */
export async function proveNetwork(hello: HelloMessage, maxDelegations: number): Promise<NetworkProof> {
  if (hello.genesis.byteLength === 0 || hello.checkpoint.byteLength === 0) {
    throw new InvalidPayloadError('the hello shows no genesis or no checkpoint')
  }
  const genesis = openGenesis(hello.genesis)
  const networkId = genesis.hash
  if (!equals(networkId, hello.networkId)) throw new WrongNetworkError('the genesis is not that of the network id')
  const keys = followDelegations(genesis, await openDelegations(hello.delegations, networkId, maxDelegations))
  const checkpoint = await openCheckpointAsync(hello.checkpoint, networkId)
  requireLogKey(keys, checkpoint.value.epoch, checkpoint.value.n, checkpoint.signer)
  return { networkId, genesis, delegations: hello.delegations, keys, checkpoint }
}

/**
 * The shown admit entry, and the renew entry where there is one, name this key and are of the proven log.
 * Only a replica can tell that it was revoked since.
 * @throws NotMemberError and the registry's errors of signed objects
 */
export async function proveMember(
  proof: NetworkProof,
  hello: HelloMessage,
  remoteKey: Uint8Array,
  nowMs: number
): Promise<TrustedMember> {
  if (hello.admit.byteLength === 0) throw new NotMemberError('the hello shows no admit entry')
  const entry = await openOfLog(proof, hello.admit)
  const shown = shownBy(entry, remoteKey)
  const notAfterMs = Math.max(shown.notAfterMs, await renewedUntil(proof, hello, entry.n, remoteKey))
  const { timeMs } = proof.checkpoint.value
  if (timeMs <= nowMs + maxAheadMs && notAfterMs < timeMs) throw new NotMemberError('the membership shown has expired')
  return { publicKey: shown.publicKey, name: shown.name, role: shown.role }
}

/** A rotate entry names neither name nor role nor end: its key counts as a member that serves nobody. */
function shownBy(entry: LogEntry, remoteKey: Uint8Array): TrustedMember & { notAfterMs: number } {
  if (entry.kind === 'admit' && equals(entry.body.publicKey, remoteKey)) return entry.body
  if (entry.kind === 'rotate' && equals(entry.body.newKey, remoteKey)) {
    return { publicKey: entry.body.newKey, name: '', role: 'external', notAfterMs: Number.POSITIVE_INFINITY }
  }
  throw new NotMemberError('the admit entry shown is of another key')
}

async function renewedUntil(
  proof: NetworkProof,
  hello: HelloMessage,
  admitN: number,
  remoteKey: Uint8Array
): Promise<number> {
  if (hello.renew.byteLength === 0) return 0
  const renew = await openOfLog(proof, hello.renew)
  if (renew.kind !== 'renew' || !equals(renew.body.publicKey, remoteKey) || renew.n <= admitN) {
    throw new NotMemberError('the renew entry shown is of another key, or older than the admission')
  }
  return renew.body.notAfterMs
}

/**
 * Refuses a history that ends before the epoch in which this node was invited: whoever shows it has a log key of the past, or is behind.
 * @throws LogMismatchError
 */
export function requireEpoch({ epoch }: LogKeys, invitedIn: number | undefined): void {
  if (invitedIn === undefined || epoch >= invitedIn) return
  throw new LogMismatchError(
    `this registry shows a history that is older than the invite (epoch ${epoch}, the invite is of epoch ${invitedIn}): it is not followed`
  )
}

async function openOfLog(proof: NetworkProof, bytes: Uint8Array): Promise<LogEntry> {
  const entry = await openEntryAsync(bytes, proof.networkId)
  requireLogKey(proof.keys, entry.value.epoch, entry.value.n, entry.signer)
  return entry.value
}

function requireLogKey(keys: LogKeys, epoch: number, n: number, signer: Uint8Array): void {
  const logKey = keys.keyOf(epoch)
  if (logKey === undefined || !equals(logKey, signer)) {
    throw new LogMismatchError(`not signed by the log key of epoch ${epoch}`)
  }
  if (!keys.isValidAt(epoch, n))
    throw new LogMismatchError(`entry ${n} of epoch ${epoch} was made void by a later epoch`)
}
