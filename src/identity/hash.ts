import { hash } from 'node:crypto'
import { byteAt } from './bytes.ts'

const digestBytes = 32

/**
 * SHA-256 as a plain Uint8Array: a Buffer's `slice` shares memory and its equality in tests differs. By way of a string, which costs a
 * third of a Buffer; a start of a large network makes half a million.
 */
export function sha256(bytes: Uint8Array): Uint8Array {
  const text = hash('sha256', bytes, 'binary')
  const digest = new Uint8Array(digestBytes)
  for (let i = 0; i < digestBytes; i++) digest[i] = text.charCodeAt(i)
  return digest
}

/** -1, 0 or 1: the order of two byte strings, as SQLite orders blobs. */
export function compareBytes(a: Uint8Array, b: Uint8Array): -1 | 0 | 1 {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = byteAt(a, i) - byteAt(b, i)
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  if (a.length === b.length) return 0
  return a.length < b.length ? -1 : 1
}
