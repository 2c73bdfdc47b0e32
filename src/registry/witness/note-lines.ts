import { equals } from 'uint8arrays/equals'
import { u64 } from '../../identity/key-id.ts'
import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { noteKeyHash, noteOrigin, noteText } from '../log/checkpoint-note.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'
import { type Cosignature, cosignatureBytes, readCosignature } from './cosignature.ts'

/** Cosignatures as lines of a C2SP signed note: docs/protocols/signed-payloads.md. */

/** Kind of a note's signature: Ed25519 over the text and a time (cosignature/v1). */
const timed = 4
const keyHashBytes = 4

/** Name of a witness as the key of its lines has it. */
const witnessName = (networkId: Uint8Array, witness: Uint8Array): string =>
  `${noteOrigin(networkId)}/${peerIdText(witness)}`

const base64 = (...parts: Uint8Array[]): string => Buffer.concat(parts).toString('base64')

/** The key of a witness as programs for notes take it. */
export function witnessVerifierKey(networkId: Uint8Array, witness: Uint8Array): string {
  const name = witnessName(networkId, witness)
  const hash = Buffer.from(noteKeyHash(name, timed, witness)).toString('hex')
  return `${name}+${hash}+${base64(Uint8Array.of(timed), witness)}`
}

/** The line that a witness adds to a note, with its end. */
export function cosignatureLine(networkId: Uint8Array, { witness, seconds, signature }: Cosignature): string {
  const name = witnessName(networkId, witness)
  return `\u2014 ${name} ${base64(noteKeyHash(name, timed, witness), u64(seconds), signature)}\n`
}

const linePattern = /^\u2014 (\S+) (\S+)$/u
/** A note has the line of the log and those of witnesses. */
const maxLines = 64

/**
 * The cosignatures in the lines of a note of this checkpoint. Lines of other keys are left out.
 * @throws InvalidPayloadError a note of something else, or one that is none
 */
export function readNoteLines(note: string, checkpoint: Signed<Checkpoint>): Cosignature[] {
  const text = noteText(checkpoint)
  if (!note.startsWith(`${text}\n`)) {
    throw new InvalidPayloadError('the note is not of this checkpoint: have the witness sign the newest one')
  }
  const lines = note.slice(text.length + 1).split('\n', maxLines)
  return lines.flatMap((line) => readLine(line, checkpoint.value.networkId) ?? [])
}

function readLine(line: string, networkId: Uint8Array): Cosignature | undefined {
  const [, name = '', given = ''] = linePattern.exec(line) ?? []
  const prefix = `${noteOrigin(networkId)}/`
  if (!name.startsWith(prefix)) return undefined
  const witness = publicKeyOf(name.slice(prefix.length))
  const bytes = Buffer.from(given, 'base64')
  if (bytes.length !== keyHashBytes + cosignatureBytes - witness.length) return undefined
  if (!equals(bytes.subarray(0, keyHashBytes), noteKeyHash(name, timed, witness))) return undefined
  return readCosignature(Buffer.concat([witness, bytes.subarray(keyHashBytes)]))
}
