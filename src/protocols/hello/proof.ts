import { createHash } from 'node:crypto'
import { equals } from 'uint8arrays/equals'
import type { Checkpoint } from '../../registry/checkpoint.ts'
import { openCheckpointAsync } from '../../registry/checkpoint.ts'
import type { EntryBodies, LogEntry } from '../../registry/entry.ts'
import { openEntryAsync } from '../../registry/entry.ts'
import type { Signed } from '../../registry/envelope.ts'
import {
  InvalidPayloadError,
  LimitError,
  LogMismatchError,
  NotMemberError,
  WrongNetworkError
} from '../../registry/errors.ts'
import type { Genesis } from '../../registry/genesis.ts'
import { openGenesis } from '../../registry/genesis.ts'
import type { TrustedMember } from '../engine/trust.ts'
import type { Hello as HelloMessage } from './pb/hello.ts'

/** The log key of an epoch. Entries of older epochs above `forkN` are void. */
export interface LogEpoch {
  readonly epoch: number
  readonly logKey: Uint8Array
  readonly forkN: number
}

/** A network that a hello proved to exist, without anything known before. */
export interface NetworkProof {
  readonly networkId: Uint8Array
  readonly genesis: Signed<Genesis>
  readonly delegations: readonly Uint8Array[]
  readonly epochs: readonly LogEpoch[]
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
  if (hello.delegations.length > maxDelegations) {
    throw new LimitError(`${hello.delegations.length} delegations, where at most ${maxDelegations} are looked at`)
  }
  const genesis = openGenesis(hello.genesis)
  const networkId = genesis.hash
  if (!equals(networkId, hello.networkId)) throw new WrongNetworkError('the genesis is not that of the network id')
  const epochs = await followDelegations(genesis, hello.delegations)
  const checkpoint = await openCheckpointAsync(hello.checkpoint, networkId)
  requireLogKey(epochs, checkpoint.value.epoch, checkpoint.value.n, checkpoint.signer)
  return { networkId, genesis, delegations: hello.delegations, epochs, checkpoint }
}

/**
 * The shown admit entry, and the renew entry where there is one, name this key and are of the proven log.
 * Whether it was revoked since, only a replica can tell.
 * @throws NotMemberError and the registry's errors of signed objects
 */
export async function proveMember(
  proof: NetworkProof,
  hello: HelloMessage,
  remoteKey: Uint8Array,
  nowMs: number
): Promise<TrustedMember> {
  if (hello.admit.byteLength === 0) throw new NotMemberError('the hello shows no admit entry')
  const admit = await openOfLog(proof, hello.admit)
  if (admit.kind !== 'admit' || !equals(admit.body.publicKey, remoteKey)) {
    throw new NotMemberError('the admit entry shown is of another key')
  }
  const notAfterMs = Math.max(admit.body.notAfterMs, await renewedUntil(proof, hello, admit, remoteKey))
  const { timeMs } = proof.checkpoint.value
  if (timeMs <= nowMs + maxAheadMs && notAfterMs < timeMs) throw new NotMemberError('the membership shown has expired')
  return { publicKey: admit.body.publicKey, name: admit.body.name, role: admit.body.role }
}

type AdmitEntry = LogEntry & { kind: 'admit'; body: EntryBodies['admit'] }

async function renewedUntil(
  proof: NetworkProof,
  hello: HelloMessage,
  admit: AdmitEntry,
  remoteKey: Uint8Array
): Promise<number> {
  if (hello.renew.byteLength === 0) return 0
  const renew = await openOfLog(proof, hello.renew)
  if (renew.kind !== 'renew' || !equals(renew.body.publicKey, remoteKey) || renew.n <= admit.n) {
    throw new NotMemberError('the renew entry shown is of another key, or older than the admission')
  }
  return renew.body.notAfterMs
}

async function openOfLog(proof: NetworkProof, bytes: Uint8Array): Promise<LogEntry> {
  const entry = await openEntryAsync(bytes, proof.networkId)
  requireLogKey(proof.epochs, entry.value.epoch, entry.value.n, entry.signer)
  return entry.value
}

function requireLogKey(epochs: readonly LogEpoch[], epoch: number, n: number, signer: Uint8Array): void {
  const own = epochs.find((each) => each.epoch === epoch)
  if (own === undefined || !equals(own.logKey, signer)) {
    throw new LogMismatchError(`not signed by the log key of epoch ${epoch}`)
  }
  if (epochs.some((later) => later.epoch > epoch && n > later.forkN)) {
    throw new LogMismatchError(`entry ${n} of epoch ${epoch} was made void by a later epoch`)
  }
}

/** Each delegation is signed by the authority of its time, and each authority was committed to by the one before. */
async function followDelegations(genesis: Signed<Genesis>, delegations: Uint8Array[]): Promise<LogEpoch[]> {
  const epochs: LogEpoch[] = [{ epoch: 0, logKey: genesis.value.logKey, forkN: 0 }]
  let { authorityKey, nextAuthorityDigest } = genesis.value
  let last = { n: 0, epoch: 0 }
  for (const bytes of delegations) {
    const { value: entry, signer } = await openEntryAsync(bytes, genesis.hash)
    if (entry.n <= last.n || entry.epoch < last.epoch) throw new LogMismatchError('delegations are not in log order')
    if (entry.kind === 'delegate') {
      if (!equals(signer, authorityKey)) throw new LogMismatchError('a delegation is not signed by the authority')
      if (entry.epoch === last.epoch) throw new LogMismatchError('a delegation opens no new epoch')
      epochs.push({ epoch: entry.epoch, logKey: entry.body.logKey, forkN: entry.n - 1 })
    } else if (entry.kind === 'authority') {
      if (entry.epoch !== last.epoch) throw new LogMismatchError('an authority entry of an epoch that nobody opened')
      if (!equals(createHash('sha256').update(entry.body.authorityKey).digest(), nextAuthorityDigest)) {
        throw new LogMismatchError('an authority key that was not committed to')
      }
      ;({ authorityKey, nextAuthorityDigest } = entry.body)
    } else throw new LogMismatchError(`an entry of kind ${entry.kind} is no delegation`)
    last = { n: entry.n, epoch: entry.epoch }
  }
  return epochs
}
