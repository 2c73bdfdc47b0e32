import { checkHash, checkPosition, checkTime } from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { Checkpoint as CheckpointMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { openSigned, openSignedAsync, type SignedKind, sealSigned } from './signed.ts'

/** Statement of the log key about the log at one moment. */
export interface Checkpoint {
  networkId: Uint8Array
  epoch: number
  /** Position of the head, and its hash. */
  n: number
  headHash: Uint8Array
  stateRoot: Uint8Array
  /** Live entries, the genesis among them, and the bytes of their envelopes: what a snapshot may hold. */
  rows: number
  bytes: number
  /** The time by which memberships expire. */
  timeMs: number
}

const kind: SignedKind<Checkpoint, CheckpointMessage> = {
  what: 'checkpoint',
  domain: domains.checkpoint,
  codec: CheckpointMessage,
  toMessage: (value) => value,
  fromMessage: ({ networkId, epoch, n, headHash, stateRoot, rows, bytes, timeMs }) => ({
    networkId,
    epoch,
    n,
    headHash,
    stateRoot,
    rows,
    bytes,
    timeMs
  }),
  check(value) {
    checkHash(value.networkId, 'network id of the checkpoint')
    checkPosition(value.epoch, 0, 'epoch of the checkpoint')
    checkPosition(value.n, 0, 'position of the checkpoint')
    checkHash(value.headHash, 'hash of the head')
    checkHash(value.stateRoot, 'state root')
    checkPosition(value.rows, 0, 'rows of the checkpoint')
    checkPosition(value.bytes, 0, 'bytes of the checkpoint')
    checkTime(value.timeMs, 'time of the checkpoint')
  },
  // The log tells which key the epoch has.
  signers: () => undefined
}

/** @throws InvalidPayloadError */
export const sealCheckpoint = (checkpoint: Checkpoint, key: SigningKey): Signed<Checkpoint> =>
  sealSigned(kind, checkpoint, key)

/**
 * Opens a checkpoint. The caller checks that the signer is the log key of the epoch.
 * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError
 */
export const openCheckpoint = (bytes: Uint8Array, networkId: Uint8Array): Signed<Checkpoint> =>
  openSigned(kind, bytes, networkId)

/** The same with the signature checked in the thread pool. */
export const openCheckpointAsync = async (bytes: Uint8Array, networkId: Uint8Array): Promise<Signed<Checkpoint>> =>
  openSignedAsync(kind, bytes, networkId)
