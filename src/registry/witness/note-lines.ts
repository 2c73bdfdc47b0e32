import { equals } from 'uint8arrays/equals'
import { checkKey } from '../../identity/checked-bytes.ts'
import { u64 } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { noteKeyHash, noteOrigin, noteText } from '../log/checkpoint-note.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'
import { type Cosignature, cosignatureBytes, readCosignature } from './cosignature.ts'

/** Cosignatures as lines of a C2SP signed note: docs/protocols/signed-payloads.md. */

/** Kind of a note's signature: Ed25519 over the text and a time (cosignature/v1). */
const timed = 4
const keyHashBytes = 4
const publicKeyBytes = 32

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
 * The cosignatures of these witnesses in the lines of a note of this checkpoint; undefined: the note is of something else. A witness may call itself
 * as it likes: the hash in its line says which key it is. Lines of other keys are left out.
 */
export function readNoteLines(
  note: string,
  checkpoint: Signed<Checkpoint>,
  witnesses: readonly Uint8Array[]
): Cosignature[] | undefined {
  const text = noteText(checkpoint)
  if (!note.startsWith(`${text}\n`)) return undefined
  const lines = note.slice(text.length + 1).split('\n', maxLines)
  return lines.flatMap((line) => readLine(line, witnesses) ?? [])
}

function readLine(line: string, witnesses: readonly Uint8Array[]): Cosignature | undefined {
  const [, name = '', given = ''] = linePattern.exec(line) ?? []
  const bytes = Buffer.from(given, 'base64')
  if (bytes.length !== keyHashBytes + cosignatureBytes - publicKeyBytes) return undefined
  const hash = bytes.subarray(0, keyHashBytes)
  const witness = witnesses.find((each) => equals(hash, noteKeyHash(name, timed, each)))
  return witness && readCosignature(Buffer.concat([witness, bytes.subarray(keyHashBytes)]))
}

/**
 * The key that a witness gives to those who verify its notes, `<name>+<key hash, base16>+<base64 of 04 and the key>`.
 * @throws InvalidPayloadError for anything else
 */
export function readVerifierKey(given: string): Uint8Array {
  const [, name = '', hash = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+([\w+/]+={0,2})$/.exec(given) ?? []
  const [kind, ...rest] = Buffer.from(encoded, 'base64')
  const witness = Uint8Array.from(rest)
  const isWhole = kind === timed && Buffer.from(noteKeyHash(name, timed, witness)).toString('hex') === hash
  if (!isWhole) {
    throw new InvalidPayloadError(
      'a verifier key of a witness is NAME+HASH+KEY, of the kind cosignature/v1: take it as the witness gives it'
    )
  }
  checkKey(witness, 'key of a witness')
  return witness
}
