import { createHash, createPublicKey, verify } from 'node:crypto'
import { OperatorError } from '../errors.ts'

/** Files of minisign(1): https://jedisct1.github.io/minisign/. All that it makes by default is read, and nothing else. */
const keyBytes = 2 + 8 + 32
const signatureBytes = 2 + 8 + 64
/** Head of an Ed25519 key in DER (RFC 8410), before its 32 bytes. */
const derHead = Buffer.from('302a300506032b6570032100', 'hex')
const trustedStart = 'trusted comment: '
/** Prehashed with BLAKE2b-512, as minisign signs since 0.8. */
const prehashed = 'ED'

const decoded = (text: string | undefined, bytes: number, what: string): Buffer => {
  const found = Buffer.from(text ?? '', 'base64')
  if (found.length === bytes && found.toString('base64') === text) return found
  throw new OperatorError(`${what} is not what minisign writes.`)
}

const ed25519 = (key: Buffer, message: Buffer, signature: Buffer): boolean => {
  const publicKey = createPublicKey({ key: Buffer.concat([derHead, key]), format: 'der', type: 'spki' })
  return verify(null, message, publicKey, signature)
}

/**
 * Checks the signature of some bytes, and that of its trusted comment. @returns the trusted comment
 * @throws OperatorError saying which of the files is wrong
 */
export const verifyMinisign = (publicKey: string, signature: string, bytes: Uint8Array): string => {
  // A key may be given as its file, or as its last line alone.
  const key = decoded(publicKey.trim().split('\n').at(-1)?.trim(), keyBytes, 'The public key')
  const [, line, trusted = '', whole] = signature.trimEnd().split('\n')
  const signed = decoded(line, signatureBytes, 'The signature')
  const over = decoded(whole, 64, 'The signature of the comment')
  if (!trusted.startsWith(trustedStart)) throw new OperatorError('The signature has no trusted comment.')
  if (key.toString('latin1', 0, 2) !== 'Ed' || signed.toString('latin1', 0, 2) !== prehashed)
    throw new OperatorError('The signature or its key is of another algorithm: sign with minisign 0.8 or newer.')
  if (!key.subarray(2, 10).equals(signed.subarray(2, 10)))
    throw new OperatorError('The signature was made with another key than the one it is checked with.')
  const comment = trusted.slice(trustedStart.length)
  const own = signed.subarray(10)
  const digest = createHash('blake2b512').update(bytes).digest()
  if (!ed25519(key.subarray(10), digest, own))
    throw new OperatorError('The signature does not fit: the file was changed.')
  if (!ed25519(key.subarray(10), Buffer.concat([own, Buffer.from(comment)]), over))
    throw new OperatorError('The comment of the signature was changed.')
  return comment
}
