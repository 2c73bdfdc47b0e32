import { sha256 } from '../../identity/hash.ts'
import { networkIdText } from '../../identity/network-id.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'

/** A checkpoint as C2SP signed note: docs/protocols/signed-payloads.md. */

/** Kind of a note's signature: Ed25519 over the text. */
const ed25519 = 1
const keyHashBytes = 4

const base64 = (...parts: Uint8Array[]): string => Buffer.concat(parts).toString('base64')

/** Name of the log, which is also that of its key. */
export const noteOrigin = (networkId: Uint8Array): string => `trustnet/${networkIdText(networkId)}`

/**
 * The text that is signed: origin, number of entries, hash of the last one, epoch, and the hash of the checkpoint's payload, which commits to all
 * that it says.
 */
export function noteText({ value, hash }: Signed<Checkpoint>): string {
  const { networkId, epoch, n, headHash } = value
  const lines = [noteOrigin(networkId), String(n + 1), base64(headHash), `epoch ${epoch}`, `checkpoint ${base64(hash)}`]
  return `${lines.join('\n')}\n`
}

const keyOf = (publicKey: Uint8Array): Buffer => Buffer.concat([Uint8Array.of(ed25519), publicKey])

/** By this a line of a note says which key has signed. */
export const noteKeyHash = (name: string, kind: number, publicKey: Uint8Array): Uint8Array =>
  sha256(Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(kind), publicKey])).subarray(0, keyHashBytes)

const keyHash = (name: string, publicKey: Uint8Array): Uint8Array => noteKeyHash(name, ed25519, publicKey)

/** The log key as programs for notes take it: name, hash and key. */
export function noteVerifierKey(networkId: Uint8Array, publicKey: Uint8Array): string {
  const name = noteOrigin(networkId)
  return `${name}+${Buffer.from(keyHash(name, publicKey)).toString('hex')}+${base64(keyOf(publicKey))}`
}

/** The text and the line of its signature; witnesses add lines of theirs. */
export function signNote(
  checkpoint: Signed<Checkpoint>,
  key: { publicKey: Uint8Array; sign(bytes: Uint8Array): Uint8Array }
): string {
  const name = noteOrigin(checkpoint.value.networkId)
  const text = noteText(checkpoint)
  return `${text}\n\u2014 ${name} ${base64(keyHash(name, key.publicKey), key.sign(Buffer.from(text)))}\n`
}
