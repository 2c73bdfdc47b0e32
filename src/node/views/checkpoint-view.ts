import { peerIdText } from '../../identity/keys.ts'
import { networkIdText } from '../../identity/network-id.ts'
import { readCosignature } from '../../registry/witness/cosignature.ts'
import { cosignatureLine, witnessVerifierKey } from '../../registry/witness/note-lines.ts'
import { NotRootError, UnavailableError } from '../../runtime/errors.ts'
import type { CheckpointView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/**
 * The newest verified checkpoint.
 * @throws UnavailableError while there is none; NotRootError when a note is asked for where the log key is not
 */
export function checkpointView({ registry }: NetworkNode, withNote = false): CheckpointView {
  const { checkpoint } = registry.replica
  if (checkpoint === undefined) {
    throw new UnavailableError('no checkpoint was verified here yet: try again in a moment', 1000)
  }
  const { root } = registry
  if (withNote && root === undefined) {
    throw new NotRootError('a note is signed with the log key, which only the root has: ask for it there')
  }
  const signed = withNote ? root?.note(checkpoint) : undefined
  const { networkId, headHash, stateRoot, ...numbers } = checkpoint.value
  const words = registry.cosignatures.of(checkpoint).map(readCosignature)
  const lines = words.map((word) => cosignatureLine(networkId, word))
  return {
    network: networkIdText(networkId),
    ...numbers,
    headHash: hex(headHash),
    stateRoot: hex(stateRoot),
    logKey: peerIdText(checkpoint.signer),
    envelope: Buffer.from(checkpoint.bytes).toString('base64'),
    note: signed === undefined ? null : [signed.note, ...lines].join(''),
    verifierKey: signed?.verifierKey ?? null,
    witnesses: words.map(({ witness, seconds }) => ({
      peerId: peerIdText(witness),
      timeMs: seconds * 1_000,
      verifierKey: witnessVerifierKey(networkId, witness)
    }))
  }
}
