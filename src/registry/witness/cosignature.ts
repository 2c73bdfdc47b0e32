import { concat } from 'uint8arrays/concat'
import { checkKey, checkPosition } from '../../identity/checked-bytes.ts'
import { u64 } from '../../identity/key-id.ts'
import { type SigningKey, verifySignatureAsync } from '../../identity/keys.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { noteText } from '../log/checkpoint-note.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'

/** Word of a witness that a checkpoint stands on the history that it holds: docs/protocols/signed-payloads.md. */
export interface Cosignature {
  readonly witness: Uint8Array
  /** When it was given, s since 1970 by the clock of the witness. */
  readonly seconds: number
  readonly signature: Uint8Array
  /** As it travels. */
  readonly bytes: Uint8Array
}

const keyEnd = 32
const timeEnd = 40
/** Key, time and signature. */
export const cosignatureBytes = 104
/** End of the year 9999. */
const maxSeconds = 253_402_300_799

const cosignedText = (checkpoint: Signed<Checkpoint>, seconds: number): Uint8Array =>
  Buffer.from(`cosignature/v1\ntime ${seconds}\n${noteText(checkpoint)}`)

/** The caller has seen to it that this key signs no other history. */
export function cosign(checkpoint: Signed<Checkpoint>, key: SigningKey, nowMs: number): Uint8Array {
  const seconds = Math.floor(nowMs / 1_000)
  return concat([key.publicKey, u64(seconds), key.sign(cosignedText(checkpoint, seconds))])
}

/** @throws InvalidPayloadError for another length, a key that is none, or a time out of range */
export function readCosignature(given: Uint8Array): Cosignature {
  if (given.length !== cosignatureBytes) {
    throw new InvalidPayloadError(`a cosignature has ${cosignatureBytes} bytes, and not ${given.length}`)
  }
  const bytes = Uint8Array.from(given)
  const witness = bytes.subarray(0, keyEnd)
  checkKey(witness, 'key of a witness')
  const seconds = Number(new DataView(bytes.buffer).getBigUint64(keyEnd))
  checkPosition(seconds, 0, 'time of a cosignature')
  if (seconds > maxSeconds) throw new InvalidPayloadError('the time of a cosignature is after the year 9999')
  return { witness, seconds, signature: bytes.subarray(timeEnd), bytes }
}

/** Tells whether the witness has signed this checkpoint. */
export const isCosigned = (
  checkpoint: Signed<Checkpoint>,
  { witness, seconds, signature }: Cosignature
): Promise<boolean> => verifySignatureAsync(witness, cosignedText(checkpoint, seconds), signature)
